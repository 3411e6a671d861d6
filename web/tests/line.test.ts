// Units of pages of lines and devices: bytes of a frame, the one that is wrong, the clause it broke; what a device says
// of itself.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { effectScope } from 'vue'
import Adopt from '../apps/console/Adopt.vue'
import Doctor from '../apps/console/Doctor.vue'
import Heard from '../apps/console/Heard.vue'
import Search from '../apps/console/Search.vue'
import { fitsDevice, fitsLine, stateTone, stateWords } from '../apps/console/fitting'
import { useTraffic } from '../apps/console/useTraffic'
import type { Resource } from '../shared/meta'
import { bytesOf, eventSaid, ruleOf, ruleSaid, sumOf, whereOf } from '../apps/console/frames'
import { saysOf } from '../apps/console/says'
import type { Row } from '../shared/api'
import { setLanguage } from '../shared/i18n'
import { said } from '../shared/said'
import { lineTexts } from '../shared/words.lines'
import { messageTexts } from '../shared/words.messages'
import { ruleTexts } from '../shared/words.rules'

describe('a frame', () => {
  it('is told byte by byte, with the wrong one marked', () => {
    expect(bytesOf('4040AA', 2)).toEqual([{ byte: '40', wrong: false }, { byte: '40', wrong: false }, { byte: 'AA', wrong: true }])
    expect(bytesOf('4040', 9).some((b) => b.wrong)).toBe(false)
    expect(bytesOf('')).toEqual([])
  })
  it('names the clause that it broke, where there is one', () => {
    expect(ruleOf('GB/T 26875.3 6.6: the sum is wrong')).toEqual({ clause: 'GB/T 26875.3 6.6', words: 'the sum is wrong' })
    expect(ruleOf('DL/T 645 CS: the sum is wrong').clause).toBe('DL/T 645 CS')
    expect(ruleOf('topic: it is none of these')).toEqual({ clause: '', words: 'topic: it is none of these' })
    expect(ruleOf('these bytes are no frame')).toEqual({ clause: '', words: 'these bytes are no frame' })
  })
})

