// The stretch of time that a device's charts show: chosen, zoomed, panned, gone back from; its readings, and what comes in at the end.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { Problem } from '@/shared/api'
import { live } from '@/shared/live'
import { between, panned, presetOf, presets, zoomed, type Preset, type Range } from '@/shared/chart/scale'
import { continued, history, joined, type History } from '@/shared/chart/history'
import { deviceQuery, type Whose } from '@/shared/readings'
import type { Reading, Tail } from '@/shared/tail'

export interface Asked { device: Whose; metrics: string[]; newest: number } // newest: of the readings; a device's clock may be ahead
const SETTLE_MS = 120, BURST_MS = 700, BACK_MOST = 30, TAIL_S = 5, ANEW_S = 60 // once a minute what came by itself is read as it is kept
const MARGIN = 0.25
// About how wide a plot will be, so that what is read first need not be read again.
const widthAtFirst = (): number => Math.max(200, Math.min(700, innerWidth - 124))

export function useHistory(asked: () => Asked | null, at: { preset?: Preset; range?: Range } = {}, stream?: Tail) {
  const end = (): number => Math.max(Date.now(), (asked()?.newest ?? 0) + 1)
  const upToNow = (width: number): Range => { const to = end(); return { from: to - width, to } }
  const follows = ref(!at.range) // the right end is now, and stays so
  const range = ref<Range>(at.range ?? upToNow(presets[at.preset ?? 'day']))
  const before = ref<{ range: Range; follows: boolean }[]>([])
  const width = ref(widthAtFirst())
  const drawn = shallowRef<Record<string, History>>({})
  const problem = ref<Problem | null>(null)
  const busy = ref(false)
  const moves = ref(0) // by hand

  // ---- what is read ----
  let timer = 0, round: AbortController | null = null
  async function read(): Promise<void> {
    const a = asked()
    clearTimeout(timer)
    if (!a?.metrics.length) return
    round?.abort()
    const mine = round = new AbortController()
    const r = range.value
    busy.value = true
    try {
      const all = await Promise.all(a.metrics.map(async (m) => [m, await history(a.device, m, r, width.value, MARGIN, mine.signal)] as const))
      if (mine.signal.aborted) return
      drawn.value = Object.fromEntries(all)
      problem.value = null
    } catch (e) {
      if (mine.signal.aborted) return
      problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '')
    }
    busy.value = false
  }
  const soon = (): void => { clearTimeout(timer); timer = window.setTimeout(() => { void read() }, SETTLE_MS) }
  let tailing = false
  async function tail(): Promise<void> {
    const a = asked(), mine = round
    if (!a || !follows.value || tailing || busy.value) return
    tailing = true
    try {
      const to = end(), fresh = await Promise.all(a.metrics.filter((m) => drawn.value[m]).map(async (m) => [m, await continued(a.device, m, drawn.value[m]!, to)] as const))
      if (mine === round && follows.value) { // else somebody went elsewhere meanwhile
        drawn.value = { ...drawn.value, ...Object.fromEntries(fresh) }
        range.value = { from: to - (range.value.to - range.value.from), to }
      }
    } catch { /* what is drawn stays, and ages */ } finally { tailing = false }
  }
  // Readings come by themselves while the stream is open; the end of the time moves on with the clock.
  function come(fresh: Reading[] | null): void {
    if (!fresh) { void tail(); return }
    if (!follows.value || busy.value) return
    const next = { ...drawn.value }
    for (const m of Object.keys(next)) { const mine = fresh.filter((x) => x.metric === m).map((x): [number, number | null] => [x.at_ms, x.value]); if (mine.length) next[m] = joined(next[m]!, mine) }
    drawn.value = next
    range.value = upToNow(range.value.to - range.value.from)
  }
  stream?.listen(come)
  let n = 0
  watch(() => live.now, () => {
    if (++n % (stream?.open.value ? ANEW_S : TAIL_S) === 0) void tail()
    else if (stream?.open.value && follows.value && !busy.value) range.value = upToNow(range.value.to - range.value.from)
  })
  watch(() => { const a = asked(); return a ? deviceQuery(a.device) + ' ' + a.metrics.join(' ') : '' }, (v) => { if (v && follows.value) range.value = upToNow(range.value.to - range.value.from); void read() }, { immediate: true })
  watch(width, (v, old) => { if (Math.abs(v - old) > 80) soon() })
  onScopeDispose(() => { clearTimeout(timer); round?.abort() })

  // ---- where to go ----
  let changed = 0
  function go(r: Range, keep = true): void {
    const now = Date.now()
    if (keep && now - changed > BURST_MS) before.value = [...before.value.slice(1 - BACK_MOST), { range: range.value, follows: follows.value }] // one step back for one movement
    changed = now
    moves.value++
    follows.value = r.to >= end() - 1500
    range.value = r
    soon()
  }
  function back(): void {
    const last = before.value[before.value.length - 1]
    if (!last) return
    before.value = before.value.slice(0, -1)
    follows.value = last.follows
    moves.value++
    range.value = last.follows ? upToNow(last.range.to - last.range.from) : last.range
    void read()
  }
  return {
    range, drawn, problem, busy, width, moves, read, back,
    canBack: computed(() => before.value.length > 0), preset: computed(() => (follows.value ? presetOf(range.value) : null)), follows: computed(() => follows.value),
    /** To now, as long as it is; or stays where it is, while time goes on. */
    follow: (): void => { if (follows.value) follows.value = false; else { go(upToNow(range.value.to - range.value.from), false); void read() } },
    choose: (p: Preset): void => { changed = 0; go(upToNow(presets[p])); void read() },
    pan: (ms: number): void => go(panned(range.value, ms, end())),
    zoom: (factor: number, about?: number): void => go(zoomed(range.value, factor, about ?? (range.value.from + range.value.to) / 2, end())),
    select: (a: number, b: number): void => go(between(a, b, end()))
  }
}
