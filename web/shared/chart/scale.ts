// What of time a chart shows, into which windows it is cut, and round ticks: of values, and of time on the community's clock.
import { fromWall, toWall } from '../wall'

export const DAY_MS = 86400e3
export interface Range { from: number; to: number }
export const LEFT = 52, RIGHT = 14 // of a plot, beside what is drawn
const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = DAY_MS
export const SHORTEST = 2 * MINUTE, LONGEST = 1096 * DAY // so long are readings kept
export const presets = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY }
export type Preset = keyof typeof presets

// ---- windows ----
const WINDOWS_MOST = 700
const windows: [string, number][] = [['1s', 1e3], ['2s', 2e3], ['5s', 5e3], ['10s', 10e3], ['15s', 15e3], ['30s', 30e3], ['1m', MINUTE], ['2m', 2 * MINUTE], ['5m', 5 * MINUTE], ['10m', 10 * MINUTE],
  ['15m', 15 * MINUTE], ['30m', 30 * MINUTE], ['1h', HOUR], ['2h', 2 * HOUR], ['3h', 3 * HOUR], ['6h', 6 * HOUR], ['12h', 12 * HOUR], ['1d', DAY], ['2d', 2 * DAY], ['7d', 7 * DAY], ['14d', 14 * DAY]]
export interface Window { every: string; ms: number }
/** How long "5m" or "1h" is; 0 for what is no window. */
export const lengthOf = (every: string | undefined): number => { const m = /^([1-9]\d{0,5})([mh])$/.exec(every ?? ''); return m ? Number(m[1]) * (m[2] === 'm' ? MINUTE : HOUR) : 0 }
/** The shortest window of which a range needs no more than there is room for: `apart` pixels each, and never above 700.  So near that a year on a phone is one of days. */
export function windowFor(ms: number, width: number, apart = 0.75): Window {
  const most = Math.max(20, Math.min(WINDOWS_MOST, Math.floor(width / apart)))
  const [every, length] = windows.find(([, w]) => ms / w <= most) ?? windows[windows.length - 1]!
  return { every, ms: length }
}

// ---- moving about ----
/** A range of that width, between the shortest and the longest, that does not reach past `now`. */
function fitted(from: number, width: number, now: number): Range {
  const w = Math.min(LONGEST, Math.max(SHORTEST, width)), to = Math.min(now, from + w)
  return { from: Math.round(to - w), to: Math.round(to) }
}
export const panned = (r: Range, by: number, now: number): Range => fitted(r.from + by, r.to - r.from, now)
/** Zoomed by a factor (2: twice as much time), what is at `about` stays where it is as far as it can. */
export function zoomed(r: Range, factor: number, about: number, now: number): Range {
  const w = Math.min(LONGEST, Math.max(SHORTEST, (r.to - r.from) * factor))
  return fitted(about - (about - r.from) / (r.to - r.from) * w, w, now)
}
/** Between two moments, in any order. */
export const between = (a: number, b: number, now: number): Range => fitted(Math.min(a, b) - Math.max(0, SHORTEST - Math.abs(a - b)) / 2, Math.abs(a - b), now)
export const presetOf = (r: Range): Preset | null => (Object.keys(presets) as Preset[]).find((k) => presets[k] === r.to - r.from) ?? null

// ---- values ----
/** Round values inside low..high, about n of them: steps of 1, 2, 2.5 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, n = 5): number[] {
  const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= rough) ?? 10 * power
  const ticks: number[] = []
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9 && ticks.length < 20; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}
/** How many digits after the point tell ticks apart. */
export function tickDigits(ticks: number[]): number {
  const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : ticks[0] ?? 1
  for (let d = 0; d < 6; d++) if (Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6 * Math.max(1, step * 10 ** d)) return d
  return 6
}
/** How many digits after the point a value is worth beside others that lie within `spread`: about a 150th of it. */
export const valueDigits = (spread: number): number => Math.min(6, Math.max(0, Math.ceil(-Math.log10(spread / 150))))
/** A value with that many digits, none dropped. */
export const figure = (v: number, digits: number): string => v.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
/** From lowest to highest with some air; a flat line stands in the middle. */
export function stretched(values: number[]): { low: number; high: number } {
  if (!values.length) return { low: 0, high: 1 }
  let low = Infinity, high = -Infinity
  for (const v of values) { if (v < low) low = v; if (v > high) high = v }
  if (low === high) { const by = Math.abs(low) * 0.05 || 1; low -= by; high += by }
  const air = (high - low) * 0.08
  return { low: low >= 0 && low - air < 0 ? 0 : low - air, high: high + air }
}

// ---- times ----
export interface Tick { at: number; unit: 'minute' | 'day' | 'month' | 'year' }
const minuteSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720], daySteps = [1, 2, 7, 14], monthSteps = [1, 2, 3, 6, 12, 24]
const TICKS_MOST = 60
const wall = (day: number, minute = 0): string => new Date(day * DAY + minute * MINUTE).toISOString().slice(0, 16)
/** At most about n times that are round on the zone's clock: minutes, hours, midnights, Mondays, firsts of months.  An hour that a clock skips has none. */
export function timeTicks(from: number, to: number, zone: string, n = 7): Tick[] {
  const ms = to - from, ticks: Tick[] = [], begin = toWall(from, zone), day = Math.floor(Date.parse(begin.slice(0, 10) + 'T00:00Z') / DAY)
  const add = (w: string, unit: Tick['unit']): boolean => {
    const at = fromWall(w, zone)
    if (at !== null && at >= from && at <= to && (unit !== 'minute' || toWall(at, zone) === w)) ticks.push({ at, unit })
    return at !== null && at <= to && ticks.length < TICKS_MOST
  }
  const minutes = minuteSteps.find((s) => ms / (s * MINUTE) <= n), days = daySteps.find((s) => ms / (s * DAY) <= n)
  if (minutes !== undefined) {
    const first = Math.floor((Number(begin.slice(11, 13)) * 60 + Number(begin.slice(14, 16))) / minutes) * minutes
    for (let m = first; add(wall(day, m), m % 1440 ? 'minute' : 'day'); m += minutes);
  } else if (days !== undefined) {
    const first = days < 7 ? Math.floor(day / days) * days : Math.floor((day + 3) / days) * days - 3 // day 0 was a Thursday
    for (let d = first; add(wall(d), 'day'); d += days);
  } else {
    const step = monthSteps.find((s) => ms / (s * 30.4 * DAY) <= n) ?? 60
    const month = Number(begin.slice(0, 4)) * 12 + Number(begin.slice(5, 7)) - 1
    for (let m = Math.floor(month / step) * step; add(`${Math.floor(m / 12)}-${String(m % 12 + 1).padStart(2, '0')}-01T00:00`, m % 12 ? 'month' : 'year'); m += step);
  }
  return ticks
}
