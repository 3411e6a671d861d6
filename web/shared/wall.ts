// Wall clocks and money of a form: what people type, and what the server stores.
const clocks = new Map<string, Intl.DateTimeFormat>() // one a zone: making one takes far longer than asking it
function clockOf(zone: string): Intl.DateTimeFormat {
  const c = clocks.get(zone) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
  clocks.set(zone, c)
  return c
}
function offsetMs(ms: number, zone: string): number {
  const p = Object.fromEntries(clockOf(zone)
    .formatToParts(ms).map((x) => [x.type, x.value])) as Record<string, string>
  return Date.UTC(+p.year!, +p.month! - 1, +p.day!, +p.hour!, +p.minute!, +p.second!) - Math.floor(ms / 1000) * 1000
}
/** 2026-11-24T10:42 on the clock of the zone. */
export const toWall = (ms: number, zone: string): string => toWallSeconds(ms, zone).slice(0, 16)
/** 2026-11-24T10:42:05 */
export const toWallSeconds = (ms: number, zone: string): string => new Date(ms + offsetMs(ms, zone)).toISOString().slice(0, 19)
/** UTC milliseconds of a wall clock; null where it is none. */
export function fromWall(wall: string, zone: string): number | null {
  const [, minute, second] = /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?$/.exec(wall) ?? [] // Date.parse alone takes "soon:00Z" for a year
  const at = minute ? Date.parse(minute + (second ?? ':00') + 'Z') : NaN
  return Number.isNaN(at) ? null : at - offsetMs(at - offsetMs(at, zone), zone)
}
/** Integer cents of "1,234.5", "¥12" or "-3.05"; null where it is no sum or finer than a cent. */
export function parseMoney(s: string): number | null {
  const m = /^([-−]?)(\d+)(?:\.(\d{1,2}))?$/.exec(s.replace(/[¥,\s]/g, ''))
  if (!m) return null
  const cents = Number(m[2]) * 100 + Number((m[3] ?? '').padEnd(2, '0'))
  return m[1] ? -cents : cents
}
