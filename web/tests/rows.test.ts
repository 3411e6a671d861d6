// Rows of a list and a step asked for, mounted: what the bulk bar offers, what is asked before, what a lost race keeps.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount, RouterLinkStub } from '@vue/test-utils'
import type { Row } from '@/shared/api'
import type { Field, Resource } from '@/shared/meta'
import { setLanguage } from '@/shared/i18n'
import type { HistoryItem } from '../apps/console/useRow'

vi.mock('vue-router', () => ({ useRoute: () => ({ query: {} }), useRouter: () => ({ push: () => undefined }) }))
const { default: Rows } = await import('../apps/console/list/Rows.vue')
const { default: StepDialog } = await import('../apps/console/StepDialog.vue')
const { default: Story } = await import('../apps/console/Story.vue')
const { default: Detail } = await import('../apps/console/pages/Detail.vue')
const { default: Clocks } = await import('../apps/console/Clocks.vue')

const field = (name: string, type = 'text'): Field => ({ name, type, title: { zh: name + '名', en: name }, required: false, readonly: false, fixed: false, max: 40, list: { default: true, sort: true, filter: true } })
const action = (name: string, zh: string, more: object = {}): object => ({ name, title: { zh, en: name }, from: [], to: null, danger: false, takes: [], need: [], ...more })
const visits = {
  name: 'visits', path: '', group: null, label_field: 'name', title: { zh: '访客', en: 'Visitors' }, rights: ['read'], fields: [field('state', 'state'), field('name'), field('reason')],
  state: { field: 'state', values: [{ v: 'asked', t: { zh: '待审核', en: 'Waiting' }, tone: 'warn' }], actions: [action('approve', '通过'), action('refuse', '谢绝', { danger: true, takes: ['reason'], need: ['reason'] }), action('enter', '登记进入')] }
} as unknown as Resource
const row = (id: string, actions: string[], more: object = {}): Row => ({ id, version: 3, created_ms: 0, updated_ms: 0, archived_ms: null, state: 'asked', name: '客' + id, reason: null, _labels: {}, _actions: actions, _rights: [], _masked: [], ...more })
const draw = (rows: Row[], chosen: string[] = []) => mount(Rows, { props: { r: visits, rows, columns: [field('name')], at: -1, sorted: '', chosen }, global: { stubs: { RouterLink: true } } })
const sent: { url: string; body: unknown; match: string | undefined }[] = []
function server(answer: (url: string, method: string) => [number, object]): void {
  vi.stubGlobal('fetch', (url: string, o: RequestInit = {}) => {
    if (o.method === 'POST') sent.push({ url, body: JSON.parse(String(o.body)), match: (o.headers as Record<string, string>)['If-Match'] })
    const [status, body] = answer(url, o.method ?? 'GET')
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  })
}
beforeEach(() => {
  setLanguage('zh')
  sent.length = 0
  HTMLDialogElement.prototype.showModal = function () { this.setAttribute('open', '') }
})

