// Units: words, limits, queries, errors.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { manyOf, oneOf } from '@/shared/called'
import { errorWords, setLanguage, t } from '@/shared/i18n'
import { words } from '@/shared/words'
import { limits } from '../apps/console/limits'
import { listQuery } from '../apps/console/useList'
import { call, Problem, type Row } from '@/shared/api'
import type { Resource } from '@/shared/meta'

const row = (o: Record<string, unknown>): Row => ({ id: '1', version: 1, created_ms: 0, updated_ms: 0, archived_ms: null, _labels: {}, _actions: [], _rights: [], _masked: [], ...o })

describe('words', () => {
  it('has both languages for every key, with the same holes', () => {
    for (const [k, [zh, en]] of Object.entries(words)) {
      expect(zh && en, k).toBeTruthy()
      const holes = (s: string): string[] => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort()
      expect(holes(zh), k).toEqual(holes(en))
    }
  })
  it('names an unknown error by its code', () => {
    setLanguage('en')
    expect(errorWords('no_such')).toContain('no_such')
    expect(errorWords('too_long', 64)).toContain('64')
    setLanguage('zh')
    expect(t('today.pieces', { n: 3 })).toBe('3 件')
  })
  it('counts in English as people do: one is not many', () => {
    setLanguage('en')
    expect([t('doctor.frames', { n: 1 }), t('doctor.frames', { n: 12 }), t('form.wrong', { n: 1 }), t('import.failed', { n: 0 })]).toEqual(['spoke 1 time', 'spoke 12 times', '1 thing to correct; nothing was sent', '0 rows were not'])
    setLanguage('zh')
    expect(t('doctor.frames', { n: 1 })).toBe('说了 1 次')
  })
  it('calls one of many by its own word, with a small letter', () => {
    const title = (en: string): { zh: string; en: string } => ({ zh: '线路', en })
    setLanguage('en')
    expect(['Lines', 'Device models', 'Passes', 'People', 'Activities', 'Cases', 'Case types', 'Attendance', 'Words'].map((x) => t('form.new', { name: oneOf(title(x)) }))).toEqual(['New line', 'New device model', 'New pass', 'New person', 'New activity', 'New case', 'New case type', 'New attendance', 'New word'])
    expect(t('form.edit', { name: oneOf(title('Device models')) })).toBe('Edit device model')
    expect(manyOf(title('Lines'))).toBe('lines')
    setLanguage('zh')
    expect(t('form.new', { name: oneOf(title('Lines')) })).toBe('新建线路')
  })
  it('puts what is filled in as it is, and no space between Chinese and Chinese', () => {
    expect(t('time.late', { time: '不到 1 分钟' })).toBe('超时不到 1 分钟')
    expect(t('time.late', { time: '12 分钟' })).toBe('超时 12 分钟')
    expect(t('list.newOf', { name: '$&{n}' })).toBe('新建$&{n}')
  })
})

describe('limits of a case', () => {
  const c = { reported_ms: 0, accept_due_ms: 1800e3, onsite_due_ms: 7200e3, close_due_ms: 86400e3, accepted_ms: null, onsite_ms: null, closed_ms: null, state: 'new' }
  it('runs one limit at a time, the first that is open', () => {
    expect(limits(row(c), 1000).map((l) => l.running)).toEqual([true, false, false])
    expect(limits(row({ ...c, accepted_ms: 600e3, state: 'accepted' }), 700e3).map((l) => l.running)).toEqual([false, true, false])
  })
  it('turns to warn at 80 percent and to bad at the limit', () => {
    expect(limits(row(c), 1439e3)[0]!.tone).toBe('info')
    expect(limits(row(c), 1440e3)[0]!.tone).toBe('warn')
    expect(limits(row(c), 1800e3)[0]!.tone).toBe('bad')
  })
  it('says whether a passed limit was kept', () => {
    expect(limits(row({ ...c, accepted_ms: 1800e3, state: 'accepted' }), 1900e3)[0]!.tone).toBe('ok')
    expect(limits(row({ ...c, accepted_ms: 1800001, state: 'accepted' }), 1900e3)[0]!.tone).toBe('bad')
  })
})

describe('list query', () => {
  const r = { name: 'visits', views: [{ name: 'waiting', title: { zh: '', en: '' }, filter: { state: 'asked' }, sort: 'from_ms' }] } as unknown as Resource
  it('takes filter and order from the view, and lets the address win', () => {
    expect(listQuery(r, { view: 'waiting' })).toBe('f.state=asked&sort=from_ms')
    expect(listQuery(r, { view: 'waiting', 'f.state': 'inside', sort: '-name', q: '陈' })).toBe('f.state=inside&q=%E9%99%88&sort=-name')
  })
})

describe('the door to the server', () => {
  beforeEach(() => vi.unstubAllGlobals())
  it('gives problems as typed errors with their fields', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ code: 'bad_field', detail: 'x', errors: [{ field: 'name', code: 'required' }] }), { status: 400 })))
    const e = await call('POST', '/visits', { body: {} }).catch((x: unknown) => x)
    expect(e).toBeInstanceOf(Problem)
    expect((e as Problem).errors[0]!.field).toBe('name')
  })
  it('sends an idempotency key with writes and a version where one is known', async () => {
    let seen: RequestInit | undefined
    vi.stubGlobal('fetch', (_: string, o: RequestInit) => { seen = o; return Promise.resolve(new Response('{}', { status: 200 })) })
    await call('PATCH', '/visits/1', { body: {}, version: 7 })
    const h = seen!.headers as Record<string, string>
    expect(h['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/)
    expect(h['If-Match']).toBe('"7"')
  })
  it('says offline when nothing answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')))
    expect(((await call('GET', '/me').catch((x: unknown) => x)) as Problem).code).toBe('offline')
  })
})
