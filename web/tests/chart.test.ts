// Units of charts: windows, moving about, gaps, ticks of values and of civil time, marks, what hands wish for, what is asked of the server.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { beyond, clustered, figuresOf, gapsOf, inside, nearest, knownOf, readings, runsOf, windowed, type Point } from '@/shared/chart/series'
import { between, lengthOf, LONGEST, niceTicks, panned, presetOf, presets, SHORTEST, stretched, tickDigits, timeTicks, windowFor, zoomed } from '@/shared/chart/scale'
import { continued, csvOf, history, joined } from '@/shared/chart/history'
import { useHands } from '@/shared/chart/hands'
import { eachWords } from '@/shared/chart/stretch'
import { time } from '@/shared/format'
import { fromWall, toWall } from '@/shared/wall'

const HOUR = 3600e3, DAY = 86400e3

describe('windows', () => {
  it('are as short as there is room for, and never too many', () => {
    expect((Object.keys(presets) as (keyof typeof presets)[]).map((k) => windowFor(presets[k], 720).every)).toEqual(['10s', '5m', '15m', '2h', '1d'])
    expect(windowFor(presets.year, 290).every).toBe('1d')
    for (const width of [280, 720, 3000]) for (let ms = SHORTEST; ms <= LONGEST; ms *= 1.37) expect(ms / windowFor(ms, width).ms, `${ms} on ${width}`).toBeLessThanOrEqual(700)
    expect(windowFor(DAY, 150).ms).toBeGreaterThan(windowFor(DAY, 900).ms)
  })
})

describe('moving about', () => {
  const r = { from: 10 * DAY, to: 11 * DAY }, now = 20 * DAY
  it('keeps what is under the pointer where it is', () => {
    const about = r.from + 6 * HOUR, z = zoomed(r, 0.5, about, now)
    expect(z.to - z.from).toBe(DAY / 2)
    expect((about - z.from) / (z.to - z.from)).toBeCloseTo(0.25)
    expect(zoomed(zoomed(r, 2, about, now), 0.5, about, now)).toEqual(r)
  })
  it('does not reach past now, nor below the shortest, nor above the longest', () => {
    expect(panned(r, 30 * DAY, now)).toEqual({ from: 19 * DAY, to: 20 * DAY })
    expect(panned(r, -DAY, now)).toEqual({ from: 9 * DAY, to: 10 * DAY })
    const z = zoomed(r, 1e-9, r.from + HOUR, now), y = zoomed(r, 1e9, r.from, now), b = between(r.from + 5, r.from, now)
    expect([z.to - z.from, y.to - y.from, b.to - b.from]).toEqual([SHORTEST, LONGEST, SHORTEST])
    expect(y.to).toBe(now)
  })
  it('takes a stretch in any order, and knows a preset by its length', () => {
    expect(between(r.to, r.from, now)).toEqual(r)
    expect([presetOf(r), presetOf({ from: 0, to: DAY + 1 })]).toEqual(['day', null])
  })
})

