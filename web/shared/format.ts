// Times, money, decimals as people read them.
import { fieldOf, stateOption, zone, type Field, type Resource } from './meta'
import { both, language, locale, t } from './i18n'
import { codeLabel } from './codes'
import { commandName, metricWords, withUnit } from './metrics'
import { said } from './said'
import { toWall } from './wall'
import { eventWords, wireWords } from './wire'
import type { Row } from './api'

export function time(ms: number, withDate = true): string {
  const [day, clock] = toWall(ms, zone()).split('T') as [string, string]
  if (!withDate) return clock
  return `${day.slice(0, 4) === toWall(Date.now(), zone()).slice(0, 4) ? day.slice(5) : day} ${clock}`
}
export const isToday = (ms: number, now = Date.now()): boolean => toWall(ms, zone()).slice(0, 10) === toWall(now, zone()).slice(0, 10)
export const clock = (ms: number, now = Date.now()): string => time(ms, !isToday(ms, now))
export function age(ms: number, now = Date.now()): string {
  const s = Math.max(0, Math.round((now - ms) / 1000))
  if (s < 5) return t('time.now')
  if (s < 60) return t('time.seconds', { n: s })
  if (s < 3600) return t('time.minutes', { n: Math.floor(s / 60) })
  return time(ms)
}
export function span(ms: number): string {
  const m = Math.floor(Math.abs(ms) / 60000)
  if (!m) return t('time.short')
  if (m < 60) return t('time.m', { n: m })
  if (m < 48 * 60) return m % 60 ? t('time.hm', { h: Math.floor(m / 60), m: m % 60 }) : t('time.h', { n: m / 60 })
  return t('time.d', { n: Math.floor(m / 1440) })
}
/** A duration of a rule or a limit, in the largest unit that says it. */
export const seconds = (n: number): string => (n < 60 || n % 60 ? t('time.s', { n }) : span(n * 1000))
export const money = (cents: number): string =>
  new Intl.NumberFormat(locale.value, { style: 'currency', currency: 'CNY' }).format(cents / 100)

/** What a case is about; one that an alarm opened has the alarm's detail. */
export const caseText = (row: Row): string => (row.alarm_id ? wireWords(String(row.text ?? '')) : String(row.text ?? ''))

export function text(r: Resource, f: Field, row: Row): string {
  const v = row[f.name]
  if (v === null || v === undefined || v === '') return ''
  switch (f.type) {
    case 'ref': return String(row._labels[f.name] ?? '—')
    case 'refs': { const l = row._labels[f.name]; return Array.isArray(l) ? l.join('、') : String(l ?? (v as unknown[]).length) }
    case 'choice': return both(f.options?.find((o) => o.v === v)?.t) || String(v)
    case 'state': return both(stateOption(r, v)?.t) || String(v)
    case 'time': return typeof v === 'number' ? time(v) : String(v)
    case 'money': return typeof v === 'number' ? money(v) : String(v)
    case 'flag': return v === true ? t('form.yes') : t('form.no')
    case 'decimal': case 'int': if (f.unit === 's' && typeof v === 'number') return seconds(v)
      if (f.unit === 'd') return t('time.d', { n: String(v) })
      return f.unit ? `${String(v)} ${unitWords(f.unit)}` : String(v)
    case 'geo': { const g = v as { lat: number; lon: number }; return `${g.lat}, ${g.lon}` }
    case 'file': case 'lines': return String((v as unknown[]).length)
    case 'json': return JSON.stringify(v)
    case 'text': if (f.name === 'metric') return metricWords(String(v))
      if (f.name === 'unit') return unitWords(String(v))
      if (f.name === 'command' && r.name === 'commands') return commandName(String(v), row.item, row.told)
      if (f.name === 'value' && r.name === 'alarms') return withUnit(v, row.metric, row.rule_id)
      if (f.name === 'detail' && r.name === 'alarms') return wireWords(String(v))
      if (f.name === 'text' && r.name === 'cases') return caseText(row)
      if (f.name === 'event_code' && r.name === 'rules') return eventWords(String(v))
      if ((f.name === 'problem' && r.name === 'lines') || (f.name === 'answer' && r.name === 'commands')) return said(String(v))
      return codeLabel(r.name, f.name, String(v)) ?? String(v)
    default: return String(v)
  }
}
export function label(r: Resource, row: Row): string {
  const f = r.label_field ? fieldOf(r, r.label_field) : undefined
  const en = f && language.value === 'en' ? row[f.name + '_en'] : undefined // such as models have
  return en ? String(en) : f ? text(r, f, row) : row.id
}

// UCUM codes as people write them.
const units: Record<string, string> = { Cel: '°C', '[degF]': '°F', K: 'K', m3: 'm³', 'm3/min': 'm³/min', 'm3/h': 'm³/h', '[ppm]': 'ppm', 'kW.h': 'kWh', 'W.h': 'Wh', Ohm: 'Ω', 'ug/m3': 'µg/m³', 'mg/m3': 'mg/m³', deg: '°', 'dB[SPL]': 'dB', 'dB[mW]': 'dBm', 'mm[Hg]': 'mmHg', 'uS/cm': 'µS/cm', '1': '' }
export const unitWords = (u: string | null | undefined): string => (u ? units[u] ?? u : '')
