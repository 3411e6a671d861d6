// One row: read, watched, acted upon.
import { ref, watch } from 'vue'
import { call, get, Problem, post, type Row } from '@/shared/api'
import { onChange } from '@/shared/live'

/** Who did it; the program itself has no id. */
export interface Actor { id: string | null; name: string | null; roles: string[] }
export interface HistoryItem {
  id: string; at_ms: number; actor: Actor; verb: string; step: string | null
  changes: { field: string; from: unknown; to: unknown; from_label?: string | null; to_label?: string | null }[]; reason: string | null
}
export function useRow(name: string, id: () => string) {
  const row = ref<Row | null>(null)
  const history = ref<HistoryItem[]>([])
  const problem = ref<Problem | null>(null)
  const busy = ref(false)
  async function load(): Promise<void> {
    try {
      row.value = await get<Row>(`/${name}/${id()}`)
      history.value = (await get<{ items: HistoryItem[] }>(`/${name}/${id()}/history`)).items
      problem.value = null
    } catch (e) { problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '') }
  }
  /** Runs a change; a problem is given back, not thrown. */
  async function change(fn: () => Promise<unknown>): Promise<Problem | null> {
    if (busy.value) return null
    busy.value = true
    try { await fn(); await load(); return null } catch (e) { return e instanceof Problem ? e : new Problem(0, 'offline', '') } finally { busy.value = false }
  }
  const act = (step: string, body?: object): Promise<Problem | null> => change(() => post(`/${name}/${id()}/${step}`, body ?? {}, row.value?.version))
  const archive = (): Promise<Problem | null> => change(() => call('DELETE', `/${name}/${id()}`, { version: row.value?.version }))
  const restore = (): Promise<Problem | null> => change(() => post(`/${name}/${id()}/restore`))
  watch(id, () => { row.value = null; void load() }, { immediate: true })
  onChange([name], () => { void load() })
  return { row, history, problem, busy, load, act, archive, restore }
}
