// What is to be erased of a device's readings: checked before it is sent, counted, erased.
import { call, get, type FieldError } from '@/shared/api'
import { deviceQuery, type Whose } from '@/shared/readings'
import { fromWall, toWallSeconds } from '@/shared/wall'
import type { Range } from '@/shared/chart/scale'

/** metric '': all of them; from and to on the community's clock; typed: the device's code, once more. */
export interface Erasing { metric: string; from: string; to: string; reason: string; typed: string }
const SECOND = 1000
const AS_ONE = '1000000h' // longer than any range: one window

/** All that a chart shows, to the second. */
export const asShown = (r: Range, zone: string): { from: string; to: string } => ({ from: toWallSeconds(r.from, zone), to: toWallSeconds(Math.ceil(r.to / SECOND) * SECOND, zone) })
/** The stretch that is meant; null while it is none. */
export function rangeOf(e: Erasing, zone: string): Range | null {
  const from = fromWall(e.from, zone), to = fromWall(e.to, zone)
  return from !== null && to !== null && from < to ? { from, to } : null
}
/** What keeps it from being sent, in the words of the server's own refusals. */
export function refusals(e: Erasing, code: string, zone: string): FieldError[] {
  const wrong: FieldError[] = [], times = (['from', 'to'] as const).filter((f) => fromWall(e[f], zone) === null)
  for (const field of times) wrong.push({ field, code: e[field] ? 'bad_type' : 'required' })
  if (!times.length && !rangeOf(e, zone)) wrong.push({ field: 'to', code: 'not_after' })
  if (!e.reason.trim()) wrong.push({ field: 'reason', code: 'required' })
  if (e.typed.trim() !== code) wrong.push({ field: 'typed', code: e.typed.trim() ? 'differs' : 'required' })
  return wrong
}
const query = (device: Whose, metric: string, r: Range): string => `/telemetry?${deviceQuery(device)}${metric ? '&metric=' + encodeURIComponent(metric) : ''}&from=${r.from}&to=${r.to}`
/** How many readings of each metric there are. */
export const countsOf = (device: Whose, metrics: string[], r: Range, signal?: AbortSignal): Promise<number[]> =>
  Promise.all(metrics.map(async (m) => (await get<{ points: [number, number | null][] }>(`${query(device, m, r)}&every=${AS_ONE}&agg=count`, signal)).points.reduce((sum, p) => sum + (p[1] ?? 0), 0)))
export const erase = (device: Whose, metric: string, r: Range, reason: string): Promise<void> =>
  call('DELETE', `${query(device, metric, r)}&reason=${encodeURIComponent(reason.trim())}`)
