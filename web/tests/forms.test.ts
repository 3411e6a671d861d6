// Units of forms that fit: every field of a line and every kind is known, and what a kind does not need is not asked for.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { effectScope } from 'vue'
import type { Field, Resource } from '@/shared/meta'
import { meta, type Describe } from '@/shared/meta'
import { setLanguage } from '@/shared/i18n'
import { paths } from '@/shared/kit/icons'
import IconPick from '../apps/console/IconPick.vue'
import { fitting, groupsOf, LINE_ALWAYS, lineKinds } from '../apps/console/forms'
import { useForm } from '../apps/console/useForm'

// Fields and kinds as the server's OpenAPI has them.
const types = readFileSync(join(__dirname, '../shared/api/types.ts'), 'utf8')
const members = (name: string): string[] => [...new RegExp(`export interface ${name} \\{\\n([^]*?)\\n\\}`).exec(types)![1]!.matchAll(/^ {2}(\w+)\??:/gm)].map((m) => m[1]!)
const kinds = [.../export interface LinesCreate \{[^]*?\n {2}kind: ([^\n]*)/.exec(types)![1]!.matchAll(/'([^']+)'/g)].map((m) => m[1]!)
const field = (name: string, more: object = {}): Field => ({ name, type: 'text', title: { zh: name, en: name }, required: false, readonly: false, fixed: false, ...more })
const all = members('LinesCreate').map((n) => field(n, n === 'reach' ? { type: 'choice', options: ['listen', 'dial', 'serial'].map((v) => ({ v, t: { zh: v, en: v } })) } : {}))
const lines = { name: 'lines', fields: [...all.filter((f) => f.name !== 'community_id'), field('secret', { readonly: true, class: 'secret' })], state: { field: 'state', values: [], actions: [{ name: 'set_secret' }] } } as unknown as Resource
const shown = (kind: string, reach?: string, creates = true): string[] => fitting(lines, all, { kind, reach }, creates).map((f) => f.name)

describe('the form of a line', () => {
  it('knows every field and every kind that the server has', () => {
    expect(kinds.length).toBeGreaterThan(15)
    expect(Object.keys(lineKinds).sort()).toEqual([...kinds].sort())
    const known = new Set([...LINE_ALWAYS, ...Object.values(lineKinds).flatMap((w) => Object.values(w).flat())])
    expect([...known].sort()).toEqual(members('LinesCreate').sort())
  })
  it.each([
    ['ctwing', undefined, ['senders']], ['onenet', undefined, ['secret', 'senders']], ['http', undefined, []], ...['gb26875', 'hj212', 'jt808', 'watch'].map((k) => [k, undefined, ['bind', 'port', 'senders', 'every_s']] as [string, string | undefined, string[]]),
    ['dlt645', undefined, ['reach', 'bind', 'port', 'greeting', 'senders', 'every_s']], ['dlt645', 'dial', ['reach', 'host', 'port', 'every_s']], ['dlt645', 'serial', ['reach', 'serial', 'baud', 'parity', 'stop_bits', 'every_s']],
    ['osdp', 'serial', ['reach', 'serial', 'baud', 'parity', 'stop_bits']], ['bacnet', 'dial', ['reach', 'host', 'port', 'every_s', 'numbers']], ['mqtt-client', undefined, ['host', 'port', 'tls', 'username', 'topics', 'secret']]
  ])('asks a line of %s (%s) for what it needs and no more', (kind, reach, fields) => {
    expect(shown(kind, reach).filter((n) => !LINE_ALWAYS.includes(n)).sort()).toEqual([...fields].sort())
  })
  it('asks for little until the kind is known, and for no secret of a line that is there', () => {
    expect(shown('')).toEqual(all.map((f) => f.name).filter((n) => LINE_ALWAYS.includes(n)))
    expect(shown('onenet', undefined, false)).not.toContain('secret')
    expect(fitting(lines, all, { kind: 'modbus' }, true).find((f) => f.name === 'reach')?.options?.map((o) => o.v)).toEqual(['listen', 'dial'])
  })
  it('stands in groups with headings, none empty, none lost', () => {
    setLanguage('zh')
    const g = groupsOf(lines, fitting(lines, all, { kind: 'dlt645', reach: 'serial' }, true))
    expect(g.map((x) => [x.title, x.fields.map((f) => f.name).join(' ')])).toEqual([['基本信息', 'community_id name kind enabled'], ['怎么连', 'reach'], ['串口', 'serial baud parity stop_bits'], ['采集与上报', 'every_s']])
    const models = { name: 'device_models', fields: members('DeviceModelsCreate').map((n) => field(n)) } as unknown as Resource
    expect(groupsOf(models, models.fields).flatMap((x) => x.fields.map((f) => f.name)).sort()).toEqual(members('DeviceModelsCreate').sort())
    expect(groupsOf(models, [...models.fields, field('new_one')])[0]!.fields.map((f) => f.name)).toContain('new_one')
  })
})
describe('a line that has a secret', () => {
  const calls: [string, unknown][] = [], matches: (string | undefined)[] = []
  let status = 200
  beforeEach(() => {
    calls.length = 0
    sessionStorage.clear()
    meta.d = { communities: [{ id: '1', code: 'a', name: 'A', zone: '' }], resources: [] } as unknown as Describe
    vi.stubGlobal('fetch', (url: string, o: RequestInit = {}) => { calls.push([url, JSON.parse(String(o.body ?? '{}'))]); matches.push((o.headers as Record<string, string>)['If-Match']); return Promise.resolve(new Response(JSON.stringify({ id: '9', version: 1, code: 'x' }), { status: url.endsWith('set_secret') ? status : 200 })) })
  })
  const form = async (): Promise<ReturnType<typeof useForm>> => { const f = effectScope().run(() => useForm(() => lines, undefined))!; await f.load(); Object.assign(f.values, { name: 'N', kind: 'onenet', secret: 'token', baud: '9600' }); return f }
  it('is made, then told it by its step; what does not matter is not sent', async () => {
    status = 200
    const f = await form()
    await f.save()
    expect(calls).toEqual([['/api/v1/lines', { name: 'N', kind: 'onenet', enabled: true }], ['/api/v1/lines/9/set_secret', { secret: 'token' }]])
    expect(f.unset.value).toBe(false)
    expect(matches.at(-1)).toBeUndefined() // it may have opened meanwhile, and be another version
  })
  it('says where that failed, and never keeps it in a draft', async () => {
    status = 403
    vi.useFakeTimers()
    const f = await form()
    await vi.advanceTimersByTimeAsync(1000)
    vi.useRealTimers()
    expect(sessionStorage.getItem('linli.draft.lines.new')).toContain('onenet')
    expect(sessionStorage.getItem('linli.draft.lines.new')).not.toContain('token')
    expect((await f.save())?.id).toBe('9')
    expect(f.unset.value).toBe(true)
    await flushPromises()
  })
})
describe('an icon', () => {
  const options = [{ v: 'chart', t: { zh: '曲线', en: 'Chart' } }, { v: 'camera', t: { zh: '相机', en: 'Camera' } }]
  it('is one of those that the server takes, chosen by a press and left by another', async () => {
    const w = mount(IconPick, { props: { id: 'i', options, name: '图标', described: 'h', modelValue: 'chart' } })
    expect(w.findAll('button').length).toBe(2)
    expect(w.get('[aria-pressed=true]').attributes('title')).toBe('曲线')
    await w.get('[title=相机]').trigger('click')
    expect(w.emitted('update:modelValue')).toEqual([['camera']])
    await w.setProps({ modelValue: 'camera' })
    await w.get('[title=相机]').trigger('click')
    expect(w.emitted('update:modelValue')!.at(-1)).toEqual([null])
  })
  it('of each model that comes with the program is there', () => {
    const presets = join(__dirname, '../../presets/device_models')
    const used = ['water', 'fire', 'lift', 'home', 'energy', 'care', 'access'].flatMap((f) => (JSON.parse(readFileSync(join(presets, f + '.json'), 'utf8')) as { icon: string }[]).map((m) => m.icon))
    expect(used.filter((i) => !(i in paths))).toEqual([])
  })
})
