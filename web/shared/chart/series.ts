// What a chart needs from readings: where none came, lines that do not bridge that, what stands in the summary.
/** A reading (n 1, low and high are the value), or a window from `at` to `end`: mean null where nothing was read in it. */
export interface Point { at: number; end: number; mean: number | null; low: number | null; high: number | null; n: number }
export type Known = Point & { mean: number; low: number; high: number }
export interface Gap { from: number; to: number }

const isKnown = (p: Point): p is Known => p.mean !== null
export const knownOf = (points: Point[]): Known[] => points.filter(isKnown)
const median = (v: number[]): number => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)] ?? 0
/** Single readings as points. */
export const readings = (rows: [number, number | null][]): Point[] => rows.map(([at, v]) => ({ at, end: at, mean: v, low: v, high: v, n: v === null ? 0 : 1 }))
/** Windows of [start, lowest, mean, highest, number of readings], in order, the last one `step` long or up to `to`, where it still runs. */
export const windowed = (rows: (number | null)[][], step: number, to = Infinity): Point[] => rows.map((r, i) => ({
  at: r[0]!, end: rows[i + 1]?.[0] ?? Math.max(r[0]!, Math.min(to, r[0]! + step)), low: r[1] ?? null, mean: r[2] ?? null, high: r[3] ?? null, n: r[4] ?? 0 }))
/** Where a point stands: a window in its middle. */
export const middle = (p: Point): number => (p.at + p.end) / 2

/**
 * Where nothing came for more than three usual steps, from `from` to `to`.  Where windows usually hold three readings or more, each
 * empty one is a gap.
 */
export function gapsOf(points: Point[], from: number, to: number): Gap[] {
  const known = knownOf(points), perWindow = median(known.map((p) => p.n))
  if (!known.length || (known.length < 2 && perWindow < 3)) return [] // no step to go by
  const usual = perWindow >= 3 ? median(known.map((p) => p.end - p.at)) / perWindow : median(known.slice(1).map((p, i) => p.at - known[i]!.at))
  const gaps: Gap[] = []
  const look = (a: number, b: number, far: number): void => { if (b - a > far && b > from && a < to) gaps.push({ from: Math.max(a, from), to: Math.min(b, to) }) }
  const dense = perWindow >= 3
  look(from, known[0]!.at, usual * 3)
  known.slice(1).forEach((p, i) => { const last = known[i]!; look(dense ? last.end : last.at, p.at, dense ? 0 : usual * 3) })
  const last = known[known.length - 1]!
  look(dense ? last.end : last.at, to, usual * 3)
  return gaps
}
/** Runs of readings between gaps. */
export function runsOf(points: Point[], gaps: Gap[]): Known[][] {
  const out: Known[][] = []
  let g = 0, last: Known | undefined
  for (const p of knownOf(points)) {
    while (g < gaps.length && gaps[g]!.to < p.at) g++
    const gap = gaps[g]
    if (!last || (gap && gap.from >= last.at && gap.to <= p.at && gap.to > gap.from)) out.push([])
    if (gap && gap.to <= p.at) g++
    out[out.length - 1]!.push(p)
    last = p
  }
  return out
}
/** What of the points lies in a range, in part or whole. */
export const inside = (points: Point[], from: number, to: number): Point[] => points.filter((p) => (p.end > p.at ? p.end > from : p.at >= from) && p.at < to)
/** The nearest of the known points, by where they stand. */
export function nearest(known: Known[], ms: number): Known | null {
  let best: Known | null = null
  for (const p of known) if (!best || Math.abs(middle(p) - ms) < Math.abs(middle(best) - ms)) best = p
  return best
}
export interface Figures { mean: number; low: Known; high: Known }
/** The mean over the time, each window or single reading counted once (a device that reports more often for a while does not weigh more), and where the lowest and the highest are. */
export function figuresOf(points: Point[]): Figures | null {
  const known = knownOf(points)
  if (!known.length) return null
  return { mean: known.reduce((a, p) => a + p.mean, 0) / known.length, low: known.reduce((a, b) => (b.low < a.low ? b : a)), high: known.reduce((a, b) => (b.high > a.high ? b : a)) }
}
const HOLDS_MOST = 24 * 3600e3
/** How many times, and for how long, readings stood beyond a limit: the highest of a window counts above, the lowest below. */
export function beyond(points: Point[], limit: number, above: boolean): { times: number; ms: number } {
  let times = 0, ms = 0, past = false
  points.forEach((p, i) => {
    const out = isKnown(p) && (above ? p.high > limit : p.low < limit)
    if (out && !past) times++
    if (out) ms += Math.min((points[i + 1]?.at ?? p.end) - p.at, HOLDS_MOST)
    past = out
  })
  return { times, ms }
}
/** Marks that would lie on one another, put together: each at `x`, at least `apart` from the one before. */
export function clustered<T extends { x: number }>(marks: T[], apart: number): T[][] {
  const out: T[][] = []
  for (const m of [...marks].sort((a, b) => a.x - b.x)) {
    const last = out[out.length - 1]
    if (last && m.x - last[0]!.x < apart) last.push(m)
    else out.push([m])
  }
  return out
}
