// Stretches of time on a chart, in words.
import { t } from '../i18n'
import { clock, seconds, time } from '../format'
import { DAY_MS } from './scale'

const day = (ms: number): string => time(ms).slice(0, -6)
/** How long a window is. */
export const windowWords = (ms: number): string => (ms % DAY_MS === 0 ? t('time.d', { n: ms / DAY_MS }) : seconds(ms / 1000))
/** That again and again: "every hour" as it stands before "mean". */
export const eachWords = (ms: number): string => (ms === 60e3 ? t('each.minute') : ms === 3600e3 ? t('each.hour') : ms === DAY_MS ? t('each.day') : t('each.other', { time: windowWords(ms) }))
/** When a point was: a reading to the second, a window from its start to its end, days by their dates. */
export function stretchWords(p: { at: number; end: number }, now: number): string {
  if (p.end === p.at) return clock(p.at, now) + ':' + String(Math.floor(p.at / 1000) % 60).padStart(2, '0')
  if (p.end - p.at < DAY_MS - 2 * 3600e3) return `${clock(p.at, now)}–${time(p.end, false)}` // a day of 23 hours is a day
  return day(p.at) === day(p.end - 1) ? day(p.at) : `${day(p.at)}–${day(p.end - 1)}`
}
