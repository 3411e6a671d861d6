// What metrics are called and measured in, and what events are called, from the models of devices; asked once.  The unit of an
// alarm's value is that of the model its rule is for; without one, the unit that all models agree on.
import { reactive } from 'vue'
import { get, type Page, type Row } from './api'
import { both, t, type Key } from './i18n'
import { unitWords } from './format'
import { resource } from './meta'

interface Metric { metric: string; name_zh: string | null; name_en: string | null; unit: string | null }
interface Event { event: string; name_zh: string | null; name_en: string | null }
interface Known { zh: string; en: string; units: Record<string, string> } // by model; an event has none
interface Command { command: string; name_zh: string | null; name_en: string | null; item: string; value: string | null; category?: unknown }
const store = reactive<{ metrics: Record<string, Known>; events: Record<string, Known>; models: Record<string, string>; commands: Command[] }>({ metrics: {}, events: {}, models: {}, commands: [] })
let asked = false
const MODELS_MAX = 200
const may = (name: string): boolean => !!resource(name)?.rights.includes('read')
async function read(): Promise<void> {
  try {
    const metrics: Record<string, Known> = {}, events: Record<string, Known> = {}
    const note = (all: Record<string, Known>, name: string, x: { name_zh: string | null; name_en: string | null }, model: Row, unit: string): void => {
      if (!Object.hasOwn(all, name)) all[name] = { zh: x.name_zh ?? '', en: x.name_en ?? '', units: {} }
      all[name]!.units[String(model.code)] = unit
    }
    const commands: Command[] = []
    const models = (await get<Page>(`/device_models?limit=${MODELS_MAX}`)).items
    for (const m of await Promise.all(models.map((x) => (x.metrics ? x : get<Row>('/device_models/' + x.id))))) {
      for (const x of (m.metrics as Metric[] | null) ?? []) note(metrics, x.metric, x, m, x.unit ?? '')
      for (const x of (m.events as Event[] | null | undefined) ?? []) note(events, x.event, x, m, '')
      commands.push(...((m.commands as Command[] | null | undefined) ?? []).map((c) => ({ ...c, category: m.category })))
    }
    if (may('rules')) store.models = Object.fromEntries((await get<Page>('/rules?limit=200')).items.filter((r) => r.model).map((r) => [r.id, String(r.model)]))
    store.events = events
    store.commands = commands
    store.metrics = metrics // at once: half of the models could agree on a unit that is not this one
  } catch { asked = false }
}
function lookUp(metric: string): Known | undefined {
  if (!asked && may('device_models')) { asked = true; void read() }
  return store.metrics[metric]
}
// Stations say figures of a minute, an hour or a day, more than a model lists: pm25_hour_min.
const WINDOWED = /^(.+)_(minute|hour|day)_(avg|min|max|sum)(_converted)?$/
export function metricWords(metric: string): string {
  const known = both(lookUp(metric))
  if (known) return known
  const [, name, window, stat, converted] = WINDOWED.exec(metric) ?? []
  if (!name) return metric
  const words = t('metric.window', { name: both(lookUp(name)) || name, window: t(`metric.${window}` as Key), stat: t(`metric.${stat}` as Key) })
  return converted ? t('metric.converted', { name: words }) : words
}
/** What models call an event; '' where none knows it. */
export function eventName(code: string): string {
  lookUp('')
  return Object.hasOwn(store.events, code) ? both(store.events[code]) : ''
}
/** What a command is called: many models have one of its code, so by what it tells where that is known; the code itself where they differ. */
const commandsOf = (command: string, item?: unknown, told?: unknown): Command[] => { lookUp(''); return store.commands.filter((c) => c.command === command && (item === undefined || item === null || c.item === item) && (told === undefined || !c.value || c.value === told)) }
/** The category of the models that have this command, where it is one. */
export function commandCategory(command: string, item?: unknown, told?: unknown): unknown { const all = new Set(commandsOf(command, item, told).map((c) => c.category)); return all.size === 1 ? [...all][0] : null }
export function commandName(command: string, item?: unknown, told?: unknown): string {
  const all = commandsOf(command, item, told)
  const names = [...new Set(all.map((c) => both({ zh: c.name_zh ?? '', en: c.name_en ?? '' })).filter(Boolean))]
  return names.length === 1 ? names[0]! : command
}
/** The events of a model with their words; none until they are read. */
export function eventsOf(model: unknown): { v: string; t: string }[] {
  lookUp('')
  return Object.entries(store.events).filter(([, k]) => String(model) in k.units).map(([v, k]) => ({ v, t: both(k) || v }))
}
/** The metrics of a model, of these models, or of all, with their words; none until they are read. */
export function metricsOf(model: unknown, models?: ReadonlySet<string>): { v: string; t: string }[] {
  lookUp('')
  const units = (k: Known): [string, string][] => Object.entries(k.units).filter(([m]) => (model ? m === String(model) : !models || models.has(m)))
  return Object.entries(store.metrics).map(([v, k]) => ({ v, k, units: units(k) })).filter((x) => x.units.length)
    .map(({ v, k, units }) => ({ v, t: [both(k), [...new Set(units.map(([, u]) => unitWords(u)))].filter(Boolean).join(' / ')].filter(Boolean).join(' ') }))
}
/** The unit that these models, or all of them, measure a metric in; '' where they differ. */
export function unitAgreed(metric: string, models?: Iterable<string>): string {
  const units = lookUp(metric)?.units ?? {}, all = new Set((models ? [...models].filter((m) => m in units) : Object.keys(units)).map((m) => units[m]))
  return all.size === 1 ? unitWords([...all][0]) : ''
}
/** The unit that a model's metric is measured in, as people write it. */
export const unitOfModel = (metric: string, model: unknown): string => unitWords(lookUp(metric)?.units[String(model ?? '')])
/** A value with its unit, where it is known for sure. */
export function withUnit(value: unknown, metric: unknown, rule?: unknown): string {
  const v = value === null || value === undefined ? '' : String(value)
  const units = (metric ? lookUp(String(metric)) : undefined)?.units
  if (!v || !units || !/^-?[\d.]+$/.test(v)) return v
  const model = store.models[String(rule ?? '')], all = [...new Set(Object.values(units))]
  const unit = model !== undefined && model in units ? units[model] : all.length === 1 ? all[0] : ''
  return unit ? `${v} ${unitWords(unit)}` : v
}
export function forgetMetrics(): void { asked = false; store.metrics = {}; store.events = {}; store.models = {}; store.commands = [] }