// What the C sources say: each text that is a rule of its kind.
const root = join(__dirname, '../../src')
function textsOf(folder: string): string[] {
  const all = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((f) => /\.[ch]$/.test(f) && !f.endsWith('_test.c'))
  return all.flatMap((f) => [...readFileSync(join(root, folder, f), 'utf8').replaceAll('" WIRE_LIMIT "', 'over the limit: ').replaceAll('WIRE_LIMIT "', '"over the limit: ').matchAll(/"((?:\\.|[^"\\])*)"/g)].map((m) => m[1]!))
}
describe('what the server says of lines', () => {
  beforeEach(() => setLanguage('zh'))
  it('is said in Chinese for every rule of the protocols that answer to a standard here, and of what is pushed', () => {
    const rules = /^(GB\/T 26875|HJ 212|CJ\/T 188|DL\/T 645|JT\/T 808|VZ|ITSAPI|door|lift|Modbus|OSDP|watch|MQTT|BACnet|GA 36|Wiegand|protobuf|devEui|deviceId|dev_id|topic|payload|alias|seq|value|timestamp)[^:]*: /
    const missing = [...new Set(['gb26875', 'hj212', 'cjt188', 'dlt645', 'jt808', 'vz', 'itsapi', 'nbiot', 'lorawan', 'lift', 'door', 'watch', 'osdp', 'modbus', 'sparkplug', 'mqtt', 'bacnet', 'plate', 'wiegand'].flatMap((f) => textsOf('protocol/' + f)).filter((s) => rules.test(s) && !/%| Protocol V/.test(s)))]
      .filter((s) => !/[\u4e00-\u9fff]/.test(ruleSaid(s)))
    expect(missing).toEqual([])
  })
  it('and what is wrong with JSON', () => {
    const missing = ['json_in.c', 'payload/payload.c'].flatMap((f) => [...readFileSync(join(root, 'protocol', f), 'utf8').matchAll(/json_in_bad\(in, "([^"]+)"/g)].map((m) => m[1]!)).filter((s) => !/[\u4e00-\u9fff]/.test(said(s)))
    expect(missing).toEqual([])
  })
  it('and for why a line does not open', () => {
    const some = [...textsOf('net'), ...textsOf('sensing')].filter((s) => /^(no broker|nobody answers|port %d is held|%s is held|cannot listen on|cannot open %s|%s (port %d )?(hung up|is gone|cannot|does not|speaks|takes|refuses|may not)|there is no %s;|the TLS|the gateway did)/.test(s))
    expect(some.length).toBeGreaterThan(15)
    expect([...new Set(some)].filter((s) => !/[\u4e00-\u9fff]/.test(said(s.replace(/%s/g, '10.0.0.5').replace(/%d/g, '1883'))))).toEqual([])
  })
  it.each([
    ['GB/T 26875.3 6.6: the sum is wrong', '校验和不对'], ['no broker listens at 10.0.0.5 port 1883', '10.0.0.5 端口 1883 没有 MQTT 服务器在听'],
    ['10.0.0.5 port 1883 hung up before it answered; does it speak MQTT, with TLS or without?', '10.0.0.5 端口 1883 没应答就断开了：它是 MQTT 吗？要不要加密？'],
    ['payload: it has over 256 values', 'payload：超过 256 个值'], ['payload: over the limit: at most 256 values', 'payload：超过上限：最多 256 个值'], ['devEui: it is missing, or no EUI of eight bytes', 'devEui：没有这一项，或不是八字节的 EUI'],
    ['port 26875 is held by another program', '端口 26875 被别的程序占着'], ['Foo 1: nobody ever said this', 'nobody ever said this'], ['', '']
  ])('%s', (rule, words) => { expect(ruleSaid(rule)).toBe(words) })
  it('has what differs in both languages, and stays as it is in English', () => {
    const marks = (s: string): string => (s.match(/\{\d\}/g) ?? []).sort().join()
    const all = [...ruleTexts, ...messageTexts, ...lineTexts]
    for (const [en, zh] of all) for (const m of marks(zh).split(',')) expect(en).toContain(m)
    expect(new Set(all.map(([en]) => en)).size).toBe(all.length)
    setLanguage('en')
    expect(said('no answer')).toBe('no answer')
  })
  it('is a place in the frame', () => {
    expect(whereOf({ offset: 4, length: 78 })).toBe('第 5 字节，共 78 字节')
    expect(whereOf({ offset: 4 })).toBe('第 5 字节')
    expect(whereOf({ offset: 90, length: 78 })).toBe('只有 78 字节')
    expect(whereOf({ number: 3, length: 0 })).toBe('第 3 行（条） · 不留原文：谁要通过是个人的事')
  })
  it('that all is normal is not over, and no text is no “null”', () => {
    expect(eventSaid({ device: '1', code: 'normal', text: null, set: false })).toBe('正常')
    expect(eventSaid({ device: '1', code: 'fire_alarm', text: null, set: false })).toBe('火警 已恢复')
  })
})
describe('the doctor', () => {
  it('says clause, byte and peer of what was not understood, as the line’s page does', async () => {
    setLanguage('zh')
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ device_id: '1', findings: [{ code: 'not_decodable', tone: 'bad', rule: 'GB/T 26875.3 6.6: the sum is wrong', offset: 27, peer: '10.0.0.7', at_ms: 1795900804963 }, { code: 'line_failed', tone: 'bad', problem: 'port 26875 is held by another program' }, { code: 'over_limit', tone: 'bad', rule: 'payload: over the limit: at most 256 values' }] }), { status: 200 })))
    const w = mount(Doctor, { props: { id: '1' }, global: { stubs: { RouterLink: true } } })
    await flushPromises()
    for (const s of ['收到了但看不懂：校验和不对', '依据 GB/T 26875.3 6.6', '第 28 字节', '来自 10.0.0.7', '线路打不开：端口 26875 被别的程序占着', '超过了上限：payload：最多 256 个值']) expect(w.text()).toContain(s)
  })
})
describe('the doctor of a device that is adopted', () => {
  it('asks again as the row changes, and once more where that was while he asked', async () => {
    setLanguage('zh')
    const answers: ((r: Response) => void)[] = []
    vi.stubGlobal('fetch', () => new Promise<Response>((done) => answers.push(done)))
    const say = async (code: string): Promise<void> => { answers.shift()!(new Response(JSON.stringify({ device_id: '1', findings: [{ code, tone: 'warn' }] }), { status: 200 })); await flushPromises() }
    const w = mount(Doctor, { props: { id: '1', version: 1 }, global: { stubs: { RouterLink: true } } })
    await w.setProps({ version: 2 })
    expect(answers.length).toBe(1)
    await say('waits_for_adoption')
    await say('well')
    expect(w.text()).toContain('一切正常')
    await w.setProps({ version: 3 })
    await say('retired')
    expect(w.text()).toContain('已停用')
    expect(w.text()).not.toContain('等着认领')
    expect(answers.length).toBe(0)
  })
})
describe('a good frame', () => {
  it('is summed up: who says what, else that it is of a person, else that it has no data', () => {
    setLanguage('zh')
    const frame = { peer: 'p', length: 9, hex: '' }
    expect(sumOf({ ...frame, readings: [{ device: '1', key: 'speed_x', value: 3, unit: 'km/h' }, { device: '1', key: 'flow_x', value: 1, unit: 'm3' }] })).toBe('1 speed_x 3 km/h，flow_x 1 m³')
    expect(sumOf({ ...frame, is_private: true })).toBe('内容涉及个人，只给有权看的人')
    expect([sumOf(frame), sumOf({ ...frame, length: 0 })]).toEqual(['心跳或应答，没有数据', '不留原文：谁要通过是个人的事'])
  })
  it('stands with what it says beside its bytes', () => {
    setLanguage('zh')
    const w = mount(Heard, { props: { sample: { peer: 'p', length: 2, hex: '4040', frame: { type: 2 }, readings: [{ device: '889', key: 'power', value: 1.5, unit: 'kW' }], events: [{ device: '889', code: 'normal', text: null, set: false }] } } })
    expect(w.findAll('section')).toHaveLength(2)
    expect(w.get('.hex').text()).toBe('40 40')
    expect(w.get('dl').text()).toContain('power 1.5 kW')
    expect(w.text()).not.toContain('null')
    expect(w.get('pre').text()).toContain('"type": 2')
    expect(w.text()).not.toContain('它回答的提问')
    expect(mount(Heard, { props: { sample: { peer: 'p', length: 2, hex: '4040', asked: 'fefe68' } } }).text()).toContain('fe fe 68')
  })
})
describe('a search for devices', () => {
  const all = { began_ms: 1, ended_ms: Date.now(), asked: 3, of: 3, found: 1, mixed: 0, refused: 0 }
  it.each([
    ['is told while it goes on', { ...all, ended_ms: undefined, asked: 20, of: 103 }, ['20 / 103'], true],
    ['tells whom it found, and where they wait', all, ['找到 1 台'], false],
    ['says why nobody answered', { ...all, found: 0 }, ['找到 0 台', '波特率'], false],
    ['says that several cannot be told apart', { ...all, found: 0, mixed: 2 }, ['2 次', '铭牌'], false],
    ['says that somebody did not say who it is', { ...all, found: 0, refused: 1 }, ['找到 0 台', '没有说自己是谁'], false],
    ['says that it was cut short', { ...all, asked: 2 }, ['2 / 3', '没有问完'], false]
  ])('%s', (_, search, words, goesOn) => {
    setLanguage('zh')
    const w = mount(Search, { props: { search }, global: { stubs: { RouterLink: true } } })
    for (const x of words) expect(w.text()).toContain(x)
    expect(w.find('progress').exists()).toBe(goesOn)
    expect(w.findAll('router-link-stub')).toHaveLength(search.found ? 1 : 0)
    expect(w.findAll('p.muted')).toHaveLength(words.length - 1)
  })
})
describe('steps of a line', () => {
  it('are those that fit its kind', () => {
    expect(['dlt645', 'gb26875', 'http', 'mqtt', 'osdp'].filter((k) => fitsLine('find', k))).toEqual(['dlt645', 'osdp'])
    expect(['onenet', 'mqtt-client', 'ctwing'].filter((k) => fitsLine('set_secret', k))).toEqual(['onenet', 'mqtt-client'])
    expect([fitsDevice('set_password', 'hj212'), fitsDevice('set_password', 'mqtt'), fitsDevice('set_password', null), fitsDevice('retire', 'mqtt')]).toEqual([true, false, true, true])
  })
})
describe('a device that was never heard', () => {
  const r = { name: 'devices', fields: [], state: { field: 'state', values: [{ v: 'normal', tone: 'ok' }, { v: 'alarm', tone: 'bad' }], actions: [] } } as unknown as Resource
  it('is not green', () => {
    const tone = (state: string, last_ms: number | null, created_ms = 0): unknown => stateTone(r, { state, last_ms, created_ms } as unknown as Row)
    expect([tone('normal', null), tone('normal', 5), tone('alarm', null), tone('normal', null, Date.now() - 9000)]).toEqual(['off', 'ok', 'bad', 'ok']) // the row of one that is new may not say so yet
    expect(stateWords(r, { state: 'normal', last_ms: null, created_ms: 0 } as unknown as Row)).toBe('从未上报')
    expect(stateTone({ ...r, name: 'lines' }, { state: 'normal' } as unknown as Row)).toBe('ok')
  })
})
describe('traffic', () => {
  it('is frames a minute since the page was opened, and begins anew with the counter', () => {
    const x = effectScope().run(() => useTraffic())!
    x.count(100, 0)
    expect(x.perMinute.value).toBeNull()
    x.count(110, 30e3)
    x.count(110, 60e3)
    expect([x.perMinute.value, x.each.value]).toEqual([10, [20, 0]])
    x.count(3, 90e3)
    expect(x.perMinute.value).toBeNull()
  })
})
describe('adoption', () => {
  const card = (models: object[]) => mount(Adopt, { props: { r: { name: 'devices', fields: [] } as unknown as Resource, row: { id: '1', place_id: null, _labels: {}, _actions: ['adopt'] } as unknown as Row, told: { device_id: '1', findings: [], models, place_id: '5', place: '7号楼泵房' } as never, act: () => Promise.resolve(null) } })
  it('leads on by the model that is suggested first, and names the place', () => {
    setLanguage('zh')
    const w = card([{ code: 'a', name: '甲', name_en: 'A', metrics: 3, protocol: true }, { code: 'b', name: '乙', metrics: 1, protocol: false }])
    expect(w.findAll('.btn.main').map((b) => b.get('b').text())).toEqual(['甲'])
    expect(w.text()).toContain('7号楼泵房')
    expect(card([]).findAll('.btn.main').map((b) => b.text())).toEqual(['认领它'])
    const guessed = card([{ code: 'a', name: '甲', metrics: 0, protocol: true }, { code: 'b', name: '乙', metrics: 0, protocol: true }]) // many speak its protocol
    expect(guessed.findAll('.btn').map((b) => [b.text(), b.classes('main')])).toEqual([['甲', false], ['乙', false], ['认领它', true]])
    expect(guessed.text()).not.toContain('像是')
    setLanguage('en')
    expect(card([{ code: 'a', name: '甲', name_en: 'A', metrics: 3, protocol: true }]).get('.btn.main b').text()).toBe('A')
  })
})

