// The three limits of a case, all from its report.
import type { Row } from '@/shared/api'
import type { Tone } from '@/shared/meta'
import { t, type Key } from '@/shared/i18n'
import { clock, span } from '@/shared/format'

export interface Limit { word: Key; due: number; at: number | null; from: number; tone: Tone; running: boolean; share: number }
export const WARN_SHARE = 0.8
const n = (v: unknown): number | null => (typeof v === 'number' ? v : null)

export function limits(c: Row, now: number): Limit[] {
  const from = n(c.reported_ms) ?? c.created_ms
  const ended = c.state === 'cancelled' || c.state === 'closed'
  const rows: [Key, number | null, number | null][] = [
    ['case.accept', n(c.accept_due_ms), n(c.accepted_ms)], ['case.onsite', n(c.onsite_due_ms), n(c.onsite_ms)], ['case.close', n(c.close_due_ms), n(c.closed_ms)]
  ]
  let open = !ended
  return rows.filter((r): r is [Key, number, number | null] => r[1] !== null).map(([word, due, at]) => {
    const running = open && at === null
    if (at === null) open = false
    const share = Math.min(1, Math.max(0, ((at ?? now) - from) / (due - from)))
    const tone: Tone = at !== null ? (at <= due ? 'ok' : 'bad') : ended ? 'off' : now >= due ? 'bad' : running && share >= WARN_SHARE ? 'warn' : running ? 'info' : 'off'
    return { word, due, at, from, tone, running, share }
  })
}
/** The limit that counts now. */
export const current = (c: Row, now: number): Limit | undefined => limits(c, now).find((l) => l.running)
export const leftWords = (l: Limit, now: number): string => (l.due > now ? t('time.left', { time: span(l.due - now) }) : t('time.late', { time: span(now - l.due) }))
export const byWords = (l: Limit, now: number): string => t('time.by', { time: clock(l.due, now), what: t(l.word) })
