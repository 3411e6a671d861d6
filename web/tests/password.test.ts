// One's own password: what is sent, and where a refusal is said.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { setLanguage } from '@/shared/i18n'
import Password from '../apps/console/Password.vue'

let sent: unknown[] = []
const server = (status: number, body: object, headers: Record<string, string> = {}): void => {
  vi.stubGlobal('fetch', (url: string, o: RequestInit) => {
    sent.push([url, JSON.parse(String(o.body))])
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status, headers }))
  })
}
async function fill(w: VueWrapper, old: string, fresh: string, again: string): Promise<void> {
  await w.get('#password-old').setValue(old)
  await w.get('#password-new').setValue(fresh)
  await w.get('#password-again').setValue(again)
  await w.get('form').trigger('submit')
  await flushPromises()
}
const wrong = (w: VueWrapper): Record<string, string> => Object.fromEntries(w.findAll('.hint.wrong').map((h) => [h.attributes('id')!.split('-')[1]!, h.text()]))
beforeEach(() => {
  setLanguage('zh')
  sent = []
  HTMLDialogElement.prototype.showModal = function () { this.setAttribute('open', '') }
})

describe('one’s own password', () => {
  it('is sent as old and new, and then nothing but that it is done', async () => {
    server(204, {})
    const w = mount(Password)
    await fill(w, 'brown horse', 'white horse', 'white horse')
    expect(sent).toEqual([['/api/v1/me/password', { old: 'brown horse', new: 'white horse' }]])
    expect(w.text()).toContain('密码已改')
    expect(w.find('input').exists()).toBe(false)
  })
  it('is not sent when the two differ, or one is empty', async () => {
    server(204, {})
    const w = mount(Password)
    await fill(w, 'brown horse', 'white horse', 'white house')
    expect(wrong(w)).toEqual({ again: '两遍不一样' })
    await fill(w, '', 'white horse', '')
    expect(wrong(w)).toEqual({ old: '必填', again: '必填' })
    expect(sent).toEqual([])
  })
  it('says a refusal beside the field it is about', async () => {
    const w = mount(Password)
    server(400, { code: 'bad_field', errors: [{ field: 'old', code: 'wrong_password' }] })
    await fill(w, 'grey horse', 'white horse', 'white horse')
    expect(wrong(w)).toEqual({ old: '密码不对' })
    server(400, { code: 'bad_field', errors: [{ field: 'new', code: 'too_short', args: { limit: 8 } }] })
    await fill(w, 'brown horse', 'short', 'short')
    expect(wrong(w)).toEqual({ new: '至少 8 个字' })
  })
  it('says until when it is locked after too many guesses', async () => {
    server(429, { code: 'rate' }, { 'Retry-After': '60' })
    const w = mount(Password)
    await fill(w, 'grey horse', 'white horse', 'white horse')
    expect(w.get('.refused').text()).toMatch(/试错太多，\d\d:\d\d 以后再试/)
  })
})
