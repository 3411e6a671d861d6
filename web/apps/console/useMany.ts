// One metric of many devices side by side: what is asked for is kept in the address; what was read, and who they are.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { get, Problem, type Page, type Row } from '@/shared/api'
import { codeLabel } from '@/shared/codes'
import { t } from '@/shared/i18n'
import { live } from '@/shared/live'
import { meta, resource } from '@/shared/meta'
import { inCommunity } from '@/shared/readings'
import { metricsOf, unitAgreed, unitOfModel } from '@/shared/metrics'
import { presets, type Preset } from '@/shared/chart/scale'
import { aggregates, fixedOf, groupings, readMany, TOPS, unitOfAggregate, type Aggregate, type Asked, type Grouped, type Grouping, type Many } from '@/shared/chart/many'

export interface One extends Grouped { about: string; unit: string; href: string }
const DEVICES_MOST = 1000, AGAIN_S = 60
const among = <T extends string>(all: readonly T[], v: string): T => all.find((x) => x === v) ?? all[0]!

export function useMany() {
  const route = useRoute()
  const router = useRouter()
  const text = (k: string): string => (typeof route.query[k] === 'string' ? route.query[k] : '')
  // Codes are unique within a community, so that one is looked at: of several the one that is chosen, else where a device is.
  const communities = computed(() => { const all = meta.d?.communities ?? []; return all.length > 1 ? all : [] })
  const first = ref('')
  const community = computed(() => (communities.value.some((c) => c.code === text('community')) ? text('community') : first.value))
  const settled = computed(() => !communities.value.length || !!community.value)
  async function settle(): Promise<void> {
    let id: unknown
    try { id = (await get<Page>('/devices?limit=1&sort=created_ms')).items[0]?.community_id } catch { /* any is as good */ }
    first.value = communities.value.find((c) => c.id === id)?.code ?? communities.value[0]!.code
  }
  if (!settled.value) void settle()
  // Whoever may not read models has the metrics as devices say them.
  const said = ref<string[]>([])
  // Of the models that devices have, once it is known who they are.
  const rows = shallowRef<Map<string, Row>>(new Map())
  const met = ref(false)
  const models = computed(() => (rows.value.size && rows.value.size < DEVICES_MOST ? new Set([...rows.value.values()].map((r) => String(r.model))) : undefined))
  const metrics = computed(() => { const known = met.value ? metricsOf(null, models.value) : []; return known.length ? known : said.value.map((v) => ({ v, t: v })) })
  async function hear(): Promise<void> { try { said.value = [...new Set((await get<{ items: { metric: string }[] }>('/telemetry/latest' + inCommunity(community.value).replace('&', '?'))).items.map((l) => l.metric))] } catch (e) { problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '') } }
  const metric = computed(() => text('metric') || metrics.value[0]?.v || '')
  const place = computed(() => (/^\d+$/.test(text('place')) ? text('place') : ''))
  const group = computed<Grouping>(() => among(groupings, text('group')))
  const agg = computed<Aggregate>(() => among(aggregates, text('agg')))
  const fixed = computed(() => fixedOf(route.query.from, route.query.to))
  const preset = computed<Preset | null>(() => (fixed.value ? null : text('range') in presets ? text('range') as Preset : 'day'))
  const top = computed(() => (TOPS.includes(Number(text('top'))) ? Number(text('top')) : 0))
  const asTable = computed(() => text('view') === 'table')
  const same = computed(() => text('scale') !== 'own')
  const set = (q: Record<string, string>): void => { void router.replace({ query: Object.fromEntries(Object.entries({ ...route.query, ...q }).filter(([, v]) => v)) }) }

  const read = shallowRef<{ asked: Asked; many: Many } | null>(null)
  const problem = ref<Problem | null>(null)
  const busy = ref(false)
  let round: AbortController | null = null
  async function load(fresh = true): Promise<void> {
    if (!settled.value) return // when it is known, this comes again
    if (!metric.value) { if (!resource('device_models')?.rights.includes('read')) await hear(); return } // when it is known, this comes again
    round?.abort()
    const mine = round = new AbortController(), to = Date.now()
    const asked: Asked = { metric: metric.value, group: group.value, agg: agg.value, place: place.value, top: top.value, community: community.value, range: fixed.value ?? { from: to - presets[preset.value!], to } }
    busy.value = fresh
    try {
      const many = await readMany(asked, mine.signal)
      if (mine.signal.aborted) return
      read.value = { asked, many }
      problem.value = null
    } catch (e) {
      if (mine.signal.aborted) return
      problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '')
      if (fresh) read.value = null
    }
    if (mine === round) busy.value = false
  }
  // Who they are: names come with the readings, addresses and places do not.
  async function who(): Promise<void> { try { const id = communities.value.find((c) => c.code === community.value)?.id; rows.value = new Map((await get<Page>(`/devices?limit=${DEVICES_MOST}${id ? '&f.community_id=' + id : ''}`)).items.map((r) => [String(r.code), r])) } catch { /* found by their code then */ } met.value = true }
  watch(community, () => { if (settled.value) void who() }, { immediate: true })
  watch(() => [community.value, metric.value, group.value, agg.value, place.value, top.value, preset.value, fixed.value?.from, fixed.value?.to], () => { void load() }, { immediate: true })
  let n = 0
  watch(() => live.now, () => { if (++n % AGAIN_S === 0 && !busy.value && !fixed.value) void load(false) })
  onScopeDispose(() => round?.abort())

  const modelsAt = computed(() => { const at = new Map<string, Set<string>>(); for (const r of rows.value.values()) { const k = String(r.place_id ?? ''); at.set(k, (at.get(k) ?? new Set()).add(String(r.model))) } return at })

  const enc = encodeURIComponent
  function known(a: Asked, g: Grouped): One {
    const times = fixed.value ? `from=${fixed.value.from}&to=${fixed.value.to}` : 'range=' + preset.value!, unit = (u: string): string => unitOfAggregate(a.agg, u)
    const several = t('many.devices', { n: g.devices })
    if (a.group === 'model') return { ...g, name: codeLabel('devices', 'model', g.key) ?? g.key, about: several, unit: unit(unitOfModel(a.metric, g.key)), href: '/devices?f.model=' + enc(g.key) }
    if (a.group === 'place') return { ...g, name: g.name || t('many.nowhere'), about: several, unit: unit(unitAgreed(a.metric, modelsAt.value.get(g.key))), href: g.key ? `/charts?metric=${enc(a.metric)}&agg=${a.agg}&place=${g.key}&${times}${inCommunity(community.value)}` : '/devices' }
    const r = rows.value.get(g.key)
    return { ...g, name: g.name || g.key, about: String(r?._labels.place_id ?? ''), unit: unit(unitOfModel(a.metric, r?.model)), href: r ? `/devices/${r.id}?metric=${enc(a.metric)}&${times}` : '/devices?q=' + enc(g.key) }
  }
  const all = computed<One[]>(() => (read.value ? read.value.many.groups.map((g) => known(read.value!.asked, g)) : []))
  return { communities, community, metrics, metric, place, group, agg, preset, fixed, top, asTable, same, set, problem, busy, load, all, read }
}
