// Text fields that hold the code of a row elsewhere: which resource to look the code up in, and the names once known.
import { reactive } from 'vue'
import { get, type Page } from './api'
import { both, language } from './i18n'
import { fieldOf, resource } from './meta'

export interface Coded { resource: string; code: string; label: string }
const fields: Record<string, Coded> = {
  'cases.type': { resource: 'case_types', code: 'code', label: 'name' }, 'rules.case_type': { resource: 'case_types', code: 'code', label: 'name' },
  'alarms.case_type': { resource: 'case_types', code: 'code', label: 'name' }, 'devices.model': { resource: 'device_models', code: 'code', label: 'name' },
  'rules.model': { resource: 'device_models', code: 'code', label: 'name' }
}
const known = reactive<Record<string, { code: string; label: string; en: string; kind: string }[]>>({})
const asked = new Set<string>()

/** Where the code of this field is looked up; nothing for a caller who may not read there. */
export function codedBy(owner: string, field: string): Coded | undefined {
  const c = fields[`${owner}.${field}`]
  return c && resource(c.resource)?.rights.includes('read') ? c : undefined
}
/** The choices of a coded field; asks the server once, and fills itself in. */
export function choicesOf(c: Coded): { code: string; label: string }[] {
  if (!asked.has(c.resource)) {
    asked.add(c.resource)
    get<Page>(`/${c.resource}?limit=200`).then((p) => {
      known[c.resource] = p.items.map((x) => ({ code: String(x[c.code]), label: String(x[c.label] ?? x[c.code]), en: String(x[c.label + '_en'] ?? ''), kind: String(x.category ?? '') }))
    }).catch(() => { asked.delete(c.resource) })
  }
  return (known[c.resource] ?? []).map((x) => ({ code: x.code, label: both({ zh: x.label, en: x.en }) }))
}
/** The same by category, in the order of categories, by name in each; what has none stands as it came, under no title. */
export function choiceGroups(c: Coded): { title: string; all: { code: string; label: string }[] }[] {
  const all = choicesOf(c), kindOf = new Map((known[c.resource] ?? []).map((x) => [x.code, x.kind]))
  const kinds = fieldOf(resource(c.resource)!, 'category')?.options ?? []
  const bare = all.filter((x) => !kinds.some((o) => o.v === kindOf.get(x.code)))
  return [...kinds.map((o) => ({ title: both(o.t), all: all.filter((x) => kindOf.get(x.code) === o.v).sort((a, b) => a.label.localeCompare(b.label, language.value)) })), { title: '', all: bare }].filter((g) => g.all.length)
}
export function codeLabel(owner: string, field: string, code: string): string | undefined {
  const c = codedBy(owner, field)
  return c && choicesOf(c).find((x) => x.code === code)?.label
}
export function forgetCodes(): void { asked.clear(); for (const k of Object.keys(known)) delete known[k] }
