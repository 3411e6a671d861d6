// The line that says how live a page is.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { live, startLive, stopLive } from '@/shared/live'

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
