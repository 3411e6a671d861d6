// The kinds of events in a story, so that it can be looked at by them.
import type { HistoryItem } from './useRow'
export type Kind = 'notes' | 'photos' | 'steps'
export function kindsOf(h: HistoryItem): Kind[] {
  const kinds: Kind[] = []
  if (h.reason || h.changes.some((c) => c.field === 'note' && !!c.to)) kinds.push('notes')
  if (h.changes.some((c) => c.field === 'photos' && Array.isArray(c.to) && c.to.length)) kinds.push('photos')
  if (h.verb === 'create' || (h.step && h.step !== 'note')) kinds.push('steps')
  return kinds
}
