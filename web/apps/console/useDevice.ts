// Readings of a device and what stands beside them: latest values, the series drawn, rules, alarms, cases.
import { computed, ref, watch, type Ref } from 'vue'
import { get, type Page, type Row } from '@/shared/api'
import { both, t, type Key } from '@/shared/i18n'
import { seconds, unitWords } from '@/shared/format'
import { live, onChange } from '@/shared/live'
import { resource, zone, type Tone } from '@/shared/meta'
import type { Alarmed, Limit } from '@/shared/kit/Chart.vue'
import { together, type Point } from '@/shared/kit/series'
import { dayStart } from './useAlarms'

export interface Latest { metric: string; unit: string | null; at_ms: number; value: number | null }
interface Metric { metric: string; name_zh: string | null; name_en: string | null; low: number | null; high: number | null }
export type Span = 'hour' | 'day' | 'week' | 'month'
const MINUTE = 60e3, DAY = 86400e3
export const spans: Record<Span, { ms: number; every: string | null; word: Key; says: Key }> = {
  hour: { ms: 3600e3, every: null, word: 'device.hour', says: 'device.raw' }, day: { ms: DAY, every: '15m', word: 'device.day', says: 'device.by15m' },
  week: { ms: 7 * DAY, every: '2h', word: 'device.week', says: 'device.by2h' }, month: { ms: 30 * DAY, every: '6h', word: 'device.month', says: 'device.by6h' } }
const STALE_MS = 10 * MINUTE // without a rule that says how long silence may last
type Points = { points: [number, number | null][]; next: string | null }

