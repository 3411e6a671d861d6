// Frames of device lines as people read them: bytes, the one that is wrong, the clause it broke.
import { unitWords } from '@/shared/format'
import { language, t } from '@/shared/i18n'
import { metricWords } from '@/shared/metrics'
import { said } from '@/shared/said'
import { eventWords, wireWords } from '@/shared/wire'

interface Heard { device: string; code: string; text: string | null; set: boolean }
export interface Sample { at_ms?: number; peer: string; length: number; hex: string; about?: string; text?: string; number?: number; is_private?: boolean; device?: string; rule?: string; offset?: number; frame?: unknown; asked?: string
  readings?: { device: string; key: string; value: number; unit: string }[]; events?: Heard[] }
/** A search for devices: under way until it has ended; ended before all was asked: cut short. */
export interface Search { began_ms: number; ended_ms?: number; asked: number; of: number; found: number; mixed: number; refused: number }
export interface Figures { id: string; kind?: string; state: string; searchable?: boolean; address?: string; problem?: string; standard?: string; frames?: number; bad?: number; skipped_bytes?: number; bytes?: number
  unanswered?: number; asked?: number; missed?: number; search?: Search; connections?: number; connections_total?: number; last_ms?: number; bad_samples?: Sample[]; good_samples?: Sample[] }

/** Bytes in order; `wrong` marks the one at the offset. */
export function bytesOf(hex: string, offset = -1): { byte: string; wrong: boolean }[] {
  return (hex.match(/../g) ?? []).map((byte, i) => ({ byte, wrong: i === offset }))
}
export const spaced = (hex: string): string => (hex.match(/../g) ?? []).join(' ')
/** "GB/T 26875.3 6.6: the sum is wrong" has a clause; what names no standard is words alone. */
export function ruleOf(rule: string): { clause: string; words: string } {
  const m = /^([A-Z][^:]* [^:]+): (.*)$/.exec(rule)
  return m ? { clause: m[1]!, words: m[2]! } : { clause: '', words: rule }
}
export const ruleSaid = (rule: string): string => said(ruleOf(rule).words)
type Where = Pick<Sample, 'number' | 'offset'> & { length?: number }
/** Where in a frame, or in a file or list, the rule is broken; length 0: its bytes are not kept. */
export function whereOf(s: Where): string {
  const item = s.number ? t('line.number', { n: s.number }) : '', of = s.length
  const byte = of === undefined ? (s.offset === undefined ? '' : t('line.byteAt', { n: s.offset + 1 })) : !of ? t('line.unkept')
    : s.offset === undefined ? t('line.whole', { of }) : s.offset < of ? t('line.byte', { n: s.offset + 1, of }) : t('line.cutShort', { of })
  return [item, byte].filter(Boolean).join(' · ')
}
/** An event in words. That all is normal again is not over: it is what is. */
export const eventSaid = (e: Heard): string => [eventWords(e.code), e.set || e.code === 'normal' ? '' : t('line.over'), e.text ? wireWords(e.text) : ''].filter(Boolean).join(' ')
/** What a good frame says, in a line. */
export function sumOf(s: Sample): string {
  if (s.text) return s.text.split('\n', 1)[0]!
  // Each device once, with all that is said of it.
  const of = new Map<string, string[]>(), note = (device: string, words: string): void => { of.set(device, [...(of.get(device) ?? []), words]) }
  for (const e of s.events ?? []) note(e.device, eventSaid(e))
  for (const x of s.readings ?? []) note(x.device, `${metricWords(x.key)} ${x.value} ${unitWords(x.unit)}`.trim())
  if (s.is_private) return t('line.private')
  return [...of].map(([device, all]) => `${device} ${all.join(language.value === 'zh' ? '，' : ', ')}`).join(language.value === 'zh' ? '；' : '; ') || t(s.length ? 'line.heartbeat' : 'line.unkept')
}