describe('a series of readings', () => {
  const every = (ms: number, from: number, n: number, v = 1): Point[] => readings(Array.from({ length: n }, (_, i) => [from + i * ms, v]))
  it('has a gap only past three usual steps, and to the end', () => {
    expect(gapsOf([...every(10, 0, 5), ...every(10, 70, 5)], 0, 110)).toEqual([]) // 40 -> 70 is three steps
    expect(gapsOf([...every(10, 0, 5), ...every(10, 71, 5)], 0, 112)).toEqual([{ from: 40, to: 71 }])
    expect(gapsOf(every(10, 0, 5), 0, 71)).toEqual([{ from: 40, to: 71 }])
  })
  it('has one from the beginning on, and only what lies in the range', () => {
    expect(gapsOf(every(10, 100, 5), 50, 140)).toEqual([{ from: 50, to: 100 }])
    expect(gapsOf([...every(10, 0, 5), ...every(10, 200, 5)], 100, 240)).toEqual([{ from: 100, to: 200 }])
    expect(gapsOf(every(10, 0, 1), 0, 1000)).toEqual([])
  })
  // Windows of 10 with so many readings each, 0: empty.
  const filled = (...n: number[]): Point[] => windowed(n.map((k, i) => (k ? [i * 10, 1, 2, 3, k] : [i * 10, null, null, null, 0])), 10)
  it('takes each empty window for a gap where windows are usually full, else only many of them', () => {
    expect(gapsOf(filled(5, 5, 0, 5, 5), 0, 50)).toEqual([{ from: 20, to: 30 }])
    expect(gapsOf(filled(3, 3, 0, 3, 3), 0, 50)).toEqual([{ from: 20, to: 30 }])
    expect(gapsOf(filled(1, 1, 0, 1, 1), 0, 50)).toEqual([])
    expect(gapsOf(filled(1, 0, 0, 1, 0, 0, 1), 0, 70)).toEqual([])
    expect(gapsOf(filled(1, 1, 1, 0, 0, 0, 1, 1), 0, 80)).toEqual([{ from: 20, to: 60 }])
  })
  it('is on both sides of the only window that has readings', () => {
    expect(gapsOf(filled(0, 0, 5, 0), 0, 40)).toEqual([{ from: 0, to: 20 }, { from: 30, to: 40 }])
  })
  it('waits for the first reading of the window that runs', () => {
    expect(gapsOf(filled(5, 5, 5, 0), 0, 33)).toEqual([])
    expect(gapsOf(filled(5, 5, 5, 0), 0, 38)).toEqual([{ from: 30, to: 38 }]) // more than three readings are missing
  })
  it('is drawn in runs that do not bridge a gap', () => {
    const p = filled(5, 5, 0, 5, 0, 0, 5, 5)
    expect(runsOf(p, gapsOf(p, 0, 80)).map((r) => r.map((k) => k.at))).toEqual([[0, 10], [30], [60, 70]])
    expect(runsOf(p, gapsOf(p, 35, 80)).map((r) => r.map((k) => k.at))).toEqual([[0, 10, 30], [60, 70]]) // the first gap is outside
    expect(runsOf(filled(1, 1, 0, 1), []).length).toBe(1)
  })
  it('has windows that end where the next begins, and the empty ones say so', () => {
    expect(windowed([[0, 1, 2, 3, 4], [23, null, null, null, 0]], 24)).toEqual([{ at: 0, end: 23, low: 1, mean: 2, high: 3, n: 4 }, { at: 23, end: 47, low: null, mean: null, high: null, n: 0 }])
    expect(windowed([[0, 1, 2, 3, 4], [24, 1, 1, 1, 1]], 24, 30).map((p) => p.end)).toEqual([24, 30]) // the last one still runs
  })
  it('sums up by time, not by how often something was read', () => {
    const p = windowed([[0, 1, 2, 9, 1], [10, 0, 4, 5, 3], [20, null, null, null, 0]], 10), f = figuresOf(p)!
    expect([f.mean, f.low.at, f.high.at]).toEqual([3, 10, 0])
    expect(figuresOf(p.slice(2))).toBeNull()
  })
  it('finds the nearest by the middle of a window, and what is in a range in part', () => {
    const p = filled(5, 5, 5)
    expect([nearest(knownOf(p), 11)!.at, nearest(knownOf(p), 9)!.at]).toEqual([10, 0])
    expect([inside(p, 15, 20).map((x) => x.at), inside(p, 10, 20).map((x) => x.at)]).toEqual([[10], [10]])
  })
  it('counts how often a limit was passed by the highest, or the lowest, of a window', () => {
    const p = [1, 5, 5, 1, 6].map((v, i): Point => ({ at: i * 10, end: i * 10, mean: 1, low: -v, high: v, n: 1 }))
    expect(beyond(p, 4, true)).toEqual({ times: 2, ms: 20 })
    expect(beyond(p, -5, false)).toEqual({ times: 1, ms: 0 })
    expect(beyond(p, 6, true).times).toBe(0)
  })
  it('puts marks together that would lie on one another, and only those', () => {
    expect(clustered([50, 0, 20, 28, 60].map((x) => ({ x })), 28).map((c) => c.map((m) => m.x))).toEqual([[0, 20], [28, 50], [60]])
  })
})

