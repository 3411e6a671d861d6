// What begins with a row: rows of other resources that are made for it, and cannot be made for another afterwards.
import { both } from '@/shared/i18n'
import { meta, resource, type Field } from '@/shared/meta'

export interface Begin { to: string; title: string }
const isFor = (f: Field, name: string): boolean => f.type === 'ref' && f.required && !!f.fixed && f.ref?.resource === name
/** Links to forms that have the row filled in, and the reader where a person is asked for and he may register none. */
export function beginsWith(name: string, id: string): Begin[] {
  return (meta.d?.resources ?? []).filter((r) => r.rights.includes('create')).flatMap((r) => r.fields.filter((f) => isFor(f, name)).map((f) => {
    const query = new URLSearchParams({ ['v.' + f.name]: id })
    const self = name !== 'people' && !resource('people')?.rights.includes('create') ? r.fields.find((x) => isFor(x, 'people')) : undefined
    if (self) query.set('v.' + self.name, meta.d!.me.id)
    return { to: `/${r.name}/new?${query}`, title: both(r.title) }
  }))
}
