// What happened to a device while its charts were drawn: alarms and cases, as marks that lead to them.
import { ref, watch } from 'vue'
import { get, type Page, type Row } from '@/shared/api'
import { both } from '@/shared/i18n'
import { onChange } from '@/shared/live'
import { resource, stateOption, type Tone } from '@/shared/meta'
import type { Range } from '@/shared/chart/scale'

export interface Happened { id: string; kind: 'alarm' | 'case'; at: number; to: number; tone: Tone; metric: string; title: string; state: string; href: string }
const EACH_MOST = 200, SETTLE_MS = 400

export const happenedAlarm = (a: Row, now: number): Happened => ({
  id: a.id, kind: 'alarm', at: Number(a.since_ms), to: typeof a.ended_ms === 'number' ? a.ended_ms : now, tone: a.severity as Tone, metric: String(a.metric ?? ''),
  title: String(a.title ?? ''), state: both(stateOption(resource('alarms'), a.state)?.t), href: '/alarms/' + a.id })
export const happenedCase = (c: Row): Happened => ({
  id: c.id, kind: 'case', at: Number(c.reported_ms), to: Number(c.reported_ms), tone: stateOption(resource('cases'), c.state)?.tone ?? 'info', metric: '',
  title: [c.number, c.title].filter(Boolean).join(' '), state: both(stateOption(resource('cases'), c.state)?.t), href: '/cases/' + c.id })

/** Those of a range, the newest 200 of each; `cut` says whether there are more. */
export function useMarks(device: () => string, range: () => Range) {
  const marks = ref<Happened[]>([])
  const cut = ref(false)
  const some = async (name: string, since: string, from: string): Promise<Page | null> =>
    (resource(name)?.rights.includes('read') ? get<Page>(`/${name}?limit=${EACH_MOST}&f.device_id=${device()}&f.${since}.lt=${Math.ceil(range().to)}${from}&sort=-${since}`) : null)
  let timer = 0, asked = 0
  async function read(): Promise<void> {
    const mine = ++asked, r = range()
    try {
      // An alarm that began before the range may reach into it.
      const [a, c] = await Promise.all([some('alarms', 'since_ms', ''), some('cases', 'reported_ms', `&f.reported_ms.gte=${Math.floor(r.from)}`)])
      if (mine !== asked) return
      marks.value = [...(a?.items ?? []).map((x) => happenedAlarm(x, Date.now())), ...(c?.items ?? []).map(happenedCase)].filter((m) => m.to >= r.from && m.at <= r.to)
      cut.value = !!c?.next || (!!a?.next && Number(a.items[a.items.length - 1]?.since_ms) > r.from)
    } catch { /* the charts stand without them */ }
  }
  const soon = (): void => { clearTimeout(timer); timer = window.setTimeout(() => { void read() }, SETTLE_MS) }
  // While the right end merely moves on with the clock, events say what is new.
  watch(() => { const r = range(), w = r.to - r.from; return `${device()} ${Math.round(w / 1000)} ${Math.round(r.to / Math.max(60e3, w / 20))}` }, soon)
  void read()
  onChange(['alarms', 'cases'], soon)
  return { marks, cut }
}
