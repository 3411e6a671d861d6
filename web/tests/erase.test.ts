// Readings erased: what is sent, what keeps it from being sent, how it is told.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import EraseDialog from '../apps/console/EraseDialog.vue'
import { asShown, countsOf, erase, rangeOf, refusals, type Erasing } from '../apps/console/erase'
import { erasedWords } from '../apps/console/story'
import { fromWall, toWallSeconds } from '@/shared/wall'

const ZONE = 'Asia/Shanghai', AT = Date.UTC(2020, 0, 1, 4, 0, 5)
const good: Erasing = { metric: 'co2', from: '2020-01-01T12:00:05', to: '2020-01-01T13:00', reason: ' moved ', typed: 'H-1' }
const fields = (e: Partial<Erasing>): string[] => refusals({ ...good, ...e }, 'H-1', ZONE).map((x) => `${x.field} ${x.code}`)
let asked: string[] = []
let answer: (method: string, address: string) => Response
beforeEach(() => {
  asked = []
  answer = (method) => (method === 'DELETE' ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ points: [[0, 3], [1, null], [2, 4]] }), { status: 200 }))
  vi.stubGlobal('fetch', (address: string, o: { method: string }) => { asked.push(`${o.method} ${address}`); return Promise.resolve(answer(o.method, address)) })
  HTMLDialogElement.prototype.showModal = function () { this.setAttribute('open', '') }
})
afterEach(() => { vi.unstubAllGlobals() })

