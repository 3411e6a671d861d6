// One event stream a browser tab: tells which rows changed, and how old the news is.
import { onScopeDispose, reactive } from 'vue'

export interface Change { resource: string; id: string; change: string; at_ms: number }
export const live = reactive({ connected: false, opening: true, at: Date.now(), now: Date.now() })
type Listener = (c: Change) => void
const listeners = new Set<Listener>()
let source: EventSource | null = null
setInterval(() => { live.now = Date.now(); if (live.connected) live.at = live.now }, 1000)

function heard(e: MessageEvent<string>): void {
  if (live.connected) live.at = Date.now()
  try { const c = JSON.parse(e.data) as Change; for (const l of listeners) l(c) } catch { /* not ours */ }
}
const verbs = ['create', 'update', 'archive', 'restore']
export function startLive(topics: string[]): void {
  stopLive()
  topicsNow = topics
  live.opening = true
  source = new EventSource('/api/v1/events')
  source.onopen = () => { live.opening = false; live.connected = navigator.onLine; if (live.connected) live.at = Date.now() }
  source.onerror = () => { live.connected = live.opening = false }
  for (const topic of topics) source.addEventListener(topic, heard as EventListener)
  source.addEventListener('reset', () => { for (const l of listeners) l({ resource: '*', id: '', change: 'reset', at_ms: Date.now() }) })
}
/** All that may happen to rows: what people do to them, and what the program does by itself, which is no action of anybody. */
export function topicsOf(resources: { name: string; state?: { steps?: object } | null }[]): string[] {
  return resources.flatMap((r) => [...verbs, ...Object.keys(r.state?.steps ?? {})].map((v) => `${r.name}.${v}`))
}
// A network that goes away leaves the connection looking open; the browser knows better.
let topicsNow: string[] = []
window.addEventListener('offline', () => { live.connected = false })
window.addEventListener('online', () => { if (source) startLive(topicsNow) })
export function stopLive(): void { source?.close(); source = null; live.connected = false }
/** Calls fn, at most twice a second, when rows of these resources changed. */
export function onChange(resources: string[], fn: () => void): void {
  let timer = 0
  const l: Listener = (c) => {
    if (c.resource !== '*' && !resources.includes(c.resource)) return
    if (!timer) timer = window.setTimeout(() => { timer = 0; fn() }, 500)
  }
  listeners.add(l)
  onScopeDispose(() => { listeners.delete(l); clearTimeout(timer) })
}
