// What needs doing now: which rows stand on the first page, in which order, and who has how much in hand.
import type { Row } from '@/shared/api'
import { current, type Limit } from './limits'

export type Group = 'alarms' | 'due' | 'verify'
export interface Work { group: Group; name: 'alarms' | 'cases'; row: Row; its: Row | null; limit: Limit | undefined }
export const DONE = 'done'
const rank = (s: unknown): number => (s === 'bad' ? 0 : s === 'warn' ? 1 : 2)
const n = (v: unknown): number => (typeof v === 'number' ? v : 0)

/** Near: past 80 % of the limit that runs, urgent, or not taken by anybody yet. */
export function isNear(c: Row, now: number): boolean {
  const l = current(c, now)
  return c.priority === 'urgent' || !!c.late || (c.state === 'new' && !c.assignee_id) || (!!l && (l.tone === 'bad' || l.tone === 'warn'))
}
/**
 * New alarms first, bad above warn; then cases that are near their limit, by time left; then what waits for a check.  The case of
 * an alarm that is still new stands with the alarm, not a second time below.
 */
export function workOf(alarms: Row[], open: Row[], done: Row[], now: number): { work: Work[]; calm: Row[] } {
  const byAlarm = new Map(open.filter((c) => c.alarm_id).map((c) => [String(c.alarm_id), c]))
  const news = [...alarms].sort((a, b) => rank(a.severity) - rank(b.severity) || n(b.since_ms) - n(a.since_ms))
    .map((row): Work => { const its = byAlarm.get(row.id) ?? null; return { group: 'alarms', name: 'alarms', row, its, limit: its ? current(its, now) : undefined } })
  const shown = new Set(news.map((w) => w.its?.id))
  const rest = open.filter((c) => !shown.has(c.id)).sort((a, b) => (current(a, now)?.due ?? Infinity) - (current(b, now)?.due ?? Infinity))
  const asWork = (group: Group) => (row: Row): Work => ({ group, name: 'cases', row, its: row, limit: current(row, now) })
  return { work: [...news, ...rest.filter((c) => isNear(c, now)).map(asWork('due')), ...done.map(asWork('verify'))], calm: rest.filter((c) => !isNear(c, now)) }
}
export interface Hand { id: string; name: string; role: unknown; cases: Row[] }
/** Those with the roles that go and do it, free ones first; one person with two roles counts once. */
export function handsOf(members: Row[], open: Row[]): Hand[] {
  const seen = new Map<string, Hand>()
  for (const m of members) {
    const id = String(m.person_id)
    if (!seen.has(id)) seen.set(id, { id, name: String(m._labels.person_id ?? ''), role: m.role, cases: open.filter((c) => c.assignee_id === id) })
  }
  return [...seen.values()].sort((a, b) => a.cases.length - b.cases.length || a.name.localeCompare(b.name, 'zh'))
}