describe('rows of a list', () => {
  it('offer in the bulk bar only what every chosen row may do', () => {
    const bar = draw([row('1', ['approve', 'refuse']), row('2', ['approve', 'enter'])], ['1', '2']).get('.bulk').text()
    expect(bar).toContain('已选 2 条')
    expect(bar).toContain('通过')
    expect(bar).not.toContain('谢绝')
    expect(bar).not.toContain('登记进入')
  })
  it('run a plain step on each chosen row, with its version', async () => {
    server(() => [200, {}])
    const w = draw([row('1', ['approve']), row('2', ['approve'])], ['1', '2'])
    await w.get('.bulk button').trigger('click')
    await flushPromises()
    expect(sent.map((s) => `${s.url} ${String(s.match)}`)).toEqual(['/api/v1/visits/1/approve "3"', '/api/v1/visits/2/approve "3"'])
    expect(w.emitted('changed')).toHaveLength(1)
  })
  it('that are many keep their names and what each has, and are asked for the rest once', async () => {
    server(() => [200, {}])
    const at = (id: string, place_id: string | null, model: string): Row => row(id, ['adopt', 'recode'], { place_id, model, code: 'c' + id })
    const place = { ...field('place_id', 'ref'), ref: { resource: 'places', label: 'name' } }
    const devices = { ...visits, name: 'devices', fields: [...visits.fields, { ...field('code'), unique: true }, field('model'), place, field('address')], state: { ...visits.state, actions: [action('adopt', '认领', { takes: ['name', 'model', 'place_id', 'address'], need: ['name', 'place_id'] }), action('recode', '更换编号', { takes: ['code'], need: ['code'] })] } } as unknown as Resource
    const open = async (rows: Row[]): Promise<ReturnType<typeof draw>> => {
      const w = mount(Rows, { props: { r: devices, rows, columns: [field('name')], at: -1, sorted: '', chosen: rows.map((x) => x.id) }, global: { stubs: { RouterLink: true } } })
      expect(w.get('.bulk').text()).not.toContain('更换编号')
      await w.get('.bulk button').trigger('click')
      return w
    }
    const w = await open([at('1', '7', 'a'), at('2', '8', 'a')])
    expect(w.findAll('dialog .label').map((l) => l.text())).toEqual(['model名', 'place_id名'])
    expect(w.get('dialog').text()).toContain('每一条保留自己的：name名、address名')
    await w.get('dialog form').trigger('submit')
    await flushPromises()
    expect(sent.map((s) => s.body)).toEqual([{ name: '客1', place_id: '7' }, { name: '客2', place_id: '8' }])
    expect((await open([at('1', null, 'a'), at('2', '8', 'b')])).findAll('dialog .label').map((l) => l.text())).toEqual(['model名', 'place_id名 *'])
  })
  it('stop at the first that is refused, and say which', async () => {
    server((url) => (url.includes('/1/') ? [200, {}] : [409, { code: 'wrong_state' }]))
    const w = draw([row('1', ['approve']), row('2', ['approve']), row('3', ['approve'])], ['1', '2', '3'])
    await w.get('.bulk button').trigger('click')
    await flushPromises()
    expect(sent).toHaveLength(2)
    expect(w.get('.told').text()).toContain('客2')
  })
  it('keep a dangerous step out of the row, and ask before it', async () => {
    server(() => [200, {}])
    const w = draw([row('1', ['refuse', 'approve'])], ['1'])
    expect(w.findAll('td.acts button.text:not(.icon)').map((b) => b.text())).toEqual(['通过'])
    await w.get('.bulk .danger').trigger('click')
    expect(sent).toHaveLength(0)
    expect(w.get('dialog').text()).toContain('客1')
  })
})

describe('a step that somebody overtook', () => {
  it('shows both versions, keeps what was typed, and goes on from the new one', async () => {
    let first = true
    const theirs = row('1', ['refuse'], { version: 4, name: '改了名' })
    server((_, method) => { if (method === 'GET') return [200, theirs]; if (first) { first = false; return [412, { code: 'stale_version' }] } return [200, theirs] })
    const w = mount(StepDialog, { props: { r: visits, row: row('1', ['refuse']), step: 'refuse' } })
    await w.get('input.input').setValue('没有预约')
    await w.get('form').trigger('submit')
    await flushPromises()
    const told = w.get('.other').text()
    expect(told).toContain('客1')
    expect(told).toContain('改了名')
    expect((w.get('input.input').element as HTMLInputElement).value).toBe('没有预约')
    expect(w.emitted('done')).toBeUndefined()
    await w.get('form').trigger('submit')
    await flushPromises()
    expect(sent.map((s) => s.match)).toEqual(['"3"', '"4"'])
    expect(w.emitted('done')).toHaveLength(1)
  })
  it('cannot go on when the step is gone', async () => {
    server((_, method) => (method === 'GET' ? [200, row('1', [], { version: 4 })] : [412, { code: 'stale_version' }]))
    const w = mount(StepDialog, { props: { r: visits, row: row('1', ['refuse']), step: 'refuse' } })
    await w.get('input.input').setValue('没有预约')
    await w.get('form').trigger('submit')
    await flushPromises()
    expect((w.get('.foot .btn:last-child').element as HTMLButtonElement).disabled).toBe(true)
  })
})

