// Frames of device lines as people read them: bytes, the one that is wrong, the clause it broke.
import type { Key } from '@/shared/i18n'

export interface Sample { at_ms?: number; peer: string; length: number; hex: string; about?: string; text?: string; number?: number; rule?: string; offset?: number; frame?: unknown
  readings?: { device: string; key: string; value: number; unit: string }[]; events?: { device: string; code: string; text: string; set: boolean }[] }
export interface Figures { id: string; kind?: string; state: string; searchable?: boolean; address?: string; problem?: string; standard?: string; frames?: number; bad?: number; skipped_bytes?: number; bytes?: number
  unanswered?: number; connections?: number; connections_total?: number; last_ms?: number; bad_samples?: Sample[]; good_samples?: Sample[] }

/** Bytes in order; `wrong` marks the one at the offset. */
export function bytesOf(hex: string, offset = -1): { byte: string; wrong: boolean }[] {
  return (hex.match(/../g) ?? []).map((byte, i) => ({ byte, wrong: i === offset }))
}
/** "GB/T 26875.3 6.6: the sum is wrong" has a clause; what names no standard is words alone. */
export function ruleOf(rule: string): { clause: string; words: string } {
  const m = /^([A-Z][^:]* [^:]+): (.*)$/.exec(rule)
  return m ? { clause: m[1]!, words: m[2]! } : { clause: '', words: rule }
}
// What codecs say, in the words of the console; a rule that is not here is shown as the codec says it.
export const ruleWords: Record<string, Key> = {
  'a frame has at least 30 bytes': 'line.ruleShort', 'the start is 40 40': 'line.ruleStart', 'the length is at most 1024': 'line.ruleLong',
  'the length does not fit the frame': 'line.ruleLength', 'the end is 23 23': 'line.ruleEnd', 'the sum is wrong': 'line.ruleSum', 'no such command': 'line.ruleCommand',
  'no such type of data': 'line.ruleType', 'the number of objects is missing': 'line.ruleCount', 'the type has another number of objects': 'line.ruleCount',
  'the data end inside an object': 'line.ruleObject', 'these bytes are no frame': 'line.ruleNoise'
}
