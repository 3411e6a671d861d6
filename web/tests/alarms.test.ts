// Units of the live list of alarms: order, what waits while somebody reads, what is asked of the server.
import { describe, expect, it } from 'vitest'
import { alarmQueries, dayStart, hold, ordered, toneOf, type Alarm } from '../apps/console/useAlarms'

const alarm = (id: string, severity: Alarm['severity'], since_ms: number, state: Alarm['state'] = 'active'): Alarm =>
  ({ id, version: 1, created_ms: since_ms, updated_ms: since_ms, archived_ms: null, severity, since_ms, state, _labels: {}, _actions: [], _rights: [], _masked: [] })
const ids = (rows: Alarm[]): string => rows.map((x) => x.id).join(' ')

describe('alarms', () => {
  it('stand bad above warn above note, newest first, ended ones below', () => {
    expect(ids(ordered([alarm('note', 'info', 9), alarm('over', 'bad', 10, 'ended'), alarm('old', 'bad', 1), alarm('new', 'bad', 5), alarm('mid', 'warn', 7)]))).toBe('new old mid note over')
  })
  it('never push what is being read, but bring it up to date', () => {
    const h = hold([alarm('a', 'warn', 1)], [alarm('b', 'bad', 2), alarm('a', 'warn', 1, 'acknowledged')])
    expect(ids(h.rows)).toBe('a')
    expect(h.rows[0]!.state).toBe('acknowledged')
    expect(h.waiting).toBe(1)
  })
  it('keep a row in place that has left the filter', () => {
    expect(ids(hold([alarm('gone', 'bad', 1)], []).rows)).toBe('gone')
  })
  it('are never green while they run, and never red when over', () => {
    expect(toneOf(alarm('a', 'bad', 1))).toBe('bad')
    expect(toneOf(alarm('a', null, 1))).toBe('info')
    expect(toneOf(alarm('a', 'bad', 1, 'ended'))).toBe('ok')
  })
  it('ask for running ones and those over today, with the filters of the address', () => {
    const [open, ended] = alarmQueries('open', { 'f.severity': 'bad', q: '泵' }, 1000)
    expect(new URLSearchParams(open).get('f.state')).toBe('active,acknowledged')
    expect(new URLSearchParams(open).get('f.severity')).toBe('bad')
    expect(new URLSearchParams(ended).get('f.since_ms.gte')).toBe('1000')
    expect(new URLSearchParams(ended).get('q')).toBe('泵')
  })
  it('count a day from the midnight of the community', () => {
    expect(dayStart(Date.parse('2026-11-24T15:59:59Z'), 'Asia/Shanghai')).toBe(Date.parse('2026-11-23T16:00:00Z'))
    expect(dayStart(Date.parse('2026-11-24T16:00:00Z'), 'Asia/Shanghai')).toBe(Date.parse('2026-11-24T16:00:00Z'))
  })
})
