// The plan of an estate: outlines to paths, what is coloured, what is told in words.
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import EstatePlan from '../apps/console/EstatePlan.vue'
import { fit, openThings, path, spread, worst, type Geometry } from '../apps/console/estate'
import { meta, type Describe } from '@/shared/meta'
import type { Row } from '@/shared/api'

const row = (o: Record<string, unknown>): Row => ({ id: '1', version: 1, created_ms: 0, updated_ms: 0, archived_ms: null, _labels: {}, _actions: [], _rights: [], _masked: [], ...o })
const square = (x: number, y: number, side: number): Geometry => ({ type: 'Polygon', coordinates: [[[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]] })

const push = vi.hoisted(() => vi.fn())
vi.mock('vue-router', () => ({ useRouter: () => ({ push }) }))

describe('outlines', () => {
  it('fill the width, north on top, longitudes shortened by the latitude', () => {
    const f = fit([square(10, 60, 0.01)], 112, 6) // at 60 degrees north a degree of longitude is half one of latitude
    expect(f.at([10, 60.01])).toEqual([6, 6])
    expect(f.at([10.01, 60])[0]).toBe(106)
    expect(f.at([10.01, 60])[1]).toBeCloseTo(206, 0)
    expect(f.height).toBeGreaterThan(205)
  })
  it('become closed paths, lines stay open, points have none', () => {
    const f = fit([square(0, 0, 1)], 112, 6)
    expect(path(square(0, 0, 1), f)).toMatch(/^M6 106L106 106L106 6L6 6L6 106Z$/)
    expect(path({ type: 'MultiLineString', coordinates: [[[0, 0], [1, 0]], [[0, 1], [1, 1]]] }, f)).toBe('M6 106L106 106M6 6L106 6')
    expect(path({ type: 'Point', coordinates: [0, 0] }, f)).toBe('')
  })
})

describe('what is open', () => {
  it('stands worst first; a case of a running alarm is told by the alarm; without a place it is not on the plan', () => {
    const things = openThings([row({ id: 'a', severity: 'warn', place_id: 'p', title: 'A' })],
      [row({ id: 'c', alarm_id: 'a', place_id: 'p', state: 'new', title: 'C' }), row({ id: 'd', place_id: 'p', state: 'new', accept_due_ms: 5, title: 'D' }),
        row({ id: 'e', place_id: 'p', state: 'onsite', close_due_ms: 50, title: 'E' }), row({ id: 'f', place_id: null, state: 'new', title: 'F' })], 10)
    expect(things.map((o) => o.id + ' ' + o.tone)).toEqual(['d bad', 'a warn', 'e info'])
  })
  it('takes the worse of two tones, never colour by order of coming', () => {
    expect(worst('info', 'bad')).toBe('bad')
    expect(worst('warn', 'info')).toBe('warn')
  })
  it('labels do not lie on one another', () => {
    const ys = spread([{ x: 50, y: 40, width: 60 }, { x: 60, y: 42, width: 60 }, { x: 55, y: 38, width: 60 }, { x: 300, y: 40, width: 60 }], 20, 0, 200)
    expect(ys[3]).toBe(40)
    for (let i = 0; i < 3; i++) for (let k = 0; k < i; k++) expect(Math.abs(ys[i]! - ys[k]!)).toBeGreaterThanOrEqual(20)
  })
})

describe('the plan', () => {
  afterEach(() => { vi.unstubAllGlobals(); meta.d = null })
  const estate = row({ id: '1', name: '云杉里', kind: 'estate', shape: square(0, 0, 1), shape_source: 'OSM, ODbL' })
  const houses = [row({ id: '2', name: '7号楼', kind: 'building', parent_id: '1', at: { lat: 0.2, lon: 0.2 }, shape: square(0.1, 0.1, 0.2) }),
    row({ id: '3', name: '8号楼', kind: 'building', parent_id: '1', at: { lat: 0.7, lon: 0.7 }, shape: square(0.6, 0.6, 0.2) })]
  function serve(alarms: Row[]): void {
    meta.d = { resources: [{ name: 'alarms', rights: ['read'], fields: [] }, { name: 'cases', rights: [], fields: [] }] } as unknown as Describe
    const rooms = [row({ id: '9', name: '7号楼1单元', kind: 'unit', parent_id: '2' })]
    vi.stubGlobal('fetch', (address: string) => {
      const u = new URL(address, 'http://h'), kind = u.searchParams.get('f.kind')
      const items = u.pathname.endsWith('/alarms') ? alarms : kind === 'estate' ? [estate] : kind ? houses : rooms.filter((r) => u.searchParams.get('f.id')!.split(',').includes(r.id))
      return Promise.resolve(new Response(JSON.stringify({ items, next: null, total: null }), { status: 200 }))
    })
  }
  const draw = async () => { const w = mount(EstatePlan, { global: { stubs: { RouterLink: { props: ['to'], template: '<a :href="to"><slot /></a>' } } } }); await flushPromises(); return w }
  it('draws every building, colours and names only what has something open, and says the same in a list', async () => {
    serve([row({ id: '5', severity: 'bad', place_id: '9', title: '水浸' })])
    const w = await draw()
    expect(w.findAll('.house')).toHaveLength(2)
    expect(w.findAll('.house.bad')).toHaveLength(1)
    expect(w.find('.house.bad title').text()).toBe('7号楼')
    expect(w.findAll('.label').map((l) => l.text())).toEqual(['7号楼'])
    await w.find('.house.bad').trigger('click')
    await w.find('.house.calm').trigger('click')
    expect(push.mock.calls).toEqual([['/alarms/5'], ['/places/3']])
    expect(w.find('li a').attributes('href')).toBe('/alarms/5')
    expect(w.find('li').text()).toContain('水浸')
    expect(w.find('svg').attributes('aria-label')).toContain('2 栋楼')
    expect(w.find('figcaption').text()).toContain('OSM, ODbL')
  })
  it('is quiet when nothing is open', async () => {
    serve([])
    const w = await draw()
    expect(w.findAll('.house.calm')).toHaveLength(2)
    expect(w.find('.label').exists()).toBe(false)
    expect(w.text()).toContain('都没有未了的事')
  })
})
