// Files that are imported: what is read from them, what a cell becomes, what is done with rows that are refused.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { meta, type Describe, type Field, type Resource } from '@/shared/meta'
import { setLanguage } from '@/shared/i18n'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeText, fieldOfColumn, importable, modelsOf, parseCsv, reader, toCsv } from '../apps/console/importing'
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
beforeEach(() => { setLanguage('zh'); calls.length = 0; meta.d = null; HTMLDialogElement.prototype.showModal ??= vi.fn() })

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
  it.each([['count', 'int', 'abc', '“abc”不是数'], ['count', 'int', '1.5', '“1.5”不是数'], ['price', 'money', '-', '“-”不是数'], ['on', 'flag', 'perhaps', '“perhaps”既不是“是”也不是“否”'], ['from_ms', 'time', 'soon', '“soon”不是时间']])('that is no %s (%s) says so: %s', async (name, type, cell, words) => {
    await expect(reader()(field(name, type), cell)).rejects.toMatchObject({ field: name, message: expect.stringContaining(words) as string })
  })
  it('is a time of the community’s clock', async () => {
    const read = reader(), f = field('from_ms', 'time')
    for (const s of ['2026-11-24 10:42', '2026/11/24 10:42:00', '2026-11-24T02:42:00Z']) expect(await read(f, s)).toBe(Date.parse('2026-11-24T02:42:00Z'))
  })
  it('may name a model as it is shown, in either language, or by its code, and nothing else', async () => {
    const models = { name: 'device_models', rights: ['read'], fields: [] } as unknown as Resource
    meta.d = { communities: [], resources: [models] } as unknown as Describe
    server((url) => [200, { items: [url.includes('cursor') ? { code: 'gas', name: '燃气', name_en: 'Gas' } : { code: 'climate', name: '室内环境', name_en: 'Climate' }], next: url.includes('cursor') ? null : 'c1' }])
    const read = reader('devices'), f = field('model', 'text')
    expect([await read(f, '室内环境'), await read(f, 'CLIMATE'), await read(f, 'Gas '), await read(f, 'gas')]).toEqual(['climate', 'climate', 'gas', 'gas'])
    expect(calls.length).toBe(2)
    await expect(read(f, '没有的')).rejects.toMatchObject({ field: 'model', message: '没有叫“没有的”的' })
  })
})
describe('an import', () => {
  async function run(text: string, r: Resource = devices) {
    const w = mount(Import, { props: { r }, attachTo: document.body })
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
  // As the server answers a code that is taken: a conflict as a whole, that names no field.
  const taken: [number, object] = [409, { type: 'about:blank', title: 'Conflict', status: 409, code: 'not_unique', detail: 'a value that must be unique is taken', errors: [], trace: '0d54' }]
  const stranger = { id: '33', code: '3', name: '3', state: 'new', place_id: null, kind: null, _actions: ['adopt'] }
  function estate(unadopts: boolean): void {
    let state = 'new'
    server((url, method, body) => {
      if (method === 'DELETE') return [204, {}]
      if (url.includes('/places')) return [200, { items: [{ id: '5', name: 'A' }] }]
      if (url.endsWith('/33/adopt')) state = 'normal'
      if (url.endsWith('/33/unadopt')) state = 'new'
      if (method === 'POST' && !url.endsWith('/devices')) return [200, {}]
      if (url.includes('f.code=')) return [200, { items: url.includes('=3&') ? [{ ...stranger, id: '34', code: '33' }, stranger] : [] }]
      if (method === 'PATCH') return [200, { ...stranger, ...body }]
      if (url.endsWith('/devices/33')) return [200, { ...stranger, state, _actions: state === 'normal' && unadopts ? ['unadopt'] : [] }]
      if (body.code === '2' || body.code === '3') return taken
      return [201, { id: '1' + String(body.code), name: body.name, place_id: body.place_id ?? null, _actions: ['adopt'] }]
    })
  }
  it('makes the rows that can be, adopts the one that waits for it, says why of the others, and takes all back', async () => {
    estate(true)
    const w = await run('code,name,place_id\n1,one,A\n2,two,\n3,three,A\n')
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(w.text()).toContain('导入了 2 行')
    expect(w.text()).toContain('1 行没有导入')
    expect(w.text()).toContain('已经有一个一样的')
    expect(calls.find((c) => c.method === 'PATCH')).toMatchObject({ url: '/api/v1/devices/33', body: { name: 'three', place_id: '5' } })
    expect(calls.filter((c) => c.url.endsWith('/adopt')).map((c) => c.url)).toEqual(['/api/v1/devices/11/adopt', '/api/v1/devices/33/adopt'])
    calls.length = 0
    await w.find('button.danger').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method !== 'GET').map((c) => [c.method, c.url, c.body])).toEqual([
      ['POST', '/api/v1/devices/33/unadopt', {}], ['PATCH', '/api/v1/devices/33', { name: '3', place_id: null }], ['DELETE', '/api/v1/devices/11', {}]])
    expect(w.text()).toContain('已撤回 2 行')
    w.unmount()
  })
  it('leaves a device alone that it adopted and cannot put back, and says so', async () => {
    estate(false)
    const w = await run('code,name,place_id\n1,one,A\n3,three,A\n')
    await w.find('button.main').trigger('click')
    await flushPromises()
    calls.length = 0
    await w.find('button.danger').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method !== 'GET').map((c) => c.url)).toEqual(['/api/v1/devices/11'])
    expect(w.text()).toContain('已撤回 1 行')
    expect(w.text()).toContain('1 行退不回去')
    w.unmount()
  })
  it('asks whose the rows are where there are several communities, and finds names and strangers there', async () => {
    meta.d = { communities: [{ id: '100', code: 'a', name: '甲', zone: '' }, { id: '200', code: 'b', name: '乙', zone: '' }], resources: [] } as unknown as Describe
    server((url, method, body) => {
      if (url.includes('/places/')) return [200, { id: '6', community_id: '200' }]
      if (url.includes('/places')) return [200, { items: [{ id: '5', name: 'A', community_id: '100' }, { id: '6', name: 'A', community_id: '200' }] }]
      if (url.includes('f.code=')) return [200, { items: [{ ...stranger, id: '32', community_id: '100' }, { ...stranger, community_id: '200' }] }]
      return method === 'POST' && url.endsWith('/devices') ? taken : [200, { ...stranger, ...body }]
    })
    const w = await run('code,name,place_id\n3,three,A\n')
    expect(w.find('button.main').attributes('disabled')).toBeDefined()
    await w.get('.field select').setValue('200')
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method !== 'GET').map((c) => [c.url, c.body])).toEqual([
      ['/api/v1/devices', { community_id: '200', code: '3', name: 'three', place_id: '6' }], ['/api/v1/devices/33', { name: 'three', place_id: '6' }], ['/api/v1/devices/33/adopt', { name: 'three', place_id: '6' }]])
    w.unmount()
    const own = await run('小区,code,name\n乙,3,three\n'.replace('小区', '所属小区'))
    expect(own.find('.field select').exists()).toBe(false)
    calls.length = 0
    await own.find('button.main').trigger('click')
    await flushPromises()
    expect(calls[0]?.body).toEqual({ community_id: '200', code: '3', name: 'three' })
    own.unmount()
  })
  it('takes models as their files have them, whole, one by one, and takes them back', async () => {
    const file = readFileSync(join(__dirname, '../../presets/device_models/water.json'), 'utf8'), models = JSON.parse(file) as Record<string, unknown>[]
    const r = { ...devices, name: 'device_models', fields: [field('code', 'text', { required: true }), field('name', 'text', { required: true }), field('metrics', 'lines', { fields: [field('item', 'text')] })] } as unknown as Resource
    server((_, method, body) => (method === 'DELETE' ? [204, {}] : body.code === models[0]!.code ? taken
      : body.code === models[1]!.code ? [400, { code: 'bad_field', errors: [{ field: 'metrics.0.item', code: 'bad_item', args: {} }] }] : [201, { id: 'm' + String(body.code), _actions: [] }]))
    const w = await run(file, r)
    expect(w.text()).toContain(String(models[0]!.code))
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method === 'POST').map((c) => c.body)).toEqual(models)
    expect(w.text()).toContain(`导入了 ${models.length - 2} 行`)
    expect(w.text()).toContain('已经有一个一样的')
    expect(w.text()).toContain('metrics列 1 item列: 它的协议里没有这个读写项')
    await w.find('button.danger').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method === 'DELETE').map((c) => c.url)).toEqual(models.slice(2).map((m) => '/api/v1/device_models/m' + String(m.code)).reverse())
    w.unmount()
    const other = await run('[1, 2]', r)
    expect(other.text()).toContain('这个 JSON 文件里不是型号')
    expect(other.find('button.main').exists()).toBe(false)
    other.unmount()
  })
  it('of models may be a list, an object of them, or one', () => {
    const m = { code: 'a', name: 'b' }
    for (const s of [[m], { models: [m] }, m]) expect(modelsOf(JSON.stringify(s))).toEqual([m])
    for (const s of ['', '{', '[]', '{}', '[1]', 'null', '{"models":[]}']) expect(modelsOf(s)).toBeNull()
  })
  it('stops where the server is away, and keeps what was not taken', async () => {
    server((_, method) => (method === 'POST' ? [503, { code: 'store_unavailable' }] : [200, { items: [] }]))
    const w = await run('code,name\n1,a\n2,b\n3,c\n')
    await w.find('button.main').trigger('click')
    await flushPromises()
    expect(calls.filter((c) => c.method === 'POST').length).toBe(1)
    expect(w.text()).toContain('3 行没有导入')
    expect(w.text()).not.toContain('导入了 0 行') // a green tick is for what was done
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
