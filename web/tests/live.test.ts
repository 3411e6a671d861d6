// The line that says how live a page is.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { live, startLive, stopLive, topicsOf } from '@/shared/live'
import { useTail, type Reading } from '@/shared/tail'

class Source { static last: Source; onopen?: () => void; onerror?: () => void; constructor() { Source.last = this } addEventListener(): void { /* topics */ } close(): void { /* nothing held */ } }
describe('the stream of changes', () => {
  beforeEach(() => { vi.stubGlobal('EventSource', Source); stopLive() })
  it('is opening, then live, then lost', () => {
    startLive([])
    expect([live.opening, live.connected]).toEqual([true, false])
    Source.last.onopen!()
    expect([live.opening, live.connected]).toEqual([false, true])
    Source.last.onerror!()
    expect(live.connected).toBe(false)
  })
  it('is lost as soon as the browser has no network, however open the connection looks', () => {
    startLive([])
    Source.last.onopen!()
    window.dispatchEvent(new Event('offline'))
    expect(live.connected).toBe(false)
    const before = Source.last
    window.dispatchEvent(new Event('online'))
    expect(Source.last).not.toBe(before)
    expect(live.opening).toBe(true)
  })
})

describe('what is listened for', () => {
  it('is all that happens to rows, also what nobody may do', () => {
    expect(topicsOf([{ name: 'places' }, { name: 'lines', state: { actions: [{ name: 'find' }], steps: { open: {}, fail: {}, find: {} } } as object }])).toEqual([
      ...['create', 'update', 'archive', 'restore'].map((v) => `places.${v}`), ...['create', 'update', 'archive', 'restore', 'open', 'fail', 'find'].map((v) => `lines.${v}`)])
  })
})

class Stream {
  static all: Stream[] = []
  on: Record<string, (e: { data: string }) => void> = {}
  onopen?: () => void; onerror?: () => void; closed = false
  constructor(public url: string) { Stream.all.push(this) }
  addEventListener(name: string, fn: (e: { data: string }) => void): void { this.on[name] = fn }
  close(): void { this.closed = true }
}
describe('the live tail of a device', () => {
  beforeEach(() => { vi.stubGlobal('EventSource', Stream); Stream.all = [] })
  it('tells readings, and when some were missed: said so, or the stream was away', () => {
    const scope = effectScope(), got: (Reading[] | null)[] = []
    scope.run(() => {
      const tail = useTail(() => 'D 1')
      tail.listen((r) => got.push(r))
      const s = Stream.all[0]!
      expect(s.url).toContain('device=D%201')
      expect(tail.open.value).toBe(false)
      s.onopen!()
      expect(tail.open.value).toBe(true)
      s.on.readings!({ data: '[{"device":"D 1","metric":"m","at_ms":5,"value":2,"quality":0}]' })
      s.on.missed!({ data: '{}' })
      s.onerror!()
      expect(tail.open.value).toBe(false)
      s.onopen!()
    })
    expect(got.map((r) => r && r[0]!.value)).toEqual([2, null, null])
    scope.stop()
    expect(Stream.all[0]!.closed).toBe(true)
  })
  it('follows the device that is looked at', async () => {
    const scope = effectScope(), code = ref('')
    scope.run(() => { useTail(() => code.value) })
    expect(Stream.all).toHaveLength(0)
    code.value = 'A'
    await nextTick()
    code.value = 'B'
    await nextTick()
    expect(Stream.all.map((s) => [s.url.slice(-1), s.closed])).toEqual([['A', true], ['B', false]])
    scope.stop()
  })
})