describe('adoption from the head of the page', () => {
  it('begins as the filled button of the card does', async () => {
    setLanguage('zh')
    HTMLDialogElement.prototype.showModal = function () { this.setAttribute('open', '') }
    const r = { name: 'devices', label_field: 'name', fields: [{ name: 'model', type: 'text', title: { zh: '型号', en: '' } }, { name: 'name', type: 'text', title: { zh: '名称', en: '' } }], state: { field: 'state', values: [], actions: [{ name: 'adopt', title: { zh: '认领', en: 'Adopt' }, takes: ['model'], need: [], danger: false }] } } as unknown as Resource
    for (const [metrics, model] of [[3, 'a'], [0, '']] as const) {
      const w = mount(Adopt, { props: { r, row: { id: '1', place_id: null, name: 'x', _labels: {}, _masked: [], _actions: ['adopt'] } as unknown as Row, told: { device_id: '1', findings: [], models: [{ code: 'a', name: '甲', metrics, protocol: true }] }, act: () => Promise.resolve(null) } })
      ;(w.vm as unknown as { lead: () => void }).lead()
      await flushPromises()
      expect((w.get('dialog input').element as HTMLInputElement).value).toBe(model)
    }
  })
})
describe('what a device says of itself', () => {
  const row = (attributes: unknown): Row => ({ attributes }) as unknown as Row
  it('is its maker and model in words, and tags by their keys', () => {
    setLanguage('en')
    expect(saysOf(row({ vendor: 'Kele', model: 'AHU-7', building: 3, roof: false }))).toEqual([['Maker', 'Kele'], ['Maker’s model', 'AHU-7'], ['building', '3'], ['roof', 'false']])
  })
  it('leaves out what is not there', () => {
    expect(saysOf(row(null))).toEqual([])
    expect(saysOf(row({ vendor: '', model: null, nested: { a: 1 } }))).toEqual([])
  })
})
