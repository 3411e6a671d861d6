// Units of whose readings are asked for: the community is said where there are several, and a refusal is no silence.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises } from '@vue/test-utils'
import { effectScope, nextTick, ref } from 'vue'
import { Problem, type Row } from '@/shared/api'
import { csvOf } from '@/shared/chart/history'
import { csvOfMany } from '@/shared/chart/many'
import { meta, type Describe } from '@/shared/meta'
import { metricWords } from '@/shared/metrics'
import { communityCode, deviceQuery } from '@/shared/readings'
import { useDevice } from '../apps/console/useDevice'

const asked: string[] = []
let status = 200
const several = (n: number): void => { meta.d = { communities: ['a b', 'second'].slice(0, n).map((code, i) => ({ id: String(i + 1), code, name: code, zone: '' })), resources: [] } as unknown as Describe }
beforeEach(() => {
  several(2)
  asked.length = 0
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url)
    // As the server answers who reaches several communities and names none.
    const refused = { type: 'about:blank', title: 'Bad request', status: 400, code: 'bad_field', errors: [{ field: 'community', code: 'required', args: {} }], trace: '601d' }
    return Promise.resolve(new Response(JSON.stringify(status === 200 ? { items: [], points: [] } : refused), { status }))
  })
})
describe('whose readings are asked for', () => {
  it('is said with the community where there are several', () => {
    expect([communityCode('1'), communityCode('2'), communityCode('3'), communityCode(undefined)]).toEqual(['a b', 'second', '', ''])
    expect(deviceQuery({ code: 'H 1', community: 'a b' })).toBe('device=H%201&community=a%20b')
    expect(csvOf({ code: 'D', community: 'second' }, 'p', { from: 1, to: 2 }, { points: [], step: 0, every: '', unit: '' })).toContain('?device=D&community=second&')
    expect(csvOfMany({ metric: 'p', group: 'device', agg: 'avg', place: '', top: 0, range: { from: 0, to: 9 }, community: 'second' })).toContain('&community=second')
    several(1)
    expect(communityCode('1')).toBe('')
  })
  const page = (): ReturnType<typeof useDevice> & { row: { value: Row | null } } => {
    const row = ref<Row | null>(null)
    return { row, ...effectScope().run(() => useDevice(() => '9', row, { open: ref(false), listen: () => undefined }))! }
  }
  it('is read for a device by its own community', async () => {
    status = 200
    const d = page()
    d.row.value = { id: '9', code: 'X-1', community_id: '2', _labels: {} } as unknown as Row
    await nextTick()
    await flushPromises()
    expect(asked).toContain('/api/v1/telemetry/latest?device=X-1&community=second')
    expect([d.latest.value, d.unread.value]).toEqual([[], null])
  })
  it('that is refused is no device without readings', async () => {
    status = 400
    const d = page()
    d.row.value = { id: '9', code: 'X-1', _labels: {} } as unknown as Row
    await nextTick()
    await flushPromises()
    expect(d.latest.value).toBeNull()
    expect(d.unread.value).toBeInstanceOf(Problem)
    status = 200
    await d.readLatest()
    expect([d.latest.value, d.unread.value]).toEqual([[], null])
  })
  it('are old after three of their own periods, and not before the device is silent', async () => {
    status = 200
    several(1)
    meta.d!.resources = [] as never
    const d = page(), now = Date.now()
    d.model.value = { metrics: [{ metric: 'volume', unit: 'm3', kind: 'counter', low: 0, high: 999999, every_s: 3600 }, { metric: 'open', unit: null, kind: 'gauge', low: 0, high: 1, every_s: null }, { metric: 'flow', unit: 'm3/h', kind: 'gauge', low: 0, high: 2.5, every_s: 60 }], rules: [] } as unknown as Row
    const old = (metric: string, minutes: number): boolean => d.isStale({ metric, unit: null, value: 1, at_ms: now - minutes * 60e3 })
    expect([old('volume', 170), old('volume', 190), old('flow', 9), old('flow', 12), old('pm25_hour_avg', 90), old('pm25', 90)]).toEqual([false, true, false, true, false, true])
    d.model.value = { ...d.model.value, rules: [{ kind: 'silence', for_s: 7200 }] } as unknown as Row
    expect([old('flow', 110), old('flow', 130)]).toEqual([false, true])
    expect([d.usual('flow'), d.usual('open'), d.usual('volume')]).toEqual(['正常 0–2.5', '', ''])
  })
  it('of a window that no model lists are called by what they are of', async () => {
    expect([metricWords('pm25_hour_min'), metricWords('so2_day_avg_converted'), metricWords('one_hour')]).toEqual(['pm25 小时最低', 'so2 日均值（折算）', 'one_hour'])
  })
})