describe('ticks', () => {
  it('of values are round, with as many digits as tell them apart', () => {
    expect(niceTicks(71.02, 87.35)).toEqual([75, 80, 85])
    expect(niceTicks(0.19, 0.51)).toEqual([0.2, 0.3, 0.4, 0.5])
    expect([[75, 80], [0.25, 0.5], [2.5, 5], [0.002, 0.004], [1e6, 2e6]].map(tickDigits)).toEqual([0, 2, 1, 3, 0])
  })
  it('stand on a scale with air, that does not go below zero for nothing', () => {
    expect(stretched([0, 100])).toEqual({ low: 0, high: 108 })
    expect(stretched([-1, 1]).low).toBeLessThan(-1)
    expect(stretched([5, 5])).toEqual({ low: expect.closeTo(4.71), high: expect.closeTo(5.29) })
    expect(stretched([0, 0]).low).toBeLessThan(0)
  })
  const walls = (from: string, to: string, zone: string, n: number): string[] => timeTicks(fromWall(from, zone)!, fromWall(to, zone)!, zone, n).map((k) => toWall(k.at, zone))
  it('of time are round on the clock of the zone', () => {
    expect(timeTicks(500, 86400e3, 'UTC', 4).map((k) => k.at)).toEqual([21600e3, 43200e3, 64800e3, 86400e3])
    expect(walls('2026-03-01T22:10', '2026-03-02T10:00', 'Asia/Shanghai', 4)).toEqual(['2026-03-02T00:00', '2026-03-02T03:00', '2026-03-02T06:00', '2026-03-02T09:00'])
    expect(walls('2026-03-01T22:10', '2026-03-01T22:14', 'Asia/Kathmandu', 5)).toEqual(['2026-03-01T22:10', '2026-03-01T22:11', '2026-03-01T22:12', '2026-03-01T22:13', '2026-03-01T22:14'])
  })
  it('stay on midnight when a clock is put forward or back', () => {
    expect(walls('2026-03-27T12:00', '2026-03-31T12:00', 'Europe/Berlin', 5)).toEqual(['2026-03-28T00:00', '2026-03-29T00:00', '2026-03-30T00:00', '2026-03-31T00:00'])
    expect(walls('2026-10-24T12:00', '2026-10-27T12:00', 'Europe/Berlin', 5)).toEqual(['2026-10-25T00:00', '2026-10-26T00:00', '2026-10-27T00:00'])
  })
  it('leave out the hour that is skipped, and go on in the hour that comes twice', () => {
    expect(walls('2026-03-29T00:00', '2026-03-29T05:00', 'Europe/Berlin', 5)).toEqual(['2026-03-29T00:00', '2026-03-29T01:00', '2026-03-29T03:00', '2026-03-29T04:00', '2026-03-29T05:00'])
    const back = timeTicks(fromWall('2026-10-25T00:00', 'Europe/Berlin')!, fromWall('2026-10-25T06:00', 'Europe/Berlin')!, 'Europe/Berlin', 7)
    expect(back.map((k) => toWall(k.at, 'Europe/Berlin').slice(11))).toEqual(['00:00', '01:00', '02:00', '03:00', '04:00', '05:00', '06:00'])
    for (let i = 1; i < back.length; i++) expect(back[i]!.at).toBeGreaterThan(back[i - 1]!.at)
  })
  it('are Mondays in a month, firsts in a year, and name what begins', () => {
    const month = timeTicks(fromWall('2026-10-20T08:00', 'Asia/Shanghai')!, fromWall('2026-11-19T08:00', 'Asia/Shanghai')!, 'Asia/Shanghai', 6)
    expect(month.map((k) => new Date(k.at + 8 * HOUR).getUTCDay())).toEqual([1, 1, 1, 1])
    const year = timeTicks(fromWall('2025-11-20T08:00', 'Asia/Shanghai')!, fromWall('2026-11-20T08:00', 'Asia/Shanghai')!, 'Asia/Shanghai', 7)
    expect(year.map((k) => `${toWall(k.at, 'Asia/Shanghai').slice(0, 10)} ${k.unit}`)).toEqual(['2026-01-01 year', '2026-03-01 month', '2026-05-01 month', '2026-07-01 month', '2026-09-01 month', '2026-11-01 month'])
  })
  it('are never many, whatever the range', () => {
    for (let ms = SHORTEST; ms <= LONGEST; ms *= 1.9) { const k = timeTicks(1.7e12, 1.7e12 + ms, 'America/New_York', 7); expect(k.length, String(ms)).toBeGreaterThan(0); expect(k.length, String(ms)).toBeLessThanOrEqual(9) }
  })
  it('are told as the clock of the community shows', () => {
    expect(time(Date.UTC(2020, 0, 1, 16, 5))).toBe('2020-01-02 00:05')
    expect(time(Date.UTC(2020, 0, 1, 16, 5), false)).toBe('00:05')
  })
})

