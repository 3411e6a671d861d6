// The stretch of time that charts show: what is read for it, how it goes back, how it follows the clock.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { live } from '@/shared/live'
import { useHistory, type Asked } from '../apps/console/useHistory'
import { happenedAlarm } from '../apps/console/marks'
import { meta, type Describe } from '@/shared/meta'
import type { Row } from '@/shared/api'

const HOUR = 3600e3, DAY = 86400e3, NOW = Date.UTC(2026, 2, 1, 4)
let scope = effectScope()
let asked: URLSearchParams[] = []
let hears = true // a call that is given up fails; false: its answer was there already
let answer: (q: URLSearchParams) => Response | Promise<Response>
const points = (q: URLSearchParams): Response => {
  const from = Number(q.get('from')), to = Number(q.get('to')), step = q.get('every') === '5m' ? 300e3 : HOUR, rows = []
  for (let at = Math.floor(from / step) * step; at < to; at += step) rows.push([at, 1, 2, 3, 5])
  return new Response(JSON.stringify({ unit: 'kW', points: rows, next: null }), { status: 200 })
}
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  scope = effectScope(); asked = []; answer = points; hears = true
  vi.stubGlobal('fetch', (address: string, o: { signal?: AbortSignal }) => {
    const q = new URL(address, 'http://h').searchParams
    asked.push(q)
    return new Promise<Response>((done, fail) => { o.signal?.addEventListener('abort', () => hears && fail(new DOMException('', 'AbortError'))); void Promise.resolve(answer(q)).then(done) })
  })
})
afterEach(() => { scope.stop(); vi.useRealTimers(); vi.unstubAllGlobals() })
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const start = (at: Parameters<typeof useHistory>[1] = {}, what: Asked = { device: 'D', metrics: ['power'], newest: 0 }) => scope.run(() => useHistory(() => what, at))!

describe('the stretch of time that charts show', () => {
  it('begins with a day up to now, read with a margin on the left, in one call a metric', async () => {
    const h = start({}, { device: 'D', metrics: ['power', 'volt'], newest: 0 })
    await settle()
    expect(asked.map((q) => [q.get('metric'), q.get('every'), q.get('agg'), Number(q.get('from')), Number(q.get('to'))]))
      .toEqual(['power', 'volt'].map((m) => [m, '5m', 'min,avg,max,count', NOW - 1.25 * DAY, NOW]))
    expect([h.preset.value, h.canBack.value, h.busy.value, Object.keys(h.drawn.value)]).toEqual(['day', false, false, ['power', 'volt']])
  })
  it('is what the address says, and does not move then', async () => {
    const h = start({ range: { from: NOW - 5 * DAY, to: NOW - 4 * DAY } })
    await settle()
    live.now += 1000; await nextTick()
    for (let i = 0; i < 10; i++) { live.now += 1000; await nextTick(); await settle(1000) }
    expect(h.range.value).toEqual({ from: NOW - 5 * DAY, to: NOW - 4 * DAY })
    expect([h.preset.value, h.follows.value, asked.length]).toEqual([null, false, 1])
  })
  it('reads once when a hand rests, and goes back in one step for one movement', async () => {
    const h = start()
    await settle(1000)
    const before = h.range.value
    for (let i = 0; i < 20; i++) { h.pan(-600e3); await settle(16) }
    await settle(1000)
    expect(asked).toHaveLength(2)
    h.zoom(0.5)
    await settle(1000)
    expect(Math.round(h.range.value.to - h.range.value.from)).toBe(12 * HOUR)
    h.back()
    await settle()
    expect(h.range.value.to).toBe(before.to - 20 * 600e3)
    h.back()
    await settle()
    expect([h.follows.value, h.preset.value, h.range.value.to, h.canBack.value]).toEqual([true, 'day', Date.now(), false])
  })
  it('follows the clock by reading its end only', async () => {
    const h = start()
    await settle()
    const n = h.drawn.value.power!.points.length
    for (let i = 0; i < 5; i++) { live.now += 1000; await nextTick(); await settle(1000) }
    expect(asked).toHaveLength(2)
    expect(NOW - Number(asked[1]!.get('from'))).toBeLessThanOrEqual(300e3)
    expect(h.drawn.value.power!.points.length).toBeGreaterThanOrEqual(n)
    expect([h.range.value.to > NOW, h.preset.value]).toEqual([true, 'day'])
  })
  it.each([true, false])('forgets an answer that comes after somebody went elsewhere', async (fails) => {
    hears = fails
    const held: ((r: Response) => void)[] = []
    answer = (q) => (asked.length === 1 ? new Promise((done) => held.push(done)) : points(q))
    const h = start()
    await settle()
    h.choose('week')
    await settle(200)
    held[0]!(new Response(JSON.stringify({ unit: 'late', points: [], next: null }), { status: 200 }))
    await settle()
    expect([h.drawn.value.power!.unit, h.busy.value, h.preset.value]).toEqual(['kW', false, 'week'])
  })
  it('keeps what was drawn when a later read fails, and says so', async () => {
    const h = start()
    await settle()
    answer = () => new Response(JSON.stringify({ code: 'store_unavailable', detail: '' }), { status: 503 })
    h.choose('month')
    await settle(200)
    expect([h.problem.value?.code, h.busy.value, h.drawn.value.power!.points.length > 0]).toEqual(['store_unavailable', false, true])
    answer = points
    await h.read()
    expect(h.problem.value).toBeNull()
  })
})

describe('a mark', () => {
  it('of an alarm lasts until it ended, or until now', () => {
    meta.d = { resources: [] } as unknown as Describe
    const a = (o: object): Row => ({ id: '7', severity: 'bad', title: '水浸', since_ms: 5, ended_ms: null, metric: null, ...o }) as unknown as Row
    expect(happenedAlarm(a({}), 100)).toMatchObject({ at: 5, to: 100, tone: 'bad', metric: '', href: '/alarms/7' })
    expect(happenedAlarm(a({ ended_ms: 50, metric: 'co2' }), 100)).toMatchObject({ to: 50, metric: 'co2' })
    meta.d = null
  })
})
