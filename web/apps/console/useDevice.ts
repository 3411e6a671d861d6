// What stands beside a device's charts: latest values, rules and their limits, alarms, cases, the model.
import { computed, ref, watch, type Ref } from 'vue'
import { get, Problem, type Page, type Row } from '@/shared/api'
import { both, t } from '@/shared/i18n'
import { seconds, unitWords } from '@/shared/format'
import { live, onChange } from '@/shared/live'
import { resource, type Tone } from '@/shared/meta'
import { metricWords } from '@/shared/metrics'
import { communityCode, deviceQuery } from '@/shared/readings'
import { isCounter, isYesNo } from './ranges'
import type { Limit } from '@/shared/chart/Plot.vue'
import type { Tail } from '@/shared/tail'

export interface Latest { metric: string; unit: string | null; at_ms: number; value: number | null }
interface Metric { metric: string; name_zh: string | null; name_en: string | null; unit: string | null; kind: string | null; low: number | null; high: number | null; every_s: number | null }
const MINUTE = 60e3, HOUR = 3600e3, DAY = 86400e3
const LIMITS_MOST = 3
const STALE_MS = 10 * MINUTE // without a rule that says how long silence may last
const PERIODS = 3
/** How often a metric comes: as its model asks for it, and what is of an hour or a day once in that. */
export const periodOf = (m: string, every_s: number | null | undefined): number => Math.max((every_s ?? 0) * 1000, /_hour(_|$)/.test(m) ? HOUR : /_day(_|$)/.test(m) ? DAY : 0)
type Points = { points: [number, number | null][]; next: string | null }

export function useDevice(id: () => string, row: Ref<Row | null>, tail: Tail) {
  const latest = ref<Latest[] | null>(null)
  const sparks = ref<Record<string, (number | null)[]>>({})
  const rules = ref<Row[]>([])
  const alarms = ref<Row[]>([])
  const cases = ref<Row[]>([])
  const model = ref<Row | null>(null)
  const unread = ref<Problem | null>(null) // nothing was read so far, and why
  const whose = computed(() => deviceQuery({ code: String(row.value?.code ?? ''), community: communityCode(row.value?.community_id) }))
  const may = (name: string): boolean => !!resource(name)?.rights.includes('read')
  const series = async (m: string, a: number, b: number, more: string): Promise<[number, number | null][]> => (await get<Points>(`/telemetry?${whose.value}&metric=${encodeURIComponent(m)}&from=${a}&to=${b}&limit=5000${more}`)).points

  async function readLatest(): Promise<void> {
    if (!row.value) return
    try {
      latest.value = (await get<{ items: Latest[] }>('/telemetry/latest?' + whose.value)).items ?? []
      unread.value = null
    } catch (e) { if (!latest.value) unread.value = e instanceof Problem ? e : new Problem(0, 'offline', '') } // what was read stays, and ages
  }
  async function readSparks(): Promise<void> {
    const now = Date.now()
    for (const l of (latest.value ?? []).slice(0, 8)) try { sparks.value[l.metric] = (await series(l.metric, now - DAY, now, '&every=1h&agg=avg')).map((p) => p[1]) } catch { /* the figure stands alone */ }
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
  watch(row, async () => { void beside(); void readModel(); if (first || !tail.open.value) await readLatest(); if (first && row.value) { first = false; void readSparks() } })
  let n = 0
  watch(() => live.now, () => { if (++n % 5 === 0 && !tail.open.value) void readLatest() })
  tail.listen((fresh) => {
    if (!fresh || fresh.some((x) => !latest.value?.some((l) => l.metric === x.metric))) { void readLatest(); return } // missed some, or a metric that is new
    for (const x of fresh) { const l = latest.value!.find((k) => k.metric === x.metric)!; if (x.at_ms >= l.at_ms) { l.at_ms = x.at_ms; l.value = x.value } }
  })
  onChange(['alarms', 'cases'], () => { void beside() })

  const about = (m: string): Metric | undefined => (model.value?.metrics as Metric[] | null | undefined)?.find((k) => k.metric === m)
  const metricName = (m: string): string => { const x = about(m); return (x && both({ zh: x.name_zh ?? '', en: x.name_en ?? '' })) || metricWords(m) }
  const mine = computed(() => rules.value.filter((k) => k.device_id === id() || (!k.device_id && k.model !== null && k.model === row.value?.model)))
  const rulesOf = (m: string): Row[] => mine.value.filter((k) => k.metric === m && typeof k.limit_value === 'number' && (k.kind === 'above' || k.kind === 'below'))
  const limitsOf = (m: string): Limit[] => rulesOf(m).slice(0, LIMITS_MOST).map((k) => {
    const above = k.kind === 'above', value = Number(k.limit_value)
    return { value, above, tone: k.severity as Tone, words: t(above ? 'device.ruleAbove' : 'device.ruleBelow', { value: `${value} ${unitOf(m)}`.trim(), time: Number(k.for_s) ? t('device.longer', { time: seconds(Number(k.for_s)) }) : '' }) }
  })
  const unitOf = (m: string): string => unitWords(latest.value?.find((l) => l.metric === m)?.unit)
  const silence = computed(() => { const k = [...mine.value, ...((model.value?.rules as Row[] | null | undefined) ?? [])].find((x) => x.kind === 'silence' && Number(x.for_s) > 0); return k ? Number(k.for_s) * 1000 : STALE_MS })
  /** Three times as long as it takes from one to the next; never sooner than the whole device is silent. */
  const staleAfter = (m: string): number => Math.max(silence.value, PERIODS * periodOf(m, about(m)?.every_s))
  const isStale = (l: Latest): boolean => live.now - l.at_ms > staleAfter(l.metric)
  /** What is normal for a metric: of the model, else the limit, else what the last day was. */
  function usual(m: string): string {
    const x = about(m), k = rulesOf(m)[0], day = (sparks.value[m] ?? []).filter((v): v is number => v !== null)
    const r = (v: number): string => String(Number(v.toPrecision(4)))
    if (x && isYesNo(x)) return ''
    if (x && !isCounter(x) && typeof x.low === 'number' && typeof x.high === 'number') return t('device.normal', { low: r(x.low), high: r(x.high) })
    if (k) return t(k.kind === 'above' ? 'device.ruleAbove' : 'device.ruleBelow', { value: String(k.limit_value), time: '' })
    return day.length > 1 ? t('device.lastDay', { low: r(Math.min(...day)), high: r(Math.max(...day)) }) : ''
  }
  return { latest, unread, readLatest, sparks, alarms, cases, model, metricName, limitsOf, unitOf, isStale, staleAfter, usual, readSparks }
}