describe('what is asked of the server', () => {
  afterEach(() => { vi.unstubAllGlobals() })
  function serve(answer: (q: URLSearchParams) => object): string[] {
    const asked: string[] = []
    vi.stubGlobal('fetch', (address: string) => { asked.push(address); return Promise.resolve(new Response(JSON.stringify(answer(new URL(address, 'http://h').searchParams)), { status: 200 })) })
    return asked
  }
  it('is single readings where they are few, else windows', async () => {
    const few = serve(() => ({ unit: 'kW', points: [[5, 1], [6, null]], next: null }))
    expect(await history('D 1', 'power', { from: 0, to: HOUR }, 700)).toEqual({ points: readings([[5, 1], [6, null]]), step: 0, every: '', unit: 'kW' })
    expect(few).toHaveLength(1)
    expect(few[0]).toContain('device=D%201')
    const many = serve((q) => (q.get('every') ? { unit: 'kW', points: [[0, 1, 2, 3, 9]], next: null } : { unit: 'kW', points: [], next: '77' }))
    expect((await history('D', 'power', { from: 0, to: HOUR }, 700)).points).toEqual(windowed([[0, 1, 2, 3, 9]], 10e3))
    expect(many).toHaveLength(2)
    expect(many[1]).toContain('every=10s&agg=min,avg,max,count')
    const year = serve(() => ({ unit: 'kW', points: [], next: null }))
    await history('D', 'power', { from: 0, to: 365 * DAY }, 700, 0.25)
    expect(year).toHaveLength(1)
    expect(year[0]).toMatch(/from=-7884000000&to=39420000000&every=1d/)
  })
  it('goes on where it ended: the last window anew, readings after the last', async () => {
    const h = { points: windowed([[0, 1, 1, 1, 5], [10, 2, 2, 2, 1]], 10), step: 10, every: '10s', unit: '' }
    const asked = serve(() => ({ unit: '', points: [[10, 2, 3, 4, 6], [20, 5, 5, 5, 1]], next: null }))
    expect((await continued('D', 'p', h, 25)).points.map((p) => [p.at, p.end, p.n])).toEqual([[0, 10, 5], [10, 20, 6], [20, 25, 1]])
    expect(asked[0]).toContain('from=10&to=25')
    serve(() => ({ unit: '', points: [[3, 7]], next: null }))
    expect((await continued('D', 'p', { points: readings([[1, 5], [2, 6]]), step: 0, every: '', unit: '' }, 25)).points.map((p) => p.mean)).toEqual([5, 6, 7])
  })
  it('can be had as CSV just as it is drawn', () => {
    expect(csvOf('D', 'p', { from: 1, to: 2 }, { points: [], step: 5, every: '5m', unit: '' })).toBe('/api/v1/telemetry?device=D&metric=p&from=1&to=2&every=5m&agg=min,avg,max,count&format=csv')
    expect(csvOf('D', 'p', { from: 1, to: 2 }, { points: [], step: 0, every: '', unit: '' })).toBe('/api/v1/telemetry?device=D&metric=p&from=1&to=2&format=csv')
  })
})

