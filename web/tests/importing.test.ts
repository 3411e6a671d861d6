// Files that are imported: what is read from them, what a cell becomes, what is done with rows that are refused.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import type { Field, Resource } from '@/shared/meta'
import { setLanguage } from '@/shared/i18n'
import { decodeText, fieldOfColumn, importable, parseCsv, reader, toCsv } from '../apps/console/importing'
import Import from '../apps/console/Import.vue'
import Doctor from '../apps/console/Doctor.vue'

const field = (name: string, type: string, more: object = {}): Field => ({ name, type, title: { zh: name + '列', en: name }, required: false, readonly: false, fixed: false, max: 40, list: { default: true, sort: true, filter: true }, ...more }) as unknown as Field
const devices = {
  name: 'devices', path: '', group: null, label_field: 'name', title: { zh: '设备', en: 'Devices' }, rights: ['create'],
  fields: [field('state', 'state', { readonly: true }), field('code', 'text', { required: true }), field('name', 'text', { required: true }), field('place_id', 'ref', { ref: { resource: 'places' } }),
    field('kind', 'choice', { options: [{ v: 'warm', t: { zh: '热水', en: 'Warm' } }] }), field('on', 'flag'), field('price', 'money'), field('lines', 'lines'), field('secret', 'text', { class: 'secret' })]
} as unknown as Resource
const calls: { url: string; method: string; body: Record<string, unknown> }[] = []
function server(answer: (url: string, method: string, body: Record<string, unknown>) => [number, object]): void {
  vi.stubGlobal('fetch', (url: string, o: RequestInit = {}) => {
    const body = o.body ? JSON.parse(String(o.body)) as Record<string, unknown> : {}
    calls.push({ url, method: o.method ?? 'GET', body })
    const [status, said] = answer(url, o.method ?? 'GET', body)
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(said), { status }))
  })
}
beforeEach(() => { setLanguage('zh'); calls.length = 0; HTMLDialogElement.prototype.showModal ??= vi.fn() })

