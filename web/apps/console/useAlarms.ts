// Alarms as they run: bad first, newest first within; what arrives while somebody reads waits behind a count.
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { get, Problem, type Page, type Row } from '@/shared/api'
import type { AlarmsRow, CasesRow } from '@/shared/api/types'
import { clock } from '@/shared/format'
import { live, onChange } from '@/shared/live'
import { resource, type Tone } from '@/shared/meta'

/** Rows as the server's own description types them: a field renamed there fails here. */
export type Alarm = Row & AlarmsRow
export type Case = Row & CasesRow
export const OPEN_MAX = 200
export const ENDED_MAX = 40
export type Tab = 'open' | 'new' | 'today' | 'ended'
export const tabs: Tab[] = ['open', 'new', 'today', 'ended']
const order: Record<string, number> = { bad: 0, warn: 1, info: 2, off: 3 }
const since = (a: Alarm): number => a.since_ms ?? a.created_ms
export const hasEnded = (a: Alarm): boolean => a.state === 'ended'
export const toneOf = (a: Alarm): Tone => (hasEnded(a) ? 'ok' : a.severity ?? 'info')

/** With seconds, as alarms are compared by them: 10:38:06, with the day when it is not today. */
export const clockSeconds = (ms: number, now: number): string => clock(ms, now) + ':' + String(Math.floor(ms / 1000) % 60).padStart(2, '0')

/** Running ones by severity and age, ended ones below. */
export function ordered(rows: Alarm[]): Alarm[] {
  return [...rows].sort((a, b) => Number(hasEnded(a)) - Number(hasEnded(b))
    || (hasEnded(a) ? 0 : (order[String(a.severity)] ?? 2) - (order[String(b.severity)] ?? 2)) || since(b) - since(a))
}
/** What is shown while somebody reads: rows known are brought up to date where they stand, new ones wait. */
export function hold(shown: Alarm[], fresh: Alarm[]): { rows: Alarm[]; waiting: number } {
  const byId = new Map(fresh.map((x) => [x.id, x]))
  const rows = shown.map((x) => byId.get(x.id) ?? x)
  const known = new Set(shown.map((x) => x.id))
  return { rows, waiting: fresh.filter((x) => !known.has(x.id)).length }
}
/** Midnight of the community's day, as the server wants it. */
export function dayStart(now: number, zone: string): number {
  const p = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit' })
    .formatToParts(now).map((x) => [x.type, x.value])) as Record<string, string>
  return Math.floor(now / 1000) * 1000 - (Number(p.hour) * 3600 + Number(p.minute) * 60 + Number(p.second)) * 1000
}
export function alarmQueries(tab: Tab, q: Record<string, unknown>, from: number): string[] {
  const base = new URLSearchParams()
  for (const k of ['f.severity', 'f.place_id', 'f.rule_id', 'q']) if (typeof q[k] === 'string' && q[k]) base.set(k, q[k])
  base.set('sort', '-since_ms')
  const one = (state: string | null, limit: number, today = false): string => {
    const p = new URLSearchParams(base)
    if (state) p.set('f.state', state)
    if (today) p.set('f.since_ms.gte', String(from))
    p.set('limit', String(limit))
    return p.toString()
  }
  if (tab === 'today') return [one(null, OPEN_MAX, true)]
  if (tab === 'ended') return [one('ended', OPEN_MAX)]
  if (tab === 'new') return [one('active', OPEN_MAX)]
  return [one('active,acknowledged', OPEN_MAX), one('ended', ENDED_MAX, true)]
}

export function useAlarms(reading: () => boolean, zone: () => string, arrived: (rows: Alarm[]) => void) {
  const route = useRoute()
  const router = useRouter()
  const rows = ref<Alarm[] | null>(null)
  const caseOf = ref<Record<string, Case>>({})
  const total = ref<number | null>(null)
  const waiting = ref(0)
  const problem = ref<Problem | null>(null)
  let fresh: Alarm[] = []
  const tab = computed<Tab>(() => (tabs.includes(route.query.view as Tab) ? route.query.view as Tab : route.query.view === undefined || route.query.view === 'open' ? 'open' : 'today'))
  const key = computed(() => JSON.stringify([tab.value, alarmQueries(tab.value, route.query, 0)]))
  let asked = 0

  async function readCases(): Promise<void> {
    if (!resource('cases')?.rights.includes('read')) return
    const ids = fresh.map((x) => x.id).filter((id) => !caseOf.value[id]).slice(0, 100)
    if (!ids.length) return
    try {
      const found = (await get<Page & { items: Case[] }>(`/cases?limit=100&f.alarm_id=${ids.join(',')}`)).items
      caseOf.value = { ...caseOf.value, ...Object.fromEntries(found.map((c) => [c.alarm_id ?? '', c])) }
    } catch { /* the alarms stand without their cases */ }
  }
  async function load(): Promise<void> {
    const mine = ++asked
    try {
      const pages = await Promise.all(alarmQueries(tab.value, route.query, dayStart(live.now, zone())).map((p) => get<Page & { items: Alarm[] }>('/alarms?' + p)))
      if (mine !== asked) return
      const before = new Set(fresh.map((x) => x.id))
      const had = rows.value !== null
      fresh = ordered(pages.flatMap((p) => p.items))
      total.value = pages[0]!.total
      if (had) arrived(fresh.filter((x) => !before.has(x.id) && x.state === 'active'))
      if (had && reading()) { const h = hold(rows.value!, fresh); rows.value = h.rows; waiting.value = h.waiting } else release()
      problem.value = null
      void readCases()
    } catch (e) { if (mine === asked) problem.value = e instanceof Problem ? e : new Problem(0, 'offline', '') }
  }
  function release(): void { rows.value = fresh; waiting.value = 0 }
  watch(key, () => { rows.value = null; fresh = []; void load() }, { immediate: true })
  onChange(['alarms'], () => { void load() })
  onChange(['cases'], () => { caseOf.value = {}; void readCases() })
  function set(change: LocationQueryRaw): void {
    const q: LocationQueryRaw = { ...route.query, ...change }
    for (const k of Object.keys(q)) if (q[k] === '' || q[k] === undefined) delete q[k]
    void router.push({ path: '/alarms', query: q })
  }
  return { rows, caseOf, total, waiting, problem, tab, load, release, set }
}