describe('the one a case is given to', () => {
  const cases = { ...visits, name: 'cases', fields: [{ ...field('assignee_id', 'ref'), ref: { resource: 'people', label: 'name' } }], state: { ...visits.state!, actions: [action('assign', '派工', { takes: ['assignee_id'], need: ['assignee_id'] })] } } as unknown as Resource
  it('is chosen among those who may work there, with their roles, who goes before who sends', async () => {
    server((url) => [200, url.endsWith('/cases/1/workers') ? { items: [{ id: '5', name: '调度张', roles: ['dispatcher'] }, { id: '7', name: '何**', roles: ['repairer', 'guard'] }], more: false } : {}])
    const w = mount(StepDialog, { props: { r: cases, row: row('1', ['assign']), step: 'assign' } })
    await flushPromises()
    await w.get('.pick input').trigger('focus')
    expect(w.findAll('.pick li').map((l) => l.text())).toEqual(['何**维修、保安', '调度张调度'])
    for (const typed of ['维修', '何志强']) {
      await w.get('.pick input').setValue(typed)
      expect(w.findAll('.pick li').map((l) => l.text())).toEqual(['何**维修、保安'])
    }
    await w.get('.pick li').trigger('mousedown')
    await w.get('form').trigger('submit')
    await flushPromises()
    expect(sent.map((s) => s.body)).toEqual([{ assignee_id: '7' }])
  })
})

describe('a row in its drawer', () => {
  it('leads to what it is about, by the name people know, and nowhere where that is not theirs to see', async () => {
    const r = { ...visits, name: 'notices', fields: [{ ...field('about_id', 'ref'), ref: { resource: 'cases', label: 'title' } }, { ...field('other_id', 'ref'), ref: { resource: 'cases', label: 'title' } }], state: null } as unknown as Resource
    server((url) => [200, url.endsWith('/history') ? { items: [] } : row('1', [], { about_id: '1779054144054144123', other_id: '9', _labels: { about_id: '门下漏水' } })])
    const w = mount(Detail, { props: { resource: r, id: '1' }, global: { stubs: { RouterLink: RouterLinkStub } } })
    await flushPromises()
    expect(w.findAllComponents(RouterLinkStub).map((l) => `${l.text()} ${String(l.props('to'))}`)).toEqual(['门下漏水 /cases/1779054144054144123'])
  })
})

describe('a story', () => {
  it('names a step that is not the reader’s to take', () => {
    const r = { ...visits, state: { ...visits.state!, actions: [], steps: { expire: { zh: '过期', en: 'Expire' } } } }
    const item = (step: string) => ({ id: step, at_ms: 0, actor: { id: '2', name: '安*', roles: ['guard', 'committee'] }, verb: 'update', step, changes: [{ field: 'state', from: 'new', to: 'asked' }], reason: null })
    const w = mount(Story, { props: { r, items: [item('expire'), item('gone')] } })
    expect(w.findAll('li p').map((p) => p.text())).toEqual(['保安、监督委员 安* 过期', '保安、监督委员 安* 修改'])
  })
  it('of a case says beside its limits who kept them as in its list, and the program as nobody', () => {
    const item = (step: string, actor: object) => ({ id: step, at_ms: 0, actor, verb: 'act', step, changes: [], reason: null }) as HistoryItem
    const history = [item('accept', { id: '7', name: '何**', roles: ['repairer'] }), item('arrive', { id: null, name: 'system', roles: [] })]
    const c = row('1', [], { state: 'working', accept_due_ms: 1800000, onsite_due_ms: 7200000, close_due_ms: 86400000, accepted_ms: 60000, onsite_ms: 120000, closed_ms: null })
    const text = mount(Clocks, { props: { row: c, history } }).text()
    expect(text).toContain('维修 何**受理')
    expect(text).not.toContain('system')
    expect(mount(Story, { props: { r: visits, items: history } }).findAll('li p b').map((b) => b.text())).toEqual(['维修 何**', '系统'])
  })
})
