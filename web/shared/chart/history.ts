// Readings of one metric for a chart: single ones where they are few, else windows of lowest, mean, highest.  Nobody else asks.
import { get } from '../api'
import { deviceQuery, type Whose } from '../readings'
import { lengthOf, windowFor, type Range } from './scale'
import { readings, windowed, type Point } from './series'

/** step: length of a window, 0 for single readings.  tier: length of the longest windows rolled up before that some of it was read from; `rolled`: there was nothing finer. */
export interface History { points: Point[]; step: number; every: string; unit: string | null; tier?: number; rolled?: boolean }
interface Answer { unit: string | null; points: (number | null)[][]; next: string | null; tier?: string }
const SINGLE_MOST = 1500, SINGLE_WITHIN = 2 * 3600e3
const AGGS = 'min,avg,max,count'
const query = (device: Whose, metric: string, from: number, to: number, more: string): string =>
  `/telemetry?${deviceQuery(device)}&metric=${encodeURIComponent(metric)}&from=${Math.floor(from)}&to=${Math.ceil(to)}${more}`

async function windows(device: Whose, metric: string, from: number, to: number, every: string, step: number, signal?: AbortSignal): Promise<History> {
  const a = await get<Answer>(query(device, metric, from, to, `&every=${every}&agg=${AGGS}`), signal)
  const tier = lengthOf(a.tier)
  if (tier > step) return { ...await windows(device, metric, from, to, a.tier!, tier, signal), rolled: true } // finer ones would stand far apart
  return { points: windowed(a.points, step, to), step, every, unit: a.unit, ...(tier ? { tier } : {}) }
}
async function single(device: Whose, metric: string, from: number, to: number, signal?: AbortSignal): Promise<History | null> {
  const a = await get<Answer>(query(device, metric, from, to, `&limit=${SINGLE_MOST}`), signal)
  return a.next ? null : { points: readings(a.points as [number, number | null][]), step: 0, every: '', unit: a.unit }
}
/** `margin`: how much more than the range, of its width, on either side. */
export async function history(device: Whose, metric: string, r: Range, width: number, margin = 0, signal?: AbortSignal): Promise<History> {
  const more = (r.to - r.from) * margin, from = r.from - more, to = Math.max(r.to, Math.min(r.to + more, Date.now())), w = windowFor(r.to - r.from, width)
  const few = r.to - r.from <= SINGLE_WITHIN ? await single(device, metric, from, to, signal) : null
  if (few?.points.length) return few
  const cut = await windows(device, metric, from, to, w.every, w.ms, signal)
  return few && !cut.tier ? few : cut // where single ones are gone, they may be there rolled up
}
/** The same with what came since: only its end is asked for again. */
export async function continued(device: Whose, metric: string, h: History, to: number, signal?: AbortSignal): Promise<History> {
  const last = h.points[h.points.length - 1]
  if (!last) return h
  const fresh = h.step ? await windows(device, metric, last.at, to, h.every, h.step, signal) : await single(device, metric, last.at + 1, to, signal)
  if (!fresh?.points.length) return h
  const first = fresh.points[0]!.at
  return { ...h, points: [...h.points.filter((p) => p.at < first), ...fresh.points] }
}
const LIVE_MOST = 3000
/** The same with readings that came by themselves: each where it belongs, one of a time that is there in its place; windows grow by it. */
export function joined(h: History, fresh: [number, number | null][]): History {
  const points = [...h.points]
  for (const [at, v] of fresh) {
    let i = points.length
    while (i && points[i - 1]!.at > at) i--
    const p = points[i - 1]
    if (!h.step) { points.splice(p?.at === at ? i - 1 : i, p?.at === at ? 1 : 0, ...readings([[at, v]])); continue }
    if (!p || v === null) continue // before all of it; or no value
    const missing = Math.floor((at - p.at) / h.step)
    if (missing > LIVE_MOST) continue
    if (missing) points[i - 1] = { ...p, end: Math.max(p.end, p.at + h.step) } // it is over
    for (let k = 1; k <= missing; k++) points.push({ at: p.at + k * h.step, end: Math.min(at, p.at + (k + 1) * h.step), mean: null, low: null, high: null, n: 0 })
    const w = points[i - 1 + missing]!
    points[i - 1 + missing] = { at: w.at, end: Math.max(w.end, at), n: w.n + 1, mean: ((w.mean ?? 0) * w.n + v) / (w.n + 1), low: Math.min(w.low ?? v, v), high: Math.max(w.high ?? v, v) }
  }
  return { ...h, points: points.slice(-LIVE_MOST) }
}
/** The address of what is drawn as CSV. */
export const csvOf = (device: Whose, metric: string, r: Range, h: History): string =>
  '/api/v1' + query(device, metric, r.from, r.to, (h.step ? `&every=${h.every}&agg=${AGGS}` : '') + '&format=csv')
