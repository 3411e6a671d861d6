// Units of what a reader arranges and what a page works out: own columns and views, work of the day, stories.
import { describe, expect, it, vi } from 'vitest'
import type { Row } from '@/shared/api'
import { meta, type Describe, type Resource } from '@/shared/meta'
import { forgetMetrics, metricsOf, withUnit } from '@/shared/metrics'
import { seconds, span, unitWords } from '@/shared/format'
import { setLanguage } from '@/shared/i18n'
import { eventWords } from '@/shared/wire'
import { columnsOf, ownQuery, readKept, sameQuery, VIEWS_MAX } from '../apps/console/kept'
import { kindsOf } from '../apps/console/story'
import { suggestionsFor } from '../apps/console/suggest'
import { broughtAlong } from '../apps/console/useForm'
import { handsOf, isNear, workOf } from '../apps/console/useToday'
import type { HistoryItem } from '../apps/console/useRow'

const row = (o: Record<string, unknown>): Row => ({ id: '1', version: 1, created_ms: 0, updated_ms: 0, archived_ms: null, _labels: {}, _actions: [], _rights: [], _masked: [], ...o })
const field = (name: string, type = 'text', shown = true): unknown => ({ name, type, title: { zh: name, en: name }, list: { default: shown, sort: true, filter: true } })
const visits = { name: 'visits', fields: [field('state', 'state'), field('name'), field('from_ms', 'time'), field('phone', 'text', false), field('photos', 'file')] } as unknown as Resource
const names = (chosen?: string[]): string => columnsOf(visits, chosen).map((f) => f.name).join(' ')

describe('columns and views of a reader', () => {
  it('are those of the description until something was chosen', () => { expect(names()).toBe('name from_ms') })
  it('keep the chosen order, and drop what is gone or fits no row', () => { expect(names(['phone', 'gone', 'photos', 'name'])).toBe('phone name') })
  it('fall back when nothing chosen is left', () => { expect(names(['gone'])).toBe('name from_ms') })
  it('survive a store that holds anything', () => {
    for (const text of [null, '', '{', '7', 'null', '{"columns":"x","views":[null,{"name":7},{"name":"a","query":null}]}']) expect(() => readKept(text)).not.toThrow()
    expect(readKept('{"columns":["a",7],"views":[{"name":"v","query":{"q":"x"}},{"name":1}]}')).toEqual({ columns: ['a'], views: [{ name: 'v', query: { q: 'x' } }] })
    expect(readKept(JSON.stringify({ views: Array.from({ length: 40 }, (_, i) => ({ name: 'v' + i, query: {} })) })).views).toHaveLength(VIEWS_MAX)
  })
  it('compare addresses by what is the list’s own, whatever the order', () => {
    expect(ownQuery({ q: '', to: 'x', 'f.state': 'asked', sort: 'name' })).toEqual({ 'f.state': 'asked', sort: 'name' })
    expect(sameQuery({ sort: 'name', q: 'a' }, { q: 'a', sort: 'name', other: '1' })).toBe(true)
    expect(sameQuery({ q: 'a' }, { q: 'b' })).toBe(false)
  })
})

describe('what needs doing now', () => {
  const c = (id: string, o: Record<string, unknown> = {}): Row => row({ id, state: 'assigned', priority: 'normal', assignee_id: '9', reported_ms: 0, accept_due_ms: 10, onsite_due_ms: 1000, close_due_ms: 100000, accepted_ms: 5, onsite_ms: null, closed_ms: null, late: null, alarm_id: null, ...o })
  it('is near past 80 percent, urgent, late, or taken by nobody', () => {
    expect(isNear(c('a'), 799)).toBe(false)
    expect(isNear(c('a'), 800)).toBe(true)
    expect(isNear(c('a', { priority: 'urgent' }), 1)).toBe(true)
    expect(isNear(c('a', { late: 'accept' }), 1)).toBe(true)
    expect(isNear(c('a', { state: 'new', accepted_ms: null, accept_due_ms: 1000, assignee_id: null }), 1)).toBe(true)
  })
  it('shows an alarm and its case once, bad alarms first, then by time left', () => {
    const alarm = (id: string, severity: string, since_ms: number): Row => row({ id, severity, since_ms, state: 'active' })
    const { work, calm } = workOf([alarm('1', 'warn', 9), alarm('2', 'bad', 1)], [c('k1', { alarm_id: '2' }), c('late', { onsite_due_ms: 500 }), c('soon', { onsite_due_ms: 950 }), c('calm', { onsite_due_ms: 90000 })], [c('d', { state: 'done' })], 900)
    expect(work.map((w) => `${w.group}:${w.row.id}`).join(' ')).toBe('alarms:2 alarms:1 due:late due:soon verify:d')
    expect(work[0]!.its?.id).toBe('k1')
    expect(calm.map((x) => x.id)).toEqual(['calm'])
  })
  it('counts a person with two roles once, free ones first', () => {
    const m = (person_id: string, role: string): Row => row({ person_id, role, _labels: { person_id: person_id + '**' } })
    const hands = handsOf([m('9', 'repairer'), m('9', 'grid'), m('8', 'grid')], [c('a'), c('b')])
    expect(hands.map((h) => `${h.id}:${h.cases.length}`)).toEqual(['8:0', '9:2'])
  })
})

