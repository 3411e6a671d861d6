// A list whose whole state lives in the address.
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { get, Problem, type Page, type Row } from '@/shared/api'
import type { Resource } from '@/shared/meta'

/** What a catalogue's rows are looked through by: their order where none is said, and the filter at hand. */
export const chapters: Readonly<Record<string, string>> = { device_models: 'category' }
export function listQuery(r: Resource, q: Record<string, unknown>): string {
  const out = new URLSearchParams()
  const view = r.views?.find((v) => v.name === q.view)
  for (const [k, v] of Object.entries(view?.filter ?? {})) out.set('f.' + k, v)
  for (const [k, v] of Object.entries(q)) if (k.startsWith('f.') && typeof v === 'string' && v) out.set(k, v)
  if (typeof q.q === 'string' && q.q) out.set('q', q.q)
  if (q.archived === '1') out.set('archived', 'true')
  const sort = typeof q.sort === 'string' ? q.sort : view?.sort ?? chapters[r.name]
  if (sort) out.set('sort', sort)
  return out.toString()
}

export const PAGE = 25
export function useList(r: () => Resource | undefined) {
  const route = useRoute()
  const router = useRouter()
  const page = ref<Page | null>(null)
  const problem = ref<Problem | null>(null)
  const loading = ref(false)
  const cursors = ref<string[]>([]) // of the pages behind us
  let abort = new AbortController()
  const name = computed(() => r()?.name ?? '')
  const query = computed(() => { const x = r(); return x ? listQuery(x, route.query) : '' })

  async function load(): Promise<void> {
    if (!name.value) return
    abort.abort()
    const mine = abort = new AbortController()
    loading.value = true
    try {
      const cursor = cursors.value[cursors.value.length - 1]
      const p = new URLSearchParams(query.value)
      p.set('limit', String(PAGE))
      if (cursor) p.set('cursor', cursor)
      page.value = await get<Page>(`/${name.value}?${p}`, mine.signal)
      problem.value = null
    } catch (e) {
      if (mine.signal.aborted) return
      problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '')
    } finally { if (abort === mine) loading.value = false }
  }
  watch([query, name], () => { cursors.value = []; page.value = null; void load() }, { immediate: true })
  function set(change: LocationQueryRaw): void {
    const q: LocationQueryRaw = { ...route.query, ...change }
    for (const k of Object.keys(q)) if (q[k] === '' || q[k] === undefined) delete q[k]
    void router.push({ path: '/' + name.value, query: q })
  }
  const forward = (): void => { if (page.value?.next) { cursors.value.push(page.value.next); void load() } }
  const back = (): void => { cursors.value.pop(); void load() }
  const rows = computed<Row[]>(() => page.value?.items ?? [])
  return { page, rows, problem, loading, cursors, query, load, set, forward, back }
}