describe('hands on a plot', () => {
  const said: string[] = []
  // A plot of 100 pixels over 100 ms.
  const make = () => { said.length = 0; return useHands({ msAt: (x) => x, range: () => ({ from: 0, to: 100 }), hover: (ms) => { if (ms !== null) said.push('hover ' + ms) }, step: (n) => said.push('step ' + n), pan: (ms) => said.push('pan ' + ms),
    zoom: (f, about) => said.push(`zoom ${Number(f.toFixed(2))} at ${about}`), select: (a, b) => said.push(`select ${a} ${b}`), back: () => said.push('back') }) }
  const at = (x: number, o: object = {}): PointerEvent => ({ pointerId: 1, clientX: x, button: 0, shiftKey: false, pointerType: 'mouse', currentTarget: document.body, ...o }) as unknown as PointerEvent
  const press = (key: string, o: object = {}): KeyboardEvent => new KeyboardEvent('keydown', { key, ...o })
  it('drag to pan, but a press that trembles is none', () => {
    const h = make()
    h.down(at(50)); h.move(at(52)); h.up(at(52))
    expect(said).toEqual([])
    h.down(at(50)); h.move(at(40)); h.up(at(40))
    expect(said).toEqual(['pan 10'])
  })
  it('drag with Shift to choose a stretch', () => {
    const h = make()
    h.down(at(20, { shiftKey: true })); h.move(at(70)); h.up(at(70))
    expect(said).toEqual(['select 20 70'])
    h.down(at(20, { shiftKey: true })); h.up(at(20))
    expect(said).toHaveLength(1)
  })
  it('pinch about what is between two fingers', () => {
    const h = make(), touch = { pointerType: 'touch' }
    h.down(at(40, touch)); h.down(at(60, { ...touch, pointerId: 2 })); h.move(at(80, { ...touch, pointerId: 2 }))
    expect(said).toEqual(['zoom 0.5 at 60'])
  })
  it('do the same by keys', () => {
    const h = make()
    for (const [k, o] of [['ArrowLeft', {}], ['ArrowRight', {}], ['+', {}], ['-', {}], ['Home', {}], ['ArrowRight', { shiftKey: true }], ['End', {}], ['x', {}], ['ArrowLeft', { ctrlKey: true }]] as const) h.keys(press(k, o))
    expect(said).toEqual(['pan -25', 'pan 25', 'zoom 0.5 at 50', 'zoom 2 at 50', 'back', 'step 1', 'step Infinity'])
  })
  it('turn a wheel only with the focus or Ctrl, so that the page can scroll', () => {
    const h = make(), box = document.body.appendChild(document.createElement('button'))
    const turn = (o: object): boolean => { const e = new WheelEvent('wheel', { deltaY: -400, clientX: 30, cancelable: true, ...o }); Object.defineProperty(e, 'currentTarget', { value: box }); h.wheel(e); return e.defaultPrevented }
    expect([turn({}), turn({ ctrlKey: true })]).toEqual([false, true])
    box.focus()
    expect(turn({ deltaY: 1e6 })).toBe(true)
    expect(said).toEqual(['zoom 0.55 at 30', 'zoom 2 at 30'])
    box.remove()
  })
})

