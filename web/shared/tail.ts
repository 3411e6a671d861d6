// Readings of a device as they come: one stream while a page looks at it.  Lost, it comes back by itself, and who listens reads anew.
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { deviceQuery, type Whose } from './readings'

export interface Reading { device: string; metric: string; at_ms: number; value: number | null; quality: number }
/** null: some were missed. */
export type Listener = (readings: Reading[] | null) => void
export interface Tail { open: Ref<boolean>; listen: (l: Listener) => void }

export function useTail(device: () => Whose | null): Tail {
  const open = ref(false)
  const listeners = new Set<Listener>()
  let source: EventSource | null = null, wasOpen = false
  const tell = (r: Reading[] | null): void => { for (const l of listeners) l(r) }
  function stop(): void { source?.close(); source = null; open.value = false; wasOpen = false }
  function start(query: string): void {
    stop()
    if (!query) return
    const mine = source = new EventSource('/api/v1/telemetry/tail?' + query)
    mine.onopen = () => { open.value = true; if (wasOpen) tell(null); wasOpen = true }
    mine.onerror = () => { open.value = false }
    mine.addEventListener('readings', (e: MessageEvent<string>) => { try { tell(JSON.parse(e.data) as Reading[]) } catch { /* not ours */ } })
    mine.addEventListener('missed', () => tell(null))
  }
  const asked = (): string => { const d = device(); return d ? deviceQuery(d) : '' }
  watch(asked, start, { immediate: true })
  const offline = (): void => { open.value = false }, online = (): void => start(asked())
  window.addEventListener('offline', offline)
  window.addEventListener('online', online)
  onScopeDispose(() => { stop(); window.removeEventListener('offline', offline); window.removeEventListener('online', online) })
  return { open, listen: (l) => { listeners.add(l); onScopeDispose(() => listeners.delete(l)) } }
}
