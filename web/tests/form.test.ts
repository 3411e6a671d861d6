// Units of forms: what is sent, where an error belongs, wall clocks and money.
import { describe, expect, it } from 'vitest'
import { mount } from '@vue/test-utils'
import type { Row } from '@/shared/api'
import type { Field } from '@/shared/meta'
import { fromWall, parseMoney, toWall } from '@/shared/wall'
import Input from '../apps/console/Input.vue'
import LinesTable from '../apps/console/LinesTable.vue'
import Steps from '../apps/console/Steps.vue'
import type { Resource } from '@/shared/meta'
import { suggestionsFor } from '../apps/console/suggest'
import { createBody, fieldFor, patchBody } from '../apps/console/useForm'

const field = (name: string, type: string, more: Partial<Field> = {}): Field =>
  ({ name, type, title: { zh: name + '名', en: name }, required: false, readonly: false, fixed: false, ...more })
const row = (o: Record<string, unknown>, masked: string[] = []): Row =>
  ({ id: '1', version: 3, created_ms: 0, updated_ms: 0, archived_ms: null, _labels: {}, _actions: [], _rights: [], _masked: masked, ...o })

describe('what a form sends', () => {
  it('leaves out what is empty when it creates', () => {
    expect(createBody([field('a', 'text'), field('b', 'text'), field('p', 'file')], { a: 'x', b: '', p: [] })).toEqual({ a: 'x' })
  })
  it('sends ids of files, and JSON as a value', () => {
    expect(createBody([field('p', 'file'), field('j', 'json')], { p: [{ id: '7', name: 'a.png' }], j: '{"k":1}' })).toEqual({ p: ['7'], j: { k: 1 } })
  })
  it('sends only what differs when it changes, and null clears', () => {
    expect(patchBody([field('a', 'text'), field('b', 'int'), field('c', 'text')], { a: 'x', b: 2, c: '' }, row({ a: 'x', b: 1, c: 'was' }))).toEqual({ b: 2, c: null })
  })
  it('never sends what is fixed or masked', () => {
    expect(patchBody([field('code', 'text', { fixed: true }), field('phone', 'text')], { code: 'new', phone: '139' }, row({ code: 'old', phone: '138****0000' }, ['phone']))).toEqual({})
  })
  it('takes the files of a row as unchanged when their ids are', () => {
    expect(patchBody([field('p', 'file')], { p: [{ id: '7', name: 'a', type: 't', size_bytes: 1 }] }, row({ p: [{ id: '7', name: 'a', type: 't', size_bytes: 1, at_ms: 5 }] }))).toEqual({})
  })
})

describe('errors of the server', () => {
  const fields = [field('name', 'text'), field('lines', 'lines')]
  it('belong to the field, also from within its lines', () => {
    expect(fieldFor(fields, { field: 'lines.2.price', code: 'required' })?.name).toBe('lines')
    expect(fieldFor(fields, { field: 'lines[2].price', code: 'required' })?.name).toBe('lines')
    expect(fieldFor(fields, { field: 'name', code: 'too_long' })?.name).toBe('name')
  })
  it('belong to none that merely begins alike', () => { expect(fieldFor(fields, { field: 'name_en', code: 'required' })).toBeNull() })
})

