// What a person arranges for himself: columns and views of a list, kept in this browser by user and resource.
import { ref, type Ref } from 'vue'
import type { LocationQuery } from 'vue-router'
import { meta, type Field, type Resource } from '@/shared/meta'

export interface OwnView { name: string; query: Record<string, string> }
export interface Kept { columns?: string[]; views?: OwnView[] }
export const VIEWS_MAX = 12
const key = (resource: string): string => `linli.list.${meta.d?.me.id ?? ''}.${resource}`

/** Only what has the expected shape; a browser's store may hold anything. */
export function readKept(text: string | null): Kept {
  try {
    const k = JSON.parse(text ?? '{}') as { columns?: unknown; views?: unknown }
    const columns = Array.isArray(k.columns) ? k.columns.filter((c): c is string => typeof c === 'string') : undefined
    const views = Array.isArray(k.views) ? (k.views as OwnView[]).filter((v) => typeof v?.name === 'string' && typeof v.query === 'object' && v.query !== null).slice(0, VIEWS_MAX) : undefined
    return { columns: columns?.length ? columns : undefined, views }
  } catch { return {} }
}
export function useKept(resource: string): { kept: Ref<Kept>; keep: (k: Kept) => void } {
  const kept = ref<Kept>(readKept(localStorage.getItem(key(resource))))
  const keep = (k: Kept): void => { kept.value = k; localStorage.setItem(key(resource), JSON.stringify(k)) }
  return { kept, keep }
}

/** Fields that a table can show: the state has a column of its own, long texts and files do not fit a row. */
export const showable = (r: Resource): Field[] => r.fields.filter((f) => f.type !== 'state' && !['json', 'lines', 'file', 'geo'].includes(f.type))
export const COLUMNS_DEFAULT = 7
/** The columns in the order chosen, those of the description where nothing was chosen; a field that is gone is left out. */
export function columnsOf(r: Resource, chosen: string[] | undefined): Field[] {
  const all = showable(r)
  const mine = (chosen ?? []).map((n) => all.find((f) => f.name === n)).filter((f): f is Field => !!f)
  return mine.length ? mine : all.filter((f) => f.list?.default).slice(0, COLUMNS_DEFAULT)
}
const parts = ['view', 'q', 'sort', 'archived']
/** What of an address is a list's own (filter, search, order), sorted, so that two can be compared. */
export function ownQuery(q: LocationQuery | Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(q).filter((e): e is [string, string] => typeof e[1] === 'string' && e[1] !== '' && (parts.includes(e[0]) || e[0].startsWith('f.')))
    .sort(([a], [b]) => (a < b ? -1 : 1)))
}
export const sameQuery = (a: LocationQuery | Record<string, string>, b: LocationQuery | Record<string, string>): boolean => JSON.stringify(ownQuery(a)) === JSON.stringify(ownQuery(b))