describe('readings that come by themselves', () => {
  const single = { points: readings([[10, 1], [20, 2]]), step: 0, every: '', unit: null }
  it('stand where they belong, and in the place of what was written at that time', () => {
    expect(joined(single, [[30, 3], [15, 9], [20, 7]]).points.map((p) => [p.at, p.mean])).toEqual([[10, 1], [15, 9], [20, 7], [30, 3]])
    expect(single.points.map((p) => p.mean)).toEqual([1, 2])
  })
  const windows = { points: windowed([[0, 1, 2, 3, 2], [60, 4, 4, 4, 1]], 60, 70), step: 60, every: '1m', unit: null }
  it('make the window that runs grow, and begin the next ones', () => {
    const one = joined(windows, [[75, 8]]).points[1]!
    expect(one).toEqual({ at: 60, end: 75, n: 2, mean: 6, low: 4, high: 8 })
    const more = joined(windows, [[200, 5]]).points
    expect(more.map((p) => [p.at, p.end, p.mean])).toEqual([[0, 60, 2], [60, 120, 4], [120, 180, null], [180, 200, 5]])
    expect(windows.points[1]!.end).toBe(70)
  })
  it('leave what is before all windows, and what has no value', () => {
    expect(joined(windows, [[-5, 1], [65, null]]).points).toEqual(windows.points)
  })
})

describe('readings that are kept rolled up', () => {
  afterEach(() => { vi.unstubAllGlobals() })
  const HOURLY = [[0, 1, 2, 3, 60], [HOUR, 2, 3, 4, 60]]
  let asked: URLSearchParams[] = []
  function serve(answer: (q: URLSearchParams) => object): void {
    asked = []
    vi.stubGlobal('fetch', (address: string) => { const q = new URL(address, 'http://h').searchParams; asked.push(q); return Promise.resolve(new Response(JSON.stringify({ unit: '', next: null, ...answer(q) }), { status: 200 })) })
  }
  it('are read from windows as long as the drawn ones or shorter without more ado', async () => {
    serve(() => ({ points: HOURLY, tier: '1h' }))
    expect(await history('D', 'p', { from: 0, to: 365 * DAY }, 700)).toMatchObject({ every: '1d', tier: HOUR })
    expect((await history('D', 'p', { from: 0, to: 365 * DAY }, 700)).rolled).toBeUndefined()
    expect(asked).toHaveLength(2)
  })
  it('are drawn by the windows there are where those are longer', async () => {
    serve((q) => ({ points: q.get('every') === '1h' ? HOURLY : [], tier: '1h' }))
    expect(await history('D', 'p', { from: 0, to: DAY }, 700)).toMatchObject({ every: '1h', step: HOUR, tier: HOUR, rolled: true, points: [{ at: 0, end: HOUR, mean: 2 }, { at: HOUR, end: 2 * HOUR, mean: 3 }] })
    expect(asked.map((q) => q.get('every'))).toEqual(['5m', '1h'])
  })
  it('are found where single ones are gone, and single ones are not asked for twice', async () => {
    serve((q) => (q.get('every') ? { points: q.get('every') === '1h' ? HOURLY : [], tier: '1h' } : { points: [] }))
    expect(await history('D', 'p', { from: 0, to: HOUR }, 700)).toMatchObject({ every: '1h', rolled: true })
    serve((q) => ({ points: q.get('every') ? [[0, null, null, null, 0]] : [] }))
    expect(await history('D', 'p', { from: 0, to: HOUR }, 700)).toMatchObject({ step: 0, points: [] })
  })
  it('have a length that is one', () => {
    expect(['1h', '5m', '', '0m', '1d', 'x', undefined].map(lengthOf)).toEqual([HOUR, 5 * 60e3, 0, 0, 0, 0, 0])
  })
  it('are told in words people use', () => {
    expect([60e3, 300e3, HOUR, 2 * HOUR, DAY].map(eachWords)).toEqual(['每分钟', '每 5 分钟', '每小时', '每 2 小时', '每日'])
  })
})
