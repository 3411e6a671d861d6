// What metrics are called and measured in, from the models of devices; asked once.
import { reactive } from 'vue'
import { get, type Page, type Row } from './api'
import { both } from './i18n'
import { unitWords } from './format'
import { resource } from './meta'

interface Metric { metric: string; name_zh: string | null; name_en: string | null; unit: string | null }
const known = reactive<Record<string, { zh: string; en: string; units: string[] }>>({})
let asked = false
const MODELS_MAX = 50
async function read(): Promise<void> {
  try {
    for (const m of (await get<Page>(`/device_models?limit=${MODELS_MAX}`)).items) {
      const metrics = (m.metrics ?? (await get<Row>('/device_models/' + m.id)).metrics) as Metric[] | null
      for (const x of metrics ?? []) {
        known[x.metric] ??= { zh: x.name_zh ?? '', en: x.name_en ?? '', units: [] }
        const k = known[x.metric]! // read again: pages watch the store's own object
        if (!k.units.includes(x.unit ?? '')) k.units.push(x.unit ?? '')
      }
    }
  } catch { asked = false }
}
function lookUp(metric: string): typeof known[string] | undefined {
  if (!asked && resource('device_models')?.rights.includes('read')) { asked = true; void read() }
  return known[metric]
}
export const metricWords = (metric: string): string => both(lookUp(metric)) || metric
/** A value with its unit, where every model measures the metric in the same one. */
export function withUnit(value: unknown, metric: unknown): string {
  const v = value === null || value === undefined ? '' : String(value)
  const units = metric ? lookUp(String(metric))?.units ?? [] : []
  return v && units.length === 1 && units[0] && /^-?[\d.]+$/.test(v) ? `${v} ${unitWords(units[0])}` : v
}
export function forgetMetrics(): void { asked = false; for (const k of Object.keys(known)) delete known[k] }
