// Rows from a CSV file: read, matched with the fields of a resource, made one by one.
import { get, Problem, type Page } from '@/shared/api'
import { codedBy, type Coded } from '@/shared/codes'
import { t } from '@/shared/i18n'
import { resource, zone, type Field, type Resource } from '@/shared/meta'
import { fromWall } from '@/shared/wall'
import { asksCommunity, COMMUNITY, communityField } from './community'
import { calledExactly, same } from './lookup'

export const IMPORT_MOST = 5000
/** RFC 4180, also with semicolons or tabs between; blank lines are none. */
export function parseCsv(text: string): string[][] {
  const head = text.split('\n', 1)[0] ?? ''
  const between = [',', ';', '\t'].map((c) => [c, head.split(c).length] as const).reduce((a, b) => (b[1] > a[1] ? b : a))[0]
  const rows: string[][] = []
  let row: string[] = [], cell = '', quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') { cell += '"'; i++ } else quoted = false
    } else if (c === '"' && !cell) quoted = true
    else if (c === between) { row.push(cell); cell = '' }
    else if (c === '\n' || c === '\r') { if (c === '\r' && text[i + 1] === '\n') i++; row.push(cell); if (row.some((x) => x.trim())) rows.push(row); row = []; cell = '' }
    else cell += c
  }
  row.push(cell)
  if (row.some((x) => x.trim())) rows.push(row)
  return rows
}
export const toCsv = (rows: string[][]): string => '\ufeff' + rows.map((r) => r.map((c) => (/[",\r\n]/.test(c) ? '"' + c.replaceAll('"', '""') + '"' : c)).join(',')).join('\r\n') + '\r\n'
/** UTF-8 with or without its mark, else what office programs here write. */
export function decodeText(bytes: ArrayBuffer): string {
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch { return new TextDecoder('gb18030').decode(bytes) }
}

/** Models as files have them: a list, an object of models, or one; null: it is no such file. */
export function modelsOf(text: string): Record<string, unknown>[] | null {
  const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
  let all: unknown
  try { all = JSON.parse(text) } catch { return null }
  if (isObject(all)) all = Array.isArray(all.models) ? all.models : 'code' in all ? [all] : null
  return Array.isArray(all) && all.length && all.every(isObject) ? all : null
}
/** What a column may be for: fields that somebody types; where it must be said, whose the row is. */
export const importable = (r: Resource): Field[] => [...(asksCommunity(r) ? [communityField()] : []), ...r.fields.filter((f) => !f.readonly && !['state', 'file', 'lines', 'refs', 'geo'].includes(f.type) && f.class !== 'secret')]
export const fieldOfColumn = (fields: Field[], name: string): Field | undefined => fields.find((f) => [f.name, f.title.zh, f.title.en].some((n) => same(n ?? '', name)))

export class BadCell extends Error { constructor(readonly field: string, words: string) { super(words) } }
const YES = ['1', 'true', 'yes', '是', '√'], NO = ['0', 'false', 'no', '否', '×']
const PAGE = 200
/** All codes of a resource with the names that people call them by. */
async function coded(c: Coded): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (let next: string | null = ''; next !== null;) {
    const page: Page = await get<Page>(`/${c.resource}?limit=${PAGE}${next ? '&cursor=' + encodeURIComponent(next) : ''}`)
    for (const x of page.items) for (const n of new Set([x[c.code], x[c.label], x[c.label + '_en']].filter(Boolean).map((k) => String(k).trim().toLowerCase()))) found.set(n, [...(found.get(n) ?? []), String(x[c.code])])
    next = page.next
  }
  return found
}
/** A cell as the server wants it: names of rows become their ids, those of models their codes. Names are looked up in the community, where one is said. */
export function reader(owner = ''): (f: Field, cell: string, community?: string) => Promise<unknown> {
  const found = new Map<string, Promise<string>>(), codes = new Map<string, Promise<Map<string, string[]>>>()
  const once = <T>(all: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> => { const p = all.get(key) ?? ask(); all.set(key, p); p.catch(() => all.delete(key)); return p }
  const one = (all: string[], name: string): string => { if (all.length !== 1) throw new Error(t(all.length ? 'import.several' : 'import.noSuch', { name })); return all[0]! }
  const byName = async (of: string, name: string, here: string): Promise<string> => one((await calledExactly(resource(of), of, name, (x) => !here || !x[COMMUNITY] || x[COMMUNITY] === here)).map((x) => x.id), name)
  const byCode = async (c: Coded, name: string): Promise<string> => {
    const all = await once(codes, c.resource, () => coded(c)), hits = all.get(name.toLowerCase()) ?? []
    return hits.find((x) => same(x, name)) ?? one(hits, name)
  }
  function number(f: Field, s: string): number {
    const n = Number(s.replaceAll(',', ''))
    if (!Number.isFinite(n) || (f.type === 'int' && !Number.isInteger(n))) throw new Error(t('import.notNumber', { cell: s }))
    return f.type === 'money' ? Math.round(n * 100) : n
  }
  function time(s: string): number {
    const ms = fromWall(s.replaceAll('/', '-').replace(/ +/, 'T'), zone()) ?? (/[-+]\d\d:?\d\d$|Z$/.test(s) ? Date.parse(s) : NaN)
    if (Number.isNaN(ms)) throw new Error(t('import.notTime', { cell: s }))
    return ms
  }
  async function value(f: Field, s: string, here: string): Promise<unknown> {
    const c = codedBy(owner, f.name)
    if (f.type === 'ref' && f.ref) return /^\d{15,19}$/.test(s) ? s : once(found, `${f.ref.resource}/${here}/${s}`, () => byName(f.ref!.resource, s, here))
    if (c) return byCode(c, s)
    if (f.type === 'choice') { const o = f.options?.find((x) => [x.v, x.t.zh, x.t.en].some((n) => same(n ?? '', s))); if (!o) throw new Error(t('import.noChoice', { cell: s })); return o.v }
    if (f.type === 'flag') { const v = s.toLowerCase(); if (![...YES, ...NO].includes(v)) throw new Error(t('import.notFlag', { cell: s })); return YES.includes(v) }
    if (['money', 'int', 'decimal'].includes(f.type)) return number(f, s)
    return f.type === 'time' ? time(s) : s
  }
  return async (f, cell, community = '') => { try { return await value(f, cell.trim(), community) } catch (e) { if (e instanceof Problem) throw e; throw new BadCell(f.name, e instanceof Error ? e.message : '') } }
}
