// One metric of many devices side by side: which metric, place, time and how many, kept in the address; what was read.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { get, Problem, type Page, type Row } from '@/shared/api'
import { live } from '@/shared/live'
import { resource } from '@/shared/meta'
import { metricsOf, unitOfModel } from '@/shared/metrics'
import { presets, type Preset, type Range } from '@/shared/chart/scale'
import { ofEach } from '@/shared/chart/history'
import { windowed, type Point } from '@/shared/chart/series'

export interface One { code: string; name: string; id: string; place: string; unit: string; points: Point[] }
export const WIDTH = 260, DRAWN_MOST = 300, TOPS = [10, 20, 50]
const DEVICES_MOST = 1000, AGAIN_S = 60

export function useMany() {
  const route = useRoute()
  const router = useRouter()
  const text = (k: string): string => (typeof route.query[k] === 'string' ? route.query[k] : '')
  // Whoever may not read models has the metrics as devices say them.
  const said = ref<string[]>([])
  const metrics = computed(() => { const known = metricsOf(null); return known.length ? known : said.value.map((v) => ({ v, t: v })) })
  async function hear(): Promise<void> { try { said.value = [...new Set((await get<{ items: { metric: string }[] }>('/telemetry/latest')).items.map((l) => l.metric))] } catch (e) { problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '') } }
  const metric = computed(() => text('metric') || metrics.value[0]?.v || '')
  const place = computed(() => (/^\d+$/.test(text('place')) ? text('place') : ''))
  const preset = computed<Preset>(() => (text('range') in presets ? text('range') as Preset : 'day'))
  const top = computed(() => (TOPS.includes(Number(text('top'))) ? Number(text('top')) : 0))
  const set = (q: Record<string, string>): void => { void router.replace({ query: Object.fromEntries(Object.entries({ ...route.query, ...q }).filter(([, v]) => v)) }) }

  const rows = shallowRef<Map<string, Row>>(new Map())
  const read = shallowRef<{ code: string; name: string; points: Point[] }[] | null>(null)
  const range = ref<Range>({ from: 0, to: 1 })
  const step = ref(0)
  const problem = ref<Problem | null>(null)
  const busy = ref(false)
  let round: AbortController | null = null
  async function load(fresh = true): Promise<void> {
    if (!metric.value) { if (!resource('device_models')?.rights.includes('read')) await hear(); return } // when it is known, this comes again
    round?.abort()
    const mine = round = new AbortController(), to = Date.now(), r = { from: to - presets[preset.value], to }
    busy.value = fresh
    try {
      const a = await ofEach(metric.value, place.value, r, WIDTH, top.value, mine.signal)
      read.value = a.groups.map((g) => ({ code: g.key, name: g.name, points: windowed(a.at.map((at, i) => { const v = g.values[i] ?? null; return [at, v, v, v, v === null ? 0 : 1] }), a.step, to) }))
      range.value = r
      step.value = a.step
      problem.value = null
    } catch (e) {
      if (mine.signal.aborted) return
      problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '')
      if (fresh) read.value = null
    }
    if (mine === round) busy.value = false
  }
  // Who they are: names come with the readings, addresses and places do not.
  async function who(): Promise<void> { try { rows.value = new Map((await get<Page>(`/devices?limit=${DEVICES_MOST}`)).items.map((r) => [String(r.code), r])) } catch { /* found by their code then */ } }
  void who()
  watch([metric, place, preset, top], () => { void load() }, { immediate: true })
  let n = 0
  watch(() => live.now, () => { if (++n % AGAIN_S === 0 && !busy.value) void load(false) })
  onScopeDispose(() => round?.abort())

  const all = computed<One[]>(() => (read.value ?? []).map((g) => {
    const r = rows.value.get(g.code)
    return { ...g, name: g.name || g.code, id: r?.id ?? '', place: String(r?._labels.place_id ?? ''), unit: unitOfModel(metric.value, r?.model) }
  }))
  const href = (o: One): string => (o.id ? `/devices/${o.id}?metric=${encodeURIComponent(metric.value)}&range=${preset.value}` : '/devices?q=' + encodeURIComponent(o.code))
  return { metrics, metric, place, preset, top, set, range, step, problem, busy, load, all, href, loaded: computed(() => read.value !== null) }
}
