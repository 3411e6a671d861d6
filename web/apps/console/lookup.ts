// Rows by what people call them: those that are called exactly so come first, however many others hold the same words.
import { get, type Page, type Row } from '@/shared/api'
import { fieldOf, type Resource } from '@/shared/meta'

const PAGE = 200
export const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase()
// To the server a comma stands between several values, and these words for none and any.
const plain = (words: string): boolean => !!words && !words.includes(',') && !['null', 'notnull'].includes(words)
/** What a row can be asked for by exactly: what it is shown by, its code or number. Of a resource that is not described, its name. */
export const namesOf = (r: Resource | undefined): string[] => (!r ? ['name'] : [...new Set([r.label_field ?? '', 'name', 'title', 'code', 'number'])].filter((n) => { const f = fieldOf(r, n); return f?.type === 'text' && !!f.list?.filter }))
const exact = async (path: string, field: string, words: string, limit: number): Promise<Row[]> => (await get<Page>(`/${path}?f.${field}=${encodeURIComponent(words)}&limit=${limit}`)).items
const found = async (path: string, words: string, limit: number): Promise<Row[]> => (await get<Page>(`/${path}?limit=${limit}${words ? '&q=' + encodeURIComponent(words) : ''}`)).items

/** What is offered to somebody who types: exact ones on top, then what holds the words. */
export async function lookUp(r: Resource, words: string, most: number): Promise<Row[]> {
  const asks = plain(words) ? namesOf(r).map((n) => exact(r.name, n, words, most).catch(() => [])) : []
  const all = (await Promise.all([...asks, found(r.name, words, most)])).flat()
  return all.filter((x, i) => all.findIndex((y) => y.id === x.id) === i).slice(0, most)
}
/** All that are called exactly this and fit, by the first of their names that some are called by; letters may be small or large. */
export async function calledExactly(r: Resource | undefined, path: string, words: string, fits: (x: Row) => boolean): Promise<Row[]> {
  for (const n of plain(words) ? namesOf(r) : []) {
    const hits = (await exact(path, n, words, PAGE)).filter((x) => same(String(x[n] ?? ''), words) && fits(x))
    if (hits.length) return hits
  }
  return (await found(path, words, PAGE)).filter((x) => ['name', 'title', 'code', 'number', 'path'].some((k) => same(String(x[k] ?? ''), words)) && fits(x))
}
