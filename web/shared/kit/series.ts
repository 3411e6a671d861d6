// What a chart needs from readings: gaps, round ticks, what stands in the summary.
export interface Point { at: number; mean: number | null; low: number | null; high: number | null }
export interface Gap { from: number; to: number }

/**
 * Puts windows of mean, low and high together, ordered by time.  A window without readings has no mean.
 */
export function together(mean: [number, number | null][], low: [number, number | null][] = [], high: [number, number | null][] = []): Point[] {
  const lows = new Map(low), highs = new Map(high)
  return mean.map(([at, v]) => ({ at, mean: v, low: lows.get(at) ?? v, high: highs.get(at) ?? v }))
}
/**
 * Where no reading came for more than three usual steps, between the first reading and the last, and from the last to the end.
 * Windows without a mean are no readings.
 */
export function gapsOf(points: Point[], end: number): Gap[] {
  const known = points.filter((p) => p.mean !== null)
  if (known.length < 3) return []
  const steps = known.slice(1).map((p, i) => p.at - known[i]!.at).sort((a, b) => a - b)
  const usual = steps[Math.floor(steps.length / 2)] ?? 0
  const gaps = known.slice(1).map((p, i) => ({ from: known[i]!.at, to: p.at })).filter((g) => g.to - g.from > usual * 3)
  const last = known[known.length - 1]!.at
  return end - last > usual * 3 ? [...gaps, { from: last, to: end }] : gaps
}
/** Round values inside low..high, about n of them: steps of 1, 2, 2.5 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, n = 5): number[] {
  const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= rough) ?? 10 * power
  const ticks: number[] = []
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9 && ticks.length < 20; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}
const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR
const timeSteps = [MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY]
/** Times on round local hours or midnights, at most n; midnight is that of `dayStart`. */
export function timeTicks(from: number, to: number, dayStart: number, n = 7): number[] {
  const step = timeSteps.find((s) => (to - from) / s <= n) ?? 30 * DAY
  const ticks: number[] = []
  for (let ms = dayStart + Math.ceil((from - dayStart) / step) * step; ms <= to; ms += step) ticks.push(ms)
  return ticks
}
/** How many times, and for how long, readings stood beyond a limit: the highest of a window counts above, the lowest below. */
export function beyond(points: Point[], limit: number, above: boolean): { times: number; ms: number } {
  let times = 0, ms = 0, inside = false
  points.forEach((p, i) => {
    const out = p.mean !== null && (above ? (p.high ?? p.mean) > limit : (p.low ?? p.mean) < limit)
    if (out && !inside) times++
    if (out) ms += Math.min((points[i + 1]?.at ?? p.at) - p.at, HOUR * 24)
    inside = out
  })
  return { times, ms }
}