describe('words of figures', () => {
  it('says units and durations as people do', () => {
    setLanguage('zh')
    expect([unitWords('Cel'), unitWords('[degF]'), unitWords('[ppm]'), unitWords('kW.h'), unitWords('lx'), unitWords(null)]).toEqual(['°C', '°F', 'ppm', 'kWh', 'lx', ''])
    expect([seconds(5), seconds(90), seconds(1800), seconds(7200), span(59999), span(3660e3)]).toEqual(['5 秒', '90 秒', '30 分钟', '2 小时', '不到 1 分钟', '1 小时 1 分'])
  })
})

describe('a story', () => {
  const h = (o: Partial<HistoryItem>): HistoryItem => ({ id: '1', at_ms: 0, actor: { id: null, name: 'system', roles: [] }, verb: 'update', step: null, changes: [], reason: null, ...o })
  it('is looked at by notes, photos and steps', () => {
    expect(kindsOf(h({ step: 'note', changes: [{ field: 'note', from: null, to: 'x' }, { field: 'photos', from: [], to: ['1'] }] }))).toEqual(['notes', 'photos'])
    expect(kindsOf(h({ step: 'assign' }))).toEqual(['steps'])
    expect(kindsOf(h({ verb: 'create' }))).toEqual(['steps'])
    expect(kindsOf(h({}))).toEqual([])
  })
})

describe('a form', () => {
  it('takes along what a link says, for fields that it has', () => {
    expect(broughtAlong(visits.fields, { 'v.name': '陈', 'v.gone': 'x', name: 'y', 'v.phone': '' })).toEqual({ name: '陈' })
  })
})

describe('metrics of the models', () => {
  it('give an alarm’s value the unit of its rule’s model, else the one all agree on, else none; and a rule its choices', async () => {
    vi.stubGlobal('fetch', (url: string) => Promise.resolve(new Response(JSON.stringify({ items: url.includes('/rules') ? [{ id: '7', model: 'lift' }]
      : [{ id: '1', code: 'lift', metrics: [{ metric: 't', name_zh: '温度', unit: '[degF]' }], events: [{ event: 'entrapment', name_zh: '困人', name_en: null }] }, { id: '2', code: 'hall', metrics: [{ metric: 't', unit: 'Cel' }, { metric: 'co2', unit: '[ppm]' }] }], next: null, total: 2 }))))
    meta.d = { resources: [{ name: 'device_models', rights: ['read'] }, { name: 'rules', rights: ['read'] }] } as unknown as Describe
    expect(withUnit('86', 't', '7')).toBe('86') // not yet asked
    await vi.waitFor(() => expect(withUnit('86', 't', '7')).toBe('86 °F'))
    expect(withUnit('86', 't')).toBe('86')
    expect(withUnit('1389', 'co2')).toBe('1389 ppm')
    expect(withUnit('open', 'co2')).toBe('open')
    expect(withUnit(null, 'co2')).toBe('')
    setLanguage('zh')
    expect(suggestionsFor('rules', 'metric', { model: 'lift' })).toEqual([{ v: 't', t: '温度 °F' }])
    expect(metricsOf(null).map((m) => m.v)).toEqual(['t', 'co2'])
    expect(metricsOf('gone')).toEqual([])
    expect(metricsOf(null, new Set(['hall'])).map((m) => m.t)).toEqual(['温度 °C', 'ppm'])
    expect(metricsOf(null, new Set(['lift'])).map((m) => m.t)).toEqual(['温度 °F'])
    expect(suggestionsFor('rules', 'event_code', { model: 'lift' })).toEqual([{ v: 'entrapment', t: '困人' }])
    expect(suggestionsFor('rules', 'event_code', { model: 'hall' }).map((e) => e.v)).toContain('fire_alarm')
    expect(['entrapment', 'fire_alarm', 'constructor'].map(eventWords)).toEqual(['困人', '火警', 'constructor'])
    forgetMetrics()
    meta.d = null
  })
})
