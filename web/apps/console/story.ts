// The kinds of events in a story, so that it can be looked at by them.
import { roleWords } from './choices'
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
