// One metric of many devices: one row for each device, model or place, with its figure over the whole time and its windows.
import { get } from '../api'
import { inCommunity } from '../readings'
import { LONGEST, windowFor, type Range } from './scale'
import { windowed, type Point } from './series'

export const groupings = ['device', 'model', 'place'] as const
export const aggregates = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'p50', 'p95', 'delta', 'rate', 'integral'] as const
export type Grouping = (typeof groupings)[number]
export type Aggregate = (typeof aggregates)[number]
/** top 0: as many as can be drawn. */
export interface Asked { metric: string; group: Grouping; agg: Aggregate; place: string; top: number; range: Range; community?: string }
/** In order of their figures, the greatest first, those without any last. */
export interface Grouped { key: string; name: string; devices: number; figure: number | null; points: Point[] }
export interface Many { groups: Grouped[]; step: number; cut: boolean }

export const DRAWN_MOST = 300, TOPS = [10, 20, 50]
const WIDTH = 260, APART = 2.5
const AS_ONE = '1000000h' // longer than any range: one window
const every = (a: Asked): { every: string; ms: number } => windowFor(a.range.to - a.range.from, WIDTH, APART)
const query = (a: Asked, window: string, top: number): string =>
  `/telemetry/aggregate?metric=${encodeURIComponent(a.metric)}&group=${a.group}&every=${window}&agg=${a.agg}&from=${Math.floor(a.range.from)}&to=${Math.ceil(a.range.to)}${a.place ? '&place=' + a.place : ''}&top=${top}${inCommunity(a.community ?? '')}`
interface Answer { at: number[]; groups: { key: string; name: string; devices: number; values: (number | null)[] }[] }

export async function readMany(a: Asked, signal?: AbortSignal): Promise<Many> {
  const most = a.top || DRAWN_MOST, w = every(a)
  const [whole, cut] = await Promise.all([get<Answer>(query(a, AS_ONE, a.top || DRAWN_MOST + 1), signal), get<Answer>(query(a, w.every, most), signal)])
  const windows = new Map(cut.groups.map((g) => [g.key, g.values]))
  const points = (values: (number | null)[]): Point[] => windowed(cut.at.map((at, i) => { const v = values[i] ?? null; return [at, v, v, v, v === null ? 0 : 1] }), w.ms, a.range.to)
  return { step: w.ms, cut: whole.groups.length > most, groups: whole.groups.slice(0, most).map((g) => ({ key: g.key, name: g.name, devices: g.devices, figure: g.values[0] ?? null, points: points(windows.get(g.key) ?? []) })) }
}
/** The address of the windows that are drawn as CSV. */
export const csvOfMany = (a: Asked): string => '/api/v1' + query(a, every(a).every, a.top || DRAWN_MOST) + '&format=csv'

/** What a figure is measured in, where readings are in that unit. */
export function unitOfAggregate(agg: Aggregate, unit: string): string {
  if (agg === 'count' || (!unit && agg !== 'rate')) return ''
  return agg === 'rate' ? unit + '/s' : agg !== 'integral' ? unit : /^[kM]?W$/.test(unit) ? unit + 'h' : unit + '·h'
}

// ---- what the address says ----
const number = (v: unknown): number => (typeof v === 'string' && /^\d{1,15}$/.test(v) ? Number(v) : NaN)
/** A stretch of time that stands still; null: the address names none. */
export function fixedOf(from: unknown, to: unknown): Range | null {
  const r = { from: number(from), to: number(to) }
  return r.from < r.to && r.to - r.from <= LONGEST ? r : null
}
/** The address of the same view for somebody else, at any later time: what is seen now stands still there. */
export function linkTo(query: Record<string, unknown>, shown: { metric: string; range: Range; community?: string }): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query)) if (typeof v === 'string' && v && k !== 'range') q.set(k, v)
  q.set('metric', shown.metric)
  if (shown.community) q.set('community', shown.community)
  q.set('from', String(Math.floor(shown.range.from)))
  q.set('to', String(Math.ceil(shown.range.to)))
  return '/charts?' + q.toString()
}
