// What rows are called that lines of a form or a detail point to: the server says so for a row's own fields only.
import { reactive, watch, type Ref } from 'vue'
import { get, type Row } from '@/shared/api'
import { label } from '@/shared/format'
import { resource, type Field } from '@/shared/meta'

export type Line = Record<string, unknown>
export function useLineNames(fields: () => Field[], lines: Ref<Line[]>) {
  const names = reactive<Record<string, string>>({}) // by resource and id
  const key = (f: Field, id: unknown): string => `${f.ref?.resource ?? ''}/${String(id)}`
  async function find(f: Field, id: unknown): Promise<void> {
    const r = f.ref ? resource(f.ref.resource) : undefined
    if (!r || key(f, id) in names) return
    names[key(f, id)] = ''
    try { names[key(f, id)] = label(r, await get<Row>('/' + key(f, id))) } catch { /* not for this reader */ }
  }
  watch(lines, (all) => { for (const f of fields()) if (f.type === 'ref') for (const l of all) if (l[f.name]) void find(f, l[f.name]) }, { immediate: true })
  /** Of a line, by field, as rows have them. */
  const labels = (l: Line): Record<string, string> => Object.fromEntries(fields().filter((f) => f.type === 'ref' && l[f.name]).map((f) => [f.name, names[key(f, l[f.name])] ?? '']))
  return { labels }
}
