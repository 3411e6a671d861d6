// What the server says of itself: resources, fields, states, rights.  Pages are drawn from it.
import { reactive } from 'vue'
import { get } from './api'
import type { Both } from './i18n'
import { setLanguage } from './i18n'

export type Tone = 'bad' | 'warn' | 'info' | 'ok' | 'off'
export interface Option { v: string; t: Both; tone?: Tone | null }
export interface Field {
  name: string; type: string; title: Both; help?: Both | null; required: boolean; readonly: boolean; fixed: boolean; unique?: boolean
  min?: number | null; max?: number | null; class?: string; mask?: boolean; unit?: string | null; scale?: number | null
  options?: Option[] | null; ref?: { resource: string; label: string | null } | null; fields?: Field[]
  list?: { default: boolean; sort: boolean; filter: boolean } | null; form?: { group: string; span: number; when: null } | null
}
export interface Action { name: string; title: Both; from: string[]; to: string | null; danger: boolean; takes: string[]; need: string[] }
export interface Resource {
  name: string; path: string; group: string | null; icon?: string; label_field: string | null; title: Both; help?: Both | null; rights: string[]
  fields: Field[]; form_groups?: { name: string; title: Both }[]
  state?: { field: string | null; values: Option[]; actions: Action[]; steps?: Record<string, Both> } | null
  views?: { name: string; title: Both; filter: Record<string, string>; sort: string | null }[]
}
export interface Describe {
  version: string
  me: { id: string; name: string; user: string; roles: string[]; language: string }
  communities: { id: string; code: string; name: string; zone: string }[]
  groups: { name: string; title: Both }[]
  resources: Resource[]
}
export const meta = reactive({ d: null as Describe | null })

export async function loadMeta(): Promise<void> {
  meta.d = await get<Describe>('/describe')
  if (!localStorage.getItem('linli.language')) setLanguage(meta.d.me.language === 'en' ? 'en' : 'zh')
}
export function forgetMeta(): void { meta.d = null }
export const resource = (name: string): Resource | undefined => meta.d?.resources.find((r) => r.name === name)
export const fieldOf = (r: Resource, name: string): Field | undefined => r.fields.find((f) => f.name === name)
export const zone = (): string => meta.d?.communities[0]?.zone || 'Asia/Shanghai'
export function stateOption(r: Resource | undefined, v: unknown): Option | undefined { return r?.state?.values.find((o) => o.v === v) }
