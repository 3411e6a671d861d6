// Rows from a CSV file: read, matched with the fields of a resource, made one by one.
import { get, type Page } from '@/shared/api'
import { t } from '@/shared/i18n'
import type { Field, Resource } from '@/shared/meta'

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

/** What a column may be for: fields that somebody types. */
export const importable = (r: Resource): Field[] => r.fields.filter((f) => !f.readonly && !['state', 'file', 'lines', 'refs', 'geo'].includes(f.type) && f.class !== 'secret')
const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase()
export const fieldOfColumn = (fields: Field[], name: string): Field | undefined => fields.find((f) => [f.name, f.title.zh, f.title.en].some((n) => same(n ?? '', name)))

export class BadCell extends Error { constructor(readonly field: string, words: string) { super(words) } }
/** A cell as the server wants it; names of rows become their ids. */
export function reader(): (f: Field, cell: string) => Promise<unknown> {
  const found = new Map<string, Promise<string>>()
  const byName = async (resource: string, name: string): Promise<string> => {
    const page = await get<Page>(`/${resource}?q=${encodeURIComponent(name)}&limit=20`)
    const all = page.items.filter((x) => ['name', 'title', 'code', 'path'].some((k) => same(String(x[k] ?? ''), name)))
    if (all.length !== 1) throw new Error(t(all.length ? 'import.several' : 'import.noSuch', { name }))
    return all[0]!.id
  }
  return async (f, cell) => {
    const s = cell.trim()
    if (f.type === 'ref' && f.ref) {
      if (/^\d{15,19}$/.test(s)) return s
      const key = f.ref.resource + '/' + s
      if (!found.has(key)) found.set(key, byName(f.ref.resource, s))
      try { return await found.get(key)! } catch (e) { throw new BadCell(f.name, e instanceof Error ? e.message : '') }
    }
    if (f.type === 'choice') return f.options?.find((o) => [o.v, o.t.zh, o.t.en].some((n) => same(n ?? '', s)))?.v ?? s
    if (f.type === 'flag') return ['1', 'true', 'yes', '是', '√'].includes(s.toLowerCase())
    if (f.type === 'money') return Math.round(Number(s.replaceAll(',', '')) * 100)
    if (f.type === 'int' || f.type === 'decimal') return Number(s.replaceAll(',', ''))
    if (f.type === 'time') return Date.parse(s)
    return s
  }
}
