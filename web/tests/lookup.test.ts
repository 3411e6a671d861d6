// Units of looking rows up: a row that is called exactly so is found, however many others hold its name.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { meta, type Describe, type Field, type Resource } from '@/shared/meta'
import { setLanguage } from '@/shared/i18n'
import { reader } from '../apps/console/importing'
import RefPick from '../apps/console/RefPick.vue'

const text = (name: string, filter = true): Field => ({ name, type: 'text', title: { zh: name, en: name }, required: false, readonly: false, fixed: false, list: { default: true, sort: true, filter } })
const places = { name: 'places', label_field: 'name', title: { zh: '地点', en: 'Places' }, rights: ['read'], fields: [text('name'), text('code'), text('shape', false)] } as unknown as Resource
const place: Field = { ...text('place_id'), type: 'ref', ref: { resource: 'places', label: 'name' } }
// 37 places hold the words before the one that is called so, as in an estate of 20 buildings.
const rows = [...Array.from({ length: 37 }, (_, i) => ({ id: String(100 + i), name: `17号楼${i}`, code: `x${i}`, community_id: '1', _labels: { parent_id: '17号楼' } })),
  { id: '7', name: '7号楼', code: 'B7', community_id: '1', _labels: { parent_id: '云杉里' } }, { id: '8', name: '7号楼', code: 'C7', community_id: '2', _labels: {} }, { id: '9', name: '7号楼, 东', code: 'null', community_id: '1', _labels: {} }]
const asked: string[] = []
beforeEach(() => {
  setLanguage('zh')
  asked.length = 0
  meta.d = { communities: [], resources: [places] } as unknown as Describe
  vi.stubGlobal('fetch', (url: string) => {
    const q = new URL(url, 'http://x').searchParams
    asked.push(decodeURIComponent(url))
    const hits = rows.filter((r) => ['name', 'code'].every((n) => !q.has('f.' + n) || q.get('f.' + n)!.split(',').includes(r[n as 'name'])) && (!q.has('q') || r.name.includes(q.get('q')!)))
    return Promise.resolve(new Response(JSON.stringify({ items: hits.slice(0, Number(q.get('limit') ?? 25)), next: null, total: hits.length }), { status: 200 }))
  })
})
describe('a place that is named', () => {
  it('is found in a file though 37 others hold its name, by its code, and with a comma in it', async () => {
    const read = reader('devices')
    expect(await read(place, '7号楼', '1')).toBe('7')
    expect(await read(place, 'B7', '1')).toBe('7')
    expect(await read(place, '7号楼, 东', '1')).toBe('9')
    await expect(read(place, '7号楼')).rejects.toThrow('叫“7号楼”的不止一个')
    await expect(read(place, '70号楼', '1')).rejects.toThrow('没有叫“70号楼”的')
  })
  it('stands on top of what the picker offers, each said where it is, and once', async () => {
    vi.useFakeTimers()
    const w = mount(RefPick, { props: { id: 'p', target: 'places', name: '位置', described: 'h' } })
    await w.find('input').setValue('7号楼')
    await vi.advanceTimersByTimeAsync(250)
    vi.useRealTimers()
    await flushPromises()
    const offered = w.findAll('li').map((x) => x.text())
    expect(offered.length).toBe(12)
    expect(offered[0]).toBe('7号楼云杉里')
    expect(offered.filter((x) => x === '7号楼云杉里').length).toBe(1)
    expect(asked.every((u) => !u.includes('f.shape'))).toBe(true)
  })
})
