// The kinds of events in a story, so that it can be looked at by them.
import { roleWords } from './choices'
import { t } from '@/shared/i18n'
import { time } from '@/shared/format'
import { metricWords } from '@/shared/metrics'
import type { Actor, HistoryItem } from './useRow'
/** A person as his role and his name as far as the reader may see it; nothing for the program itself. */
export const whoWords = (a: Actor): string => (a.id ? [roleWords(a.roles), a.name].filter(Boolean).join(' ') : '')
export type Kind = 'notes' | 'photos' | 'steps'
export function kindsOf(h: HistoryItem): Kind[] {
  const kinds: Kind[] = []
  if (h.reason || h.changes.some((c) => c.field === 'note' && !!c.to)) kinds.push('notes')
  if (h.changes.some((c) => c.field === 'photos' && Array.isArray(c.to) && c.to.length)) kinds.push('photos')
  if (h.verb === 'create' || (h.step && h.step !== 'note')) kinds.push('steps')
  return kinds
}
const seconds = (ms: number): string => time(ms) + ':' + String(Math.floor(ms / 1000) % 60).padStart(2, '0')
/** What was erased and why, as the server keeps it, "why (metric from/to)", in the reader's words and on his clock. */
export function erasedWords(reason: string | null): string {
  const m = /^([^]*) \((.+) (\S+)\/(\S+)\)$/.exec(reason ?? ''), from = Date.parse(m?.[3] ?? ''), to = Date.parse(m?.[4] ?? '')
  if (!m || Number.isNaN(from) || Number.isNaN(to)) return reason ?? ''
  return t('erase.told', { reason: m[1]!, metric: m[2] === '*' ? t('erase.all') : metricWords(m[2]!), from: seconds(from), to: seconds(to) })
}
