// Many devices side by side: what is asked for, in which order it comes, what a link of it says.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { csvOfMany, DRAWN_MOST, fixedOf, linkTo, readMany, unitOfAggregate, type Asked } from '@/shared/chart/many'
import { LONGEST } from '@/shared/chart/scale'

const HOUR = 3600e3
const asked: Asked = { metric: 'a b', group: 'place', agg: 'p95', place: '7', top: 10, range: { from: 0.5, to: 2 * HOUR - 0.5 } }
afterEach(() => { vi.unstubAllGlobals() })
function serve(whole: object[], cut: object[]): URLSearchParams[] {
  const seen: URLSearchParams[] = []
  vi.stubGlobal('fetch', (address: string) => {
    const q = new URL(address, 'http://h').searchParams
    seen.push(q)
    return Promise.resolve(new Response(JSON.stringify(q.get('every') === '1000000h' ? { at: [0], groups: whole } : { at: [0, 120e3], groups: cut }), { status: 200 }))
  })
  return seen
}
const group = (key: string, values: (number | null)[]) => ({ key, name: key.toUpperCase(), devices: 2, values })

describe('one metric of many', () => {
  it('is read as figures over the whole time, which give the order, and as windows', async () => {
    const seen = serve([group('y', [9]), group('x', [3]), group('z', [null])], [group('x', [1, null]), group('y', [4, 5])])
    const m = await readMany(asked)
    expect(m.groups.map((g) => [g.key, g.name, g.devices, g.figure, g.points.map((p) => p.mean)])).toEqual([['y', 'Y', 2, 9, [4, 5]], ['x', 'X', 2, 3, [1, null]], ['z', 'Z', 2, null, [null, null]]])
    expect([m.step, m.cut]).toEqual([120e3, false])
    expect(m.groups[0]!.points.map((p) => [p.at, p.end])).toEqual([[0, 120e3], [120e3, 240e3]])
    for (const q of seen) expect(['metric', 'group', 'agg', 'place', 'top', 'from', 'to'].map((k) => q.get(k))).toEqual(['a b', 'place', 'p95', '7', '10', '0', String(2 * HOUR)])
    expect(seen.map((q) => q.get('every')).sort()).toEqual(['1000000h', '2m'])
  })
  it('is never more than can be drawn, and says so', async () => {
    const many = Array.from({ length: DRAWN_MOST + 1 }, (_, i) => group('k' + i, [i]))
    const seen = serve(many, many)
    const m = await readMany({ ...asked, top: 0 })
    expect([m.groups.length, m.cut]).toEqual([DRAWN_MOST, true])
    expect(seen.map((q) => q.get('top')).sort()).toEqual([String(DRAWN_MOST), String(DRAWN_MOST + 1)])
  })
  it('can be had as CSV just as it is drawn', () => {
    expect(csvOfMany(asked)).toBe(`/api/v1/telemetry/aggregate?metric=a%20b&group=place&every=2m&agg=p95&from=0&to=${2 * HOUR}&place=7&top=10&format=csv`)
    expect(csvOfMany({ ...asked, place: '', top: 0 })).toContain(`to=${2 * HOUR}&top=${DRAWN_MOST}&format=csv`)
  })
  it.each([['avg', 'kW', 'kW'], ['count', 'kW', ''], ['integral', 'kW', 'kWh'], ['integral', '°C', '°C·h'], ['integral', '', ''], ['rate', 'm³', 'm³/s'], ['rate', '', '/s'], ['delta', 'kWh', 'kWh']] as const)('is measured, as %s of %s, in %s', (agg, unit, is) => { expect(unitOfAggregate(agg, unit)).toBe(is) })
})
describe('an address', () => {
  it('names a stretch that stands still, or none', () => {
    expect(fixedOf('5', '9')).toEqual({ from: 5, to: 9 })
    for (const [a, b] of [['9', '5'], ['5', '5'], ['5', undefined], ['x', '9'], ['-5', '9'], ['0', String(LONGEST + 1)], [['5'], '9']]) expect(fixedOf(a, b)).toBeNull()
  })
  it('for somebody else shows what is seen now, at any later time', () => {
    const link = linkTo({ group: 'place', top: '10', range: 'week', metric: '', view: 'table', list: ['a', 'b'] }, { metric: 'co2', range: { from: 5.5, to: 9.5 } })
    expect(link).toBe('/charts?group=place&top=10&view=table&metric=co2&from=5&to=10')
    const q = new URL(link, 'http://h').searchParams
    expect(fixedOf(q.get('from'), q.get('to'))).toEqual({ from: 5, to: 10 })
    expect(linkTo(Object.fromEntries(q), { metric: 'co2', range: { from: 5, to: 10 } })).toBe('/charts?group=place&top=10&view=table&metric=co2&from=5&to=10')
  })
})