describe('a file', () => {
  it.each([
    ['a,b\n1,2\n', [['a', 'b'], ['1', '2']]],
    ['a;b\r\n1;"2;3"\r\n\r\n', [['a', 'b'], ['1', '2;3']]],
    ['a\tb\n"say ""hi""\nthere"\t', [['a', 'b'], ['say "hi"\nthere', '']]],
    ['', []],
    ['\n \n', []]
  ])('is rows of cells, whatever stands between them: %j', (text, rows) => expect(parseCsv(text)).toEqual(rows))
  it('is read in the encoding that it has', () => {
    expect(decodeText(new TextEncoder().encode('编号').buffer)).toBe('编号')
    expect(decodeText(new Uint8Array([0xb1, 0xe0, 0xba, 0xc5]).buffer)).toBe('编号') // GB18030
  })
  it('comes back as it was', () => expect(parseCsv(toCsv([['a', 'x,y'], ['"', 'l\nm']]).slice(1))).toEqual([['a', 'x,y'], ['"', 'l\nm']]))
  it('has columns by name or title, and none for what nobody types', () => {
    const fields = importable(devices)
    expect(fields.map((f) => f.name)).toEqual(['code', 'name', 'place_id', 'kind', 'on', 'price'])
    expect([fieldOfColumn(fields, ' CODE ')?.name, fieldOfColumn(fields, 'name列')?.name, fieldOfColumn(fields, 'state')]).toEqual(['code', 'name', undefined])
  })
})
describe('a cell', () => {
  it('becomes what the server wants, a name the id of its row, looked up once', async () => {
    server((url) => [200, { items: url.includes('nobody') ? [] : [{ id: '7', name: '1号楼' }, { id: '8', name: '1号楼东' }] }])
    const read = reader(), f = (n: string) => devices.fields.find((x) => x.name === n)!
    expect(await read(f('place_id'), '1号楼')).toBe('7')
    expect(await read(f('place_id'), '1号楼 ')).toBe('7')
    expect(await read(f('place_id'), '385084890179174407')).toBe('385084890179174407')
    expect(calls.length).toBe(1)
    await expect(read(f('place_id'), 'nobody')).rejects.toThrow('没有叫“nobody”的')
    expect([await read(f('kind'), '热水'), await read(f('on'), '是'), await read(f('on'), '否'), await read(f('price'), '1,234.56')]).toEqual(['warm', true, false, 123456])
  })
})
describe('an import', () => {
  async function run(text: string) {
    const w = mount(Import, { props: { r: devices }, attachTo: document.body })
    const input = w.find('input[type=file]')
    Object.defineProperty(input.element, 'files', { value: [{ arrayBuffer: () => Promise.resolve(new TextEncoder().encode(text).buffer) }] })
    await input.trigger('change')
    await flushPromises()
    return w
  }
  it('says which columns it leaves out and which must be there, before anything is sent', async () => {
    const w = await run('code,colour\n1,red\n')
    expect(w.text()).toContain('不认识，不会导入：colour')
    expect(w.text()).toContain('缺少必填的列：name列')
    expect(w.find('button.main').attributes('disabled')).toBeDefined()
    expect(calls.length).toBe(0)
    w.unmount()
  })
  it('makes the rows that can be, says why of the others, adopts what has a place, and takes all back', async () => {
    server((url, method, body) => {
      if (method === 'DELETE') return [204, {}]
      if (url.includes('/places')) return [200, { items: [{ id: '5', name: 'A' }] }]
      if (url.endsWith('/adopt')) return [200, {}]
      if (url.includes('f.code=')) return [200, { items: url.includes('=3') ? [{ id: '33' }] : [] }]
      if (method === 'PATCH') return [200, { id: '33', name: 'three', _actions: ['adopt'], place_id: null }]
      if (body.code === '2' || body.code === '3') return [422, { code: 'bad_field', errors: [{ field: 'code', code: 'not_unique' }] }]
      return [201, { id: '1' + String(body.code), name: body.name, place_id: body.place_id ?? null, _actions: ['adopt'] }]
    })
    const w = await run('code,name,place_id\n1,one,A\n2,two,\n3,three,\n')
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(w.text()).toContain('导入了 2 行')
    expect(w.text()).toContain('1 行没有导入')
    expect(w.text()).toContain('已经有一个一样的')
    expect(calls.filter((c) => c.url.endsWith('/adopt')).map((c) => c.url)).toEqual(['/api/v1/devices/11/adopt'])
    expect(calls.find((c) => c.method === 'PATCH')?.body).toEqual({ name: 'three' })
    await w.find('button.danger').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method === 'DELETE').map((c) => c.url)).toEqual(['/api/v1/devices/33', '/api/v1/devices/11'])
    expect(w.text()).toContain('已撤回 2 行')
    w.unmount()
  })
  it('stops where the server is away, and keeps what was not taken', async () => {
    server((_, method) => (method === 'POST' ? [503, { code: 'store_unavailable' }] : [200, { items: [] }]))
    const w = await run('code,name\n1,a\n2,b\n3,c\n')
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method === 'POST').length).toBe(1)
    expect(w.text()).toContain('3 行没有导入')
    w.unmount()
  })
})
describe('the doctor', () => {
  const stubs = { RouterLink: { template: '<a><slot /></a>' } }
  it.each([
    [{ code: 'wrong_baud', tone: 'bad' }, '波特率或校验多半不对'],
    [{ code: 'line_failed', tone: 'bad', problem: 'port held' }, '线路打不开：port held'],
    [{ code: 'clock_off', tone: 'warn', ahead_ms: -7200000 }, '它的时钟慢了 2 小时'],
    [{ code: 'unknown_address', tone: 'bad', strangers: ['0077'] }, '0077'],
    [{ code: 'not_decodable', tone: 'bad', rule: 'the sum is wrong' }, '收到了但看不懂']
  ])('has words for %j', async (finding, words) => {
    server(() => [200, { device_id: '1', findings: [finding] }])
    const w = mount(Doctor, { props: { id: '1' }, global: { stubs } })
    await flushPromises()
    expect(w.text()).toContain(words)
  })
})
