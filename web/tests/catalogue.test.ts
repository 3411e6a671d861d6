// Units of the catalogue of models: what they measure is read by name and code, one is found by its category and its picture.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'
import { forgetCodes } from '@/shared/codes'
import { unitWords } from '@/shared/format'
import { setLanguage } from '@/shared/i18n'
import { paths } from '@/shared/kit/icons'
import { meta, type Describe, type Field, type Resource } from '@/shared/meta'
import Input from '../apps/console/Input.vue'
import LinesTable from '../apps/console/LinesTable.vue'
import { rangeOf } from '../apps/console/ranges'
import { listQuery } from '../apps/console/useList'
import Filters from '../apps/console/list/Filters.vue'
import Rows from '../apps/console/list/Rows.vue'

const option = (v: string, zh: string, en: string): object => ({ v, t: { zh, en } })
const field = (name: string, type = 'text', more: object = {}): Field => ({ name, type, title: { zh: name + '列', en: name }, required: false, readonly: false, fixed: false, list: { default: true, sort: true, filter: true }, ...more }) as unknown as Field
const category = field('category', 'choice', { options: [option('water', '用水', 'Water'), option('fire', '消防', 'Fire')] })
const models = { name: 'device_models', label_field: 'name', title: { zh: '设备型号', en: 'Device models' }, rights: ['read'], fields: [field('code'), field('name'), category, field('icon', 'choice')] } as unknown as Resource
const rows = [{ code: 'smoke', name: '烟感', category: 'fire' }, { code: 'meter', name: '水表', category: 'water' }, { code: 'own', name: '自制', category: null }, { code: 'hydrant', name: '消火栓', category: 'fire' }]
beforeEach(() => {
  setLanguage('zh')
  forgetCodes()
  meta.d = { communities: [], resources: [models] } as unknown as Describe
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ items: rows, next: null }), { status: 200 })))
})
const metrics = field('metrics', 'lines', { fields: [field('metric'), field('name_zh'), field('name_en'), field('unit'), field('low', 'decimal'), field('high', 'decimal'), field('kind', 'choice', { options: [option('gauge', '瞬时值', 'Gauge'), option('counter', '累计值', 'Counter')] })] })
const table = (lines: object[]): string[][] => { const w = mount(LinesTable, { props: { resource: models, field: metrics, lines: lines as never } }); return [w.findAll('th'), ...w.findAll('tbody tr').map((r) => r.findAll('td'))].map((r) => r.map((c) => c.text())) }

describe('what a model measures', () => {
  const lines = [{ metric: 'flow', name_zh: '瞬时流量', name_en: 'Flow', unit: 'm3/h', low: 0, high: 2.5, kind: 'gauge' }, { metric: 'open', name_zh: '门开', name_en: 'Open', unit: null, low: 0, high: 1, kind: 'gauge' }, { metric: 'volume', name_zh: '累计用水', name_en: 'Volume', unit: 'm3', low: 0, high: 999999.99, kind: 'counter' }]
  it('is read by its name and, beside it, the code that rules need; units as people write them; no range of a flag or a counter', () => {
    expect(table(lines)).toEqual([['metric列', 'unit列', '正常', 'kind列'], ['瞬时流量flow', 'm³/h', '0–2.5', '瞬时值'], ['门开open', '', '', '瞬时值'], ['累计用水volume', 'm³', '', '累计值']])
    setLanguage('en')
    expect(table(lines)[1]![0]).toBe('Flowflow')
    expect(table([{ metric: 'x', name_zh: null, name_en: null, unit: null, low: 3, high: null, kind: null }])).toEqual([['metric', 'Normal'], ['x', '≥ 3']])
  })
  it.each([['dB[mW]', 'dBm'], ['mm[Hg]', 'mmHg'], ['uS/cm', 'µS/cm'], ['m3', 'm³'], ['kvar', 'kvar']])('in %s is written %s', (u, words) => expect(unitWords(u)).toBe(words))
  it('from 0 to 1 of something is a range', () => expect([rangeOf({ low: 0, high: 1, unit: 'MPa' }), rangeOf({ low: 0, high: 1 }), rangeOf({ low: 0, high: 5 })]).toEqual(['0–1', '', '0–5']))
})
describe('a model that is chosen', () => {
  it('stands with those of its category, in the order of categories, after what is suggested', async () => {
    const w = mount(Input, { props: { field: field('model'), owner: 'devices', suggestions: [{ v: 'smoke', t: '烟感' }] } })
    await flushPromises()
    expect(w.findAll('optgroup').map((g) => [g.attributes('label'), g.findAll('option').map((o) => o.text())])).toEqual([['像它的', ['烟感']], ['用水', ['水表']], ['消防', ['消火栓', '烟感']]])
    expect(w.findAll('option').at(-1)!.text()).toBe('自制')
    await w.setProps({ modelValue: 'smoke' })
    expect(w.get('.hint').text()).toBe('') // its name stands in the choice
    await w.get('select').setValue('hydrant')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual(['hydrant'])
  })
})
describe('the list of models', () => {
  it('goes by category, has it as a filter at hand, and shows each one’s picture', async () => {
    expect(listQuery(models, {})).toBe('sort=category')
    expect(listQuery(models, { sort: '-name', 'f.category': 'fire' })).toBe('f.category=fire&sort=-name')
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:x', component: { template: '<i />' } }] })
    await router.push('/device_models?f.category=fire')
    const w = mount(Filters, { props: { r: models }, global: { plugins: [router] } })
    expect(w.findAll('select.chapter option').map((o) => o.text())).toEqual(['category列：全部', '用水', '消防'])
    expect((w.get('select.chapter').element as HTMLSelectElement).value).toBe('fire')
    expect(w.findAll('.chip').length).toBe(0)
    await w.get('select.chapter').setValue('water')
    expect(w.emitted('set')!.at(-1)).toEqual([{ 'f.category': 'water' }])
    const row = { id: '1', code: 'smoke', name: '烟感', icon: 'bell', _labels: {}, _actions: [], _rights: [], _masked: [] }
    const list = mount(Rows, { props: { r: models, rows: [row] as never, columns: models.fields.slice(0, 3), at: -1, sorted: '', chosen: [] }, global: { plugins: [router] } })
    expect(list.get('td.label path').attributes('d')).toBe(paths.bell)
  })
})
