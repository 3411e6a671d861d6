// What a free text may well be: known values with their words.
import { eventsOf, metricsOf } from '@/shared/metrics'
import { events, eventWords } from '@/shared/wire'

export interface Suggestion { v: string; t: string }
/** For a field of a form, by what else stands in the form. */
export function suggestionsFor(owner: string, field: string, values: Record<string, unknown>): Suggestion[] {
  if (owner !== 'rules') return []
  if (field === 'metric') return metricsOf(values.model)
  if (field !== 'event_code') return []
  const own = values.model ? eventsOf(values.model) : []
  return own.length ? own : Object.keys(events).filter((v) => v !== 'normal').map((v) => ({ v, t: eventWords(v) }))
}