describe('a clock with seconds', () => {
  it('is read and shown, and may do without them', () => {
    expect([fromWall('2020-01-01T12:00:05', ZONE), fromWall('2020-01-01T12:00', ZONE)]).toEqual([AT, AT - 5000])
    expect(toWallSeconds(AT, ZONE)).toBe('2020-01-01T12:00:05')
    expect(fromWall('2020-01-01T12:00:5', ZONE)).toBeNull()
  })
})
describe('what is to be erased', () => {
  it('is all that the chart shows: its last second whole', () => {
    expect(asShown({ from: AT + 999, to: AT + 1 }, ZONE)).toEqual({ from: '2020-01-01T12:00:05', to: '2020-01-01T12:00:06' })
    expect(asShown({ from: AT, to: AT + 1000 }, ZONE).to).toBe('2020-01-01T12:00:06')
  })
  it('is a stretch only where the end is after the start', () => {
    expect(rangeOf(good, ZONE)).toEqual({ from: AT, to: AT + 3595e3 })
    expect(rangeOf({ ...good, to: good.from }, ZONE)).toBeNull()
    expect(rangeOf({ ...good, to: '' }, ZONE)).toBeNull()
  })
  it.each([
    [{}, []], [{ typed: ' H-1 ' }, []], [{ typed: 'h-1' }, ['typed differs']], [{ typed: '' }, ['typed required']], [{ reason: ' \n' }, ['reason required']],
    [{ to: good.from }, ['to not_after']], [{ from: '', to: 'soon' }, ['from required', 'to bad_type']], [{ reason: '', typed: 'H-2' }, ['reason required', 'typed differs']]
  ] as [Partial<Erasing>, string[]][])('is refused by field: %o', (e, wrong) => { expect(fields(e)).toEqual(wrong) })
  it('is counted metric by metric, and asked for as it was written', async () => {
    expect(await countsOf('H 1', ['a', 'b'], { from: 1, to: 2 })).toEqual([7, 7])
    expect(asked[0]).toBe('GET /api/v1/telemetry?device=H%201&metric=a&from=1&to=2&every=1000000h&agg=count')
    await erase('H 1', '', { from: 1, to: 2 }, ' why & what ')
    await erase('H', 'a', { from: 1, to: 2 }, 'x')
    expect(asked.slice(2)).toEqual(['DELETE /api/v1/telemetry?device=H%201&from=1&to=2&reason=why%20%26%20what', 'DELETE /api/v1/telemetry?device=H&metric=a&from=1&to=2&reason=x'])
  })
})
describe('the dialog', () => {
  const make = (done = vi.fn()) => ({ done, w: mount(EraseDialog, { props: { code: 'H-1', name: '走廊', metrics: [{ v: 'co2', t: '二氧化碳' }, { v: 'light', t: '照度' }], metric: 'co2', range: { from: AT, to: AT + 60e3 }, done }, attachTo: document.body }) })
  const fill = async (w: ReturnType<typeof make>['w'], reason: string, typed: string): Promise<void> => { await w.find('#erase-reason').setValue(reason); await w.find('#erase-typed').setValue(typed); await w.find('form').trigger('submit'); await flushPromises() }
  const deleted = (): string[] => asked.filter((a) => a.startsWith('DELETE'))
  it('erases nothing before the code is typed, and calls nothing wrong that is being mended', async () => {
    const { w } = make()
    await flushPromises()
    expect(w.find('.count').text()).toBe('将删除 7 条读数')
    await fill(w, 'x', 'H-2')
    expect([deleted(), w.find('#erase-typed-h').text(), document.activeElement?.id]).toEqual([[], '和设备编号 H-1 不一样', 'erase-typed'])
    await w.find('#erase-typed').setValue('H-1')
    expect(w.find('#erase-typed-h').text()).toBe('')
    w.unmount()
  })
  it('says what is left, and tells who shows the readings', async () => {
    const { w, done } = make()
    await flushPromises()
    answer = (method) => (method === 'DELETE' ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ points: [[0, 2]] }), { status: 200 }))
    await fill(w, 'x', 'H-1')
    expect(deleted()).toEqual([`DELETE /api/v1/telemetry?device=H-1&metric=co2&from=${AT}&to=${AT + 60e3}&reason=x`])
    expect(w.text()).toContain('已删除 7 条读数')
    expect(w.text()).toContain('还有 2 条')
    expect(done).toHaveBeenCalledOnce()
    w.unmount()
  })
  it.each([
    [400, { code: 'invalid', errors: [{ field: 'reason', code: 'too_long', args: { limit: 400 } }] }, '#erase-reason-h', '最多 400 个字'],
    [400, { code: 'invalid', errors: [{ field: 'community', code: 'required' }] }, '[role=alert]', '必填'],
    [403, { code: 'not_allowed' }, '[role=alert]', '你没有这个权限']
  ])('says the server’s refusal where it belongs: %i %o', async (status, body, where, words) => {
    const { w, done } = make()
    await flushPromises()
    answer = () => new Response(JSON.stringify(body), { status })
    await fill(w, 'x', 'H-1')
    expect(w.find(where).text()).toBe(words)
    expect(done).not.toHaveBeenCalled()
    w.unmount()
  })
  it('has nothing to send where nothing was read, or could not be counted', async () => {
    answer = () => new Response(JSON.stringify({ points: [] }), { status: 200 })
    const { w } = make()
    await flushPromises()
    await fill(w, 'x', 'H-1')
    expect([w.find('.count').text(), w.find('[type=submit]').attributes('disabled'), deleted()]).toEqual(['这段时间没有读数，没有可删的', '', []])
    w.unmount()
  })
})
describe('the history of a device', () => {
  it('tells what was erased on the reader’s clock', () => {
    expect(erasedWords('换了 (旧) 探头 (co2 2020-01-01T04:00:05.000Z/2020-01-01T05:00:00.000Z)')).toBe('换了 (旧) 探头（co2，2020-01-01 12:00:05 – 2020-01-01 13:00:00）')
    expect(erasedWords('x (* 2020-01-01T04:00:05.000Z/2020-01-01T05:00:00.000Z)')).toBe('x（全部指标，2020-01-01 12:00:05 – 2020-01-01 13:00:00）')
    expect([erasedWords('as it is (a b/c)'), erasedWords(null)]).toEqual(['as it is (a b/c)', ''])
  })
})
