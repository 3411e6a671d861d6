// Units of commands: who may not send one is told whom to ask, a confirmation says what happens, a list calls them by their names.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Row } from '@/shared/api'
import { label, text } from '@/shared/format'
import { setLanguage } from '@/shared/i18n'
import { meta, type Describe, type Field, type Resource } from '@/shared/meta'
import { forgetMetrics } from '@/shared/metrics'
import Commands from '../apps/console/Commands.vue'
import { consequenceOf } from '../apps/console/consequences'
import StepDialog from '../apps/console/StepDialog.vue'
import List from '../apps/console/pages/List.vue'

const field = (name: string, zh: string): Field => ({ name, type: 'text', title: { zh, en: name }, required: true, readonly: false, fixed: true, list: { default: true, sort: true, filter: true } })
const states = { field: 'state', values: [{ v: 'asked', t: { zh: '待确认', en: 'asked' }, tone: 'warn' }], actions: [] }
const commands = (rights: string[]): Resource => ({ name: 'commands', label_field: 'command', title: { zh: '设备命令', en: 'Commands' }, rights, fields: [field('command', '命令'), field('value', '值'), field('reason', '原因')], state: states }) as unknown as Resource
const may = (...rights: string[]): void => { meta.d = { me: { id: '1' }, communities: [], resources: [commands(rights), { name: 'device_models', label_field: 'name', rights: ['read'], fields: [] }] } as unknown as Describe }
const meter = { id: '5', code: 'meter_3ph', category: 'energy', protocol: 'dlt645', metrics: [], commands: [{ command: 'trip', name_zh: '拉闸', name_en: 'Trip', item: '1C', value: 'trip', dangerous: true }, { command: 'close', name_zh: '合闸', name_en: 'Close', item: '1C', value: 'close', dangerous: true }] }
const valve = { id: '6', code: 'valve', category: 'water', metrics: [], commands: [{ command: 'close', name_zh: '关阀', name_en: 'Close the valve', item: 'coil:1', value: 'on', dangerous: true }] }
const device = { id: '9', code: '1234', name: '7号楼 总电表', state: 'normal', community_id: '1', _labels: { place_id: '7号楼' }, _actions: [] } as unknown as Row
const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:x', component: { template: '<i />' } }] })
const card = async (more: object = {}): Promise<VueWrapper> => { const w = mount(Commands, { props: { device, model: meter as unknown as Row, ...more }, global: { plugins: [router] }, attachTo: document.body }); await flushPromises(); return w }
beforeEach(() => {
  setLanguage('zh')
  forgetMetrics()
  HTMLDialogElement.prototype.showModal = function () { this.setAttribute('open', '') }
  vi.stubGlobal('fetch', (url: string, o: RequestInit = {}) => {
    const body = JSON.parse(String(o.body ?? '{}')) as Record<string, unknown>
    const made = { id: '7', ...body, state: 'asked', value: null, until_ms: new Date(2026, 10, 24, 10, 52).getTime(), _actions: ['confirm', 'withdraw'], _labels: {} }
    return Promise.resolve(new Response(JSON.stringify(o.method === 'POST' ? made : { items: url.includes('device_models') ? [meter, valve] : [], next: null, total: 0 }), { status: 200 }))
  })
})
const acts = (w: VueWrapper): [string, boolean][] => w.findAll('.acts .btn').map((b) => [b.text(), b.attributes('disabled') !== undefined])

describe('what a device can be told', () => {
  it('is shown to who may not tell it, with whom to ask', async () => {
    may('read')
    const w = await card()
    expect(acts(w)).toEqual([['拉闸', true], ['合闸', true]])
    expect(w.get('#commands-why').text()).toBe('下发命令请找：物业经理、调度')
    may('read', 'create')
    expect(acts(await card())).toEqual([['拉闸', false], ['合闸', false]])
    expect((await card({ device: { ...device, state: 'retired' } })).get('#commands-why').text()).toContain('已停用')
  })
  it('is confirmed knowing what happens to whom, where, and how long it holds', async () => {
    may('read', 'create')
    const told = async (n: number): Promise<string> => {
      const w = await card()
      await w.findAll('.acts .btn')[n]!.trigger('click')
      await w.get('dialog input').setValue('欠费')
      await w.get('dialog form').trigger('submit')
      await flushPromises()
      const words = w.get('dialog').text()
      w.unmount()
      return words
    }
    const trip = await told(0), close = await told(1)
    for (const s of ['再确认一次：拉闸', '7号楼 总电表 · 1234', '7号楼', '欠费', '表后立即停电', '几秒到几分钟', '还没有结果就作废', '确认拉闸']) expect(trip).toContain(s)
    expect(close).toContain('表后立即通电')
    expect(close).not.toContain('停电')
  })
  it('says beforehand that a meter without a password minds no command', async () => {
    may('read', 'create')
    for (const bare of [true, false]) {
      const w = await card({ bare })
      await w.findAll('.acts .btn')[0]!.trigger('click')
      expect(w.get('dialog').text().includes('还没有给它设过密码')).toBe(bare)
      w.unmount()
    }
  })
  it.each([['open', 'gas', 'does.valveOpen'], ['open', 'access', 'does.openDoor'], ['close', 'parking', 'does.barrierDown'], ['close', 'energy', 'does.close'], ['pump_2_stop', 'pump', 'does.pumpStop'], ['set_temperature', 'climate', 'does.moves'], ['toString', null, 'does.moves']])('%s of %s: %s', (command, category, key) => expect(consequenceOf(command, category)).toBe(key))
})
describe('commands in a list', () => {
  const row = (o: object): Row => ({ id: '1', _labels: {}, ...o }) as unknown as Row
  it('are called as the model calls them: of those of one code, by what was told', async () => {
    may('read')
    const r = commands(['read']), f = r.fields[0]!
    text(r, f, row({ command: 'trip' }))
    await flushPromises()
    expect(label(r, row({ command: 'trip', item: '1C', told: 'trip' }))).toBe('拉闸')
    expect([text(r, f, row({ command: 'close', item: '1C', told: 'close' })), text(r, f, row({ command: 'close', item: 'coil:1', told: 'on' })), text(r, f, row({ command: 'close' })), text(r, f, row({ command: 'gone' }))]).toEqual(['合闸', '关阀', 'close', 'gone'])
    setLanguage('en')
    expect(label(r, row({ command: 'trip', item: '1C', told: 'trip' }))).toBe('Trip')
  })
  it('are confirmed there as plainly as at the device', async () => {
    may('read')
    const r = { ...commands(['read']), state: { ...states, actions: [{ name: 'confirm', title: { zh: '确认下发', en: 'Confirm' }, from: ['asked'], to: 'queued', danger: true, takes: [], need: [] }] } } as unknown as Resource
    const w = mount(StepDialog, { props: { r, row: row({ command: 'close', item: '1C', told: 'close', _labels: { device_id: '7号楼 总电表' }, _masked: [] }), step: 'confirm' } })
    await flushPromises()
    for (const s of ['合闸 · 7号楼 总电表', '表后立即通电']) expect(w.text()).toContain(s)
  })
  it('are not imported from a file', async () => {
    may('read', 'create')
    await router.push('/commands')
    const w = mount(List, { props: { resource: 'commands' }, global: { plugins: [router] } })
    await flushPromises()
    expect(w.get('.acts').text()).not.toContain('导入')
    expect(w.get('.acts').text()).toContain('导出')
  })
})
