// Forms that fit what they are for: which fields of a line matter for its kind and the way it is reached, and in which groups
// fields stand. describe has neither; what is here is what docs/lines.md says, and a test holds it against the server's fields.
import { both, t, type Key } from '@/shared/i18n'
import type { Field, Resource } from '@/shared/meta'
import { COMMUNITY } from './community'
import { WITH_SECRET } from './fitting'

type Values = Record<string, unknown>
interface Group { title: Key; fields: readonly string[] }
const groups: Record<string, readonly Group[]> = {
  lines: [
    { title: 'form.main', fields: [COMMUNITY, 'name', 'kind', 'enabled'] },
    { title: 'group.way', fields: ['reach', 'bind', 'host', 'port', 'tls', 'topics', 'greeting', 'senders'] },
    { title: 'group.serial', fields: ['serial', 'baud', 'parity', 'stop_bits'] },
    { title: 'group.login', fields: ['username', 'secret'] },
    { title: 'group.asking', fields: ['every_s', 'numbers'] }
  ],
  device_models: [
    { title: 'form.main', fields: ['code', 'name', 'name_en', 'category', 'protocol', 'icon'] },
    { title: 'group.upkeep', fields: ['upkeep', 'upkeep_days'] },
    { title: 'group.metrics', fields: ['metrics'] },
    { title: 'group.events', fields: ['events'] },
    { title: 'group.commands', fields: ['commands'] },
    { title: 'group.rules', fields: ['rules'] }
  ]
}
export interface Grouped { name: string; title: string; fields: Field[] }
/** Fields by group, in order; what no group names stands in the first. */
export function groupsOf(r: Resource, fields: Field[]): Grouped[] {
  const own = groups[r.name], nameOf = (f: Field): string => f.form?.group ?? 'main'
  if (!own) return [...new Set(fields.map(nameOf))].map((n) => ({ name: n, title: both(r.form_groups?.find((g) => g.name === n)?.title) || t('form.main'), fields: fields.filter((f) => nameOf(f) === n) }))
  const homeless = fields.filter((f) => !own.some((g) => g.fields.includes(f.name)))
  return own.map((g, i) => ({ name: g.title, title: t(g.title), fields: [...fields.filter((f) => g.fields.includes(f.name)), ...(i ? [] : homeless)].sort((a, b) => at(g, a) - at(g, b)) })).filter((g) => g.fields.length)
}
const at = (g: Group, f: Field): number => (g.fields.indexOf(f.name) + g.fields.length + 1) % (g.fields.length + 1)

// ---- lines ----
const LISTEN = ['bind', 'port'], DIAL = ['host', 'port'], SERIAL = ['serial', 'baud', 'parity', 'stop_bits'], DTU = [...LISTEN, 'greeting', 'senders']
/** What a kind asks for; by the way it is reached, where there is a choice. */
type Ways = Readonly<Record<string, readonly string[]>>
const asked = (ways: Ways, ...more: string[]): Ways => Object.fromEntries(Object.entries(ways).map(([way, f]) => [way, ['reach', ...f, ...more]]))
const wire: Ways = { listen: DTU, dial: DIAL, serial: SERIAL }
const own: Ways = { listen: [...LISTEN, 'senders', 'every_s'] }, pushed: Ways = { listen: ['senders'] }, none: Ways = { listen: [] }
export const lineKinds: Readonly<Record<string, Ways>> = {
  gb26875: own, hj212: own, jt808: own, watch: own,
  dlt645: asked(wire, 'every_s'), cjt188: asked(wire, 'every_s'), modbus_rtu: asked(wire, 'every_s'), osdp: asked(wire), modbus: asked({ listen: DTU, dial: DIAL }, 'every_s'),
  bacnet: asked({ listen: LISTEN, dial: DIAL }, 'every_s', 'numbers'),
  door: pushed, vz: pushed, itsapi: pushed, lift: pushed, chirpstack: pushed, ttn: pushed, ctwing: pushed, onenet: pushed, http: none, mqtt: none,
  'mqtt-client': { listen: [...DIAL, 'tls', 'username', 'topics'] }
}
/** Of every line, whatever its kind. */
export const LINE_ALWAYS: readonly string[] = [COMMUNITY, 'name', 'kind', 'enabled']
function lineFields(r: Resource, fields: Field[], v: Values, creates: boolean): Field[] {
  const ways = lineKinds[String(v.kind ?? '')]
  if (!ways) return v.kind ? fields : fields.filter((f) => LINE_ALWAYS.includes(f.name)) // a kind that is not known here: all of them
  const shown = ways[String(v.reach ?? '')] ?? ways.listen!
  const fit = fields.filter((f) => LINE_ALWAYS.includes(f.name) || shown.includes(f.name))
    .map((f) => (f.name === 'reach' ? { ...f, options: f.options?.filter((o) => o.v in ways) ?? null } : f))
  const secret = creates && WITH_SECRET.includes(String(v.kind)) && r.state?.actions.some((a) => a.name === 'set_secret') ? r.fields.find((f) => f.name === 'secret') : undefined
  return secret ? [...fit, { ...secret, readonly: false }] : fit
}
/** Those fields of a form that matter for what is in it. */
export const fitting = (r: Resource, fields: Field[], values: Values, creates: boolean): Field[] => (r.name === 'lines' ? lineFields(r, fields, values, creates) : fields)
/** What a new row begins with. */
export const startOf = (r: Resource): Values => (r.name === 'lines' ? { enabled: true } : {})
/** Secrets are no fields that are stored with a row: a step takes them once there is one. */
export const stepOf = (r: Resource, values: Values): { step: string; body: Values } | null => (r.name === 'lines' && values.secret && WITH_SECRET.includes(String(values.kind)) ? { step: 'set_secret', body: { secret: values.secret } } : null)