describe('wall clocks', () => {
  it('are those of the community', () => { expect(toWall(Date.parse('2026-11-24T02:42:00Z'), 'Asia/Shanghai')).toBe('2026-11-24T10:42') })
  it('go there and back', () => { for (const zone of ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York']) expect(toWall(fromWall('2026-07-01T23:59', zone)!, zone)).toBe('2026-07-01T23:59') })
  it('know the day the clocks change', () => { expect(fromWall('2026-03-29T03:30', 'Europe/Berlin')).toBe(Date.parse('2026-03-29T01:30:00Z')) })
  it('say nothing for no time', () => { expect(fromWall('soon', 'Asia/Shanghai')).toBeNull() })
})

describe('money', () => {
  for (const [typed, cents] of [['12', 1200], ['¥1,234.5', 123450], ['0.07', 7], ['-3.05', -305], ['1.005', null], ['twelve', null], ['', null]] as const)
    it(`"${typed}" is ${cents} cents`, () => { expect(parseMoney(typed)).toBe(cents) })
})

describe('an input drawn from describe', () => {
  const draw = (f: Field, modelValue: unknown, error = '') => mount(Input, { props: { field: f, modelValue, error, inputId: 'x' } })
  it('keeps what is typed on the way to a decimal', async () => {
    const w = draw(field('limit', 'decimal'), null)
    await w.find('input').setValue('1.0')
    await w.setProps({ modelValue: 1 })
    expect(w.find('input').element.value).toBe('1.0')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual([1])
  })
  it('shows cents as a sum and gives cents back', async () => {
    const w = draw(field('price', 'money'), 1250)
    expect(w.find('input').element.value).toBe('12.50')
    await w.find('input').setValue('13')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual([1300])
  })
  it('says its error in the line of its help, and is told to be invalid', () => {
    const w = draw(field('name', 'text', { help: { zh: '帮助', en: 'help' } }), '', '必填')
    expect(w.find('#xh').text()).toBe('必填')
    expect(w.find('input').attributes('aria-invalid')).toBe('true')
    expect(w.find('input').attributes('aria-describedby')).toBe('xh')
  })
  it('offers the options of a choice, and none where it may stay empty', () => {
    const options = [{ v: 'a', t: { zh: '甲', en: 'A' } }]
    expect(draw(field('k', 'choice', { options }), undefined).findAll('option').map((o) => o.text())).toEqual(['请选择', '无', '甲'])
    expect(draw(field('k', 'choice', { options, required: true }), undefined).findAll('option').map((o) => o.text())).toEqual(['请选择', '甲'])
  })
  it('suggests what a free text may be and says what it means, and takes anything', async () => {
    const w = mount(Input, { props: { field: field('event_code', 'text', { max: 40 }), inputId: 'x', modelValue: 'fire_alarm', suggestions: suggestionsFor('rules', 'event_code', {}) } })
    expect(w.get('input').attributes('list')).toBe('xd')
    expect(w.findAll('#xd option').map((o) => o.attributes('value'))).toEqual(expect.arrayContaining(['fire_alarm', 'fault']))
    expect(w.get('#xh').text()).toBe('火警')
    await w.get('input').setValue('door_forced')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual(['door_forced'])
    await w.setProps({ modelValue: 'door_forced' })
    expect(w.get('#xh').text()).toBe('')
  })
})

describe('lines of a form', () => {
  const kind = field('kind', 'choice', { options: [{ v: 'gauge', t: { zh: '瞬时值', en: 'Gauge' } }, { v: 'counter', t: { zh: '累计值', en: 'Counter' } }] })
  const lines = field('metrics', 'lines', { max: 2, fields: [field('metric', 'text'), field('low', 'decimal'), kind] })
  it('have each field by its type, and a line more up to their number', async () => {
    const w = mount(Input, { props: { field: lines, modelValue: [{ metric: 'power', low: 1.5, kind: 'gauge' }] } })
    expect(w.findAll('.line option').map((o) => o.text())).toContain('累计值')
    await w.get('.line select').setValue('counter')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual([[{ metric: 'power', low: 1.5, kind: 'counter' }]])
    await w.get('.line input[type=number]').setValue('2.5')
    expect((w.emitted('update:modelValue')!.at(-1)![0] as { low: number }[])[0]!.low).toBe(2.5)
    expect(w.get('.lines > .btn').attributes('disabled')).toBeUndefined()
    await w.setProps({ modelValue: [{}, {}] })
    expect(w.get('.lines > .btn').attributes('disabled')).toBeDefined()
  })
  it('are read as a table of what they say', () => {
    const w = mount(LinesTable, { props: { resource: { name: 'x', fields: [] } as unknown as Resource, field: lines, lines: [{ metric: 'x1', kind: 'counter', low: null }] } })
    expect(w.findAll('th').map((e) => e.text())).toEqual(['metric名', 'kind名'])
    expect(w.findAll('td').map((e) => e.text())).toEqual(['x1', '累计值'])
  })
})

describe('a step that ends where the row stands', () => {
  const action = (name: string, from: string[], to: string): object => ({ name, title: { zh: name, en: name }, from, to, danger: false, takes: [], need: [] })
  const r = { name: 'x', fields: [], state: { field: 'state', values: [], actions: [action('派单', ['open'], 'sent'), action('派单', ['sent'], 'sent'), action('更换编号', ['sent'], 'sent')] } } as unknown as Resource
  it('is said to be one over again only where it may have led there', () => {
    const w = mount(Steps, { props: { r, row: { ...row({ state: 'sent' }), _actions: ['派单', '更换编号'] }, busy: false, act: () => Promise.resolve(null) } })
    expect(w.findAll('button').map((b) => b.text()).sort()).toEqual(['更换编号', '重新派单'].sort())
  })
})
