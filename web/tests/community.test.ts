// Units of the community of a new row: who is asked, what a row that it names decides, what is sent.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises } from '@vue/test-utils'
import { effectScope } from 'vue'
import { meta, type Describe, type Field, type Resource } from '@/shared/meta'
import { asksCommunity } from '../apps/console/community'
import { useForm } from '../apps/console/useForm'

const field = (name: string, more: object = {}): Field => ({ name, type: 'text', title: { zh: name, en: name }, required: false, readonly: false, fixed: false, ...more })
const ref = (name: string, resource: string, required = false): Field => field(name, { type: 'ref', ref: { resource, label: 'name' }, required })
const of = (name: string, ...fields: Field[]): Resource => ({ name, fields: [field('name'), ...fields] }) as unknown as Resource
const lines = of('lines'), rules = of('rules', ref('device_id', 'devices')), devices = of('devices', ref('line_id', 'lines'), ref('place_id', 'places'))
const several = (n: number): void => { meta.d = { communities: ['甲', '乙'].slice(0, n).map((name, i) => ({ id: String(100 * (i + 1)), code: 'c' + i, name, zone: '' })), resources: [] } as unknown as Describe }
const sent: unknown[] = []
beforeEach(() => {
  several(2)
  sent.length = 0
  sessionStorage.clear()
  vi.stubGlobal('fetch', (url: string, o: RequestInit = {}) => {
    if (o.method === 'POST') sent.push(JSON.parse(String(o.body)))
    return Promise.resolve(new Response(JSON.stringify({ id: '1', community_id: url.includes('/lines/') ? '100' : '200' }), { status: 200 }))
  })
})
async function form(r: Resource) {
  const f = effectScope().run(() => useForm(() => r, undefined))!
  await f.load()
  return f
}

describe('the community of a new row', () => {
  it('is asked for where there are several, and neither the row’s kind nor its place says it', () => {
    const asked = (): string[] => [lines, rules, devices, of('words'), of('places'), of('people'), of('memberships', ref('place_id', 'places')), of('passes', ref('place_id', 'places', true)), of('device_models')].filter(asksCommunity).map((r) => r.name)
    expect(asked()).toEqual(['lines', 'rules', 'devices', 'words'])
    several(1)
    expect(asked()).toEqual([])
  })
  it('is a required choice of the form, by its name, and sent', async () => {
    const f = await form(lines)
    expect(f.fields.value[0]).toMatchObject({ name: 'community_id', required: true, options: [{ v: '100', t: { zh: '甲' } }, { v: '200', t: { zh: '乙' } }] })
    Object.assign(f.values, { name: 'x', community_id: '200' })
    await f.save()
    expect(sent).toEqual([{ name: 'x', community_id: '200' }])
    f.fill(null)
    expect(f.values.community_id).toBe('200') // another one is of the same
  })
  it('is that of a row which the new one names, a place before a line, and then not asked for', async () => {
    const f = await form(devices), asked = (): boolean => f.fields.value.some((x) => x.name === 'community_id')
    expect(asked()).toBe(true)
    f.values.line_id = '7'
    await flushPromises()
    expect([asked(), f.values.community_id]).toEqual([false, '100'])
    f.values.place_id = '8'
    await flushPromises()
    expect([asked(), f.values.community_id]).toEqual([false, '200'])
    f.values.place_id = f.values.line_id = null
    await flushPromises()
    expect(asked()).toBe(true)
  })
  it('is not sent by who has only one', async () => {
    several(1)
    const f = await form(lines)
    f.values.name = 'x'
    await f.save()
    expect(f.fields.value.map((x) => x.name)).toEqual(['name'])
    expect(sent).toEqual([{ name: 'x' }])
  })
})