export function useDevice(id: () => string, row: Ref<Row | null>) {
  const latest = ref<Latest[] | null>(null)
  const metric = ref('')
  const spanName = ref<Span>('day')
  const points = ref<Point[] | null>(null)
  const from = ref(0)
  const to = ref(0)
  const sparks = ref<Record<string, (number | null)[]>>({})
  const rules = ref<Row[]>([])
  const alarms = ref<Row[]>([])
  const cases = ref<Row[]>([])
  const model = ref<Row | null>(null)
  const code = computed(() => encodeURIComponent(String(row.value?.code ?? '')))
  const may = (name: string): boolean => !!resource(name)?.rights.includes('read')
  const series = async (m: string, a: number, b: number, more: string): Promise<[number, number | null][]> => (await get<Points>(`/telemetry?device=${code.value}&metric=${encodeURIComponent(m)}&from=${a}&to=${b}&limit=5000${more}`)).points

  async function readLatest(): Promise<void> {
    if (!row.value) return
    try {
      latest.value = (await get<{ items: Latest[] }>('/telemetry/latest?device=' + code.value)).items ?? []
      if (!metric.value && latest.value[0]) metric.value = latest.value[0].metric
    } catch { latest.value ??= [] } // what was read stays, and ages
  }
  async function readSparks(): Promise<void> {
    const now = Date.now()
    for (const l of (latest.value ?? []).slice(0, 8)) try { sparks.value[l.metric] = (await series(l.metric, now - DAY, now, '&every=1h&agg=avg')).map((p) => p[1]) } catch { /* the figure stands alone */ }
  }
  let asked = 0
  async function readChart(): Promise<void> {
    if (!row.value || !metric.value) return
    const s = spans[spanName.value], mine = ++asked
    const end = Math.max(Date.now(), (latest.value?.find((l) => l.metric === metric.value)?.at_ms ?? 0) + 1)
    const draw = (p: Point[]): void => { if (mine === asked) { points.value = p; from.value = end - s.ms; to.value = end } }
    try {
      if (!s.every) { draw(together(await series(metric.value, end - s.ms, end, ''))); return }
      const [mean, low, high] = await Promise.all(['avg', 'min', 'max'].map((a) => series(metric.value, end - s.ms, end, `&every=${s.every}&agg=${a}`)))
      draw(together(mean!, low, high))
    } catch { if (mine === asked && !points.value) points.value = [] }
  }
  const some = async (name: string, q: string, n: number): Promise<Row[]> => (may(name) ? (await get<Page>(`/${name}?limit=${n}&${q}`)).items : [])
  async function beside(): Promise<void> {
    try { [alarms.value, cases.value, rules.value] = await Promise.all([some('alarms', `f.device_id=${id()}&sort=-since_ms`, 20), some('cases', `f.device_id=${id()}&sort=-reported_ms`, 5), some('rules', 'f.enabled=true', 200)]) } catch { /* the page stands without them */ }
  }
  async function readModel(): Promise<void> {
    if (!row.value?.model || model.value || !may('device_models')) return
    try { const found = (await some('device_models', 'f.code=' + encodeURIComponent(String(row.value.model)), 1))[0]; if (found) model.value = await get<Row>('/device_models/' + found.id) } catch { /* its code says enough */ }
  }
  let first = true
  watch(row, async () => { void beside(); void readModel(); await readLatest(); if (first && row.value) { first = false; void readSparks() } })
  watch([metric, spanName], () => { void readChart() })
  let n = 0
  watch(() => live.now, () => { if (++n % 5 === 0) void readLatest().then(() => (spanName.value === 'hour' || n % 60 === 0 ? readChart() : undefined)) })
  onChange(['alarms', 'cases'], () => { void beside() })

  const about = (m: string): Metric | undefined => (model.value?.metrics as Metric[] | null | undefined)?.find((k) => k.metric === m)
  const metricName = (m: string): string => { const x = about(m); return (x && both({ zh: x.name_zh ?? '', en: x.name_en ?? '' })) || m }
  const mine = computed(() => rules.value.filter((k) => k.device_id === id() || (!k.device_id && k.model !== null && k.model === row.value?.model)))
  const ruleOf = (m: string): Row | undefined => mine.value.find((k) => k.metric === m && typeof k.limit_value === 'number' && (k.kind === 'above' || k.kind === 'below'))
  const limit = computed<Limit | null>(() => {
    const k = ruleOf(metric.value)
    if (!k) return null
    const above = k.kind === 'above', value = Number(k.limit_value)
    return { value, above, words: t(above ? 'device.ruleAbove' : 'device.ruleBelow', { value: `${value} ${unitOf(metric.value)}`.trim(), time: Number(k.for_s) ? t('device.longer', { time: seconds(Number(k.for_s)) }) : '' }) }
  })
  const unitOf = (m: string): string => unitWords(latest.value?.find((l) => l.metric === m)?.unit)
  const staleAfter = computed(() => { const k = mine.value.find((x) => x.kind === 'silence' && Number(x.for_s) > 0); return k ? Number(k.for_s) * 1000 : STALE_MS })
  const isStale = (l: Latest): boolean => live.now - l.at_ms > staleAfter.value
  /** What is normal for a metric: of the model, else the limit, else what the last day was. */
  function usual(m: string): string {
    const x = about(m), k = ruleOf(m), day = (sparks.value[m] ?? []).filter((v): v is number => v !== null)
    const r = (v: number): string => String(Number(v.toPrecision(4)))
    if (x && typeof x.low === 'number' && typeof x.high === 'number') return t('device.normal', { low: r(x.low), high: r(x.high) })
    if (k) return t(k.kind === 'above' ? 'device.ruleAbove' : 'device.ruleBelow', { value: String(k.limit_value), time: '' })
    return day.length > 1 ? t('device.lastDay', { low: r(Math.min(...day)), high: r(Math.max(...day)) }) : ''
  }
  const spansOfAlarms = computed<Alarmed[]>(() => alarms.value.filter((a) => !a.metric || a.metric === metric.value).map((a) => {
    const a0 = Number(a.since_ms), b0 = typeof a.ended_ms === 'number' ? a.ended_ms : live.now
    return { from: a0, to: b0, tone: a.severity as Tone, words: String(a.title ?? '') }
  }))
  const midnight = computed(() => dayStart(to.value || Date.now(), zone()))
  return { latest, metric, spanName, points, from, to, sparks, alarms, cases, model, metricName, limit, unitOf, isStale, staleAfter, usual, spansOfAlarms, midnight }
}
