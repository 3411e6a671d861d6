// What the server says of lines and devices in English, in the reader's language.
import { language } from './i18n'
import { lineTexts } from './words.lines'
import { messageTexts } from './words.messages'
import { ruleTexts } from './words.rules'

const escaped = (s: string): string => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const patterns = [...ruleTexts, ...messageTexts, ...lineTexts].map(([en, zh]) => ({ match: new RegExp('^' + en.split(/\{\d\}/).map(escaped).join('(.+?)') + '$'), zh, loose: en.split('{').length }))
  .sort((a, b) => a.loose - b.loose) // those that name more come first
function inChinese(words: string): string | undefined {
  for (const p of patterns) {
    const m = p.match.exec(words)
    if (m) return p.zh.replace(/\{(\d)\}/g, (_, n: string) => m[Number(n) + 1] ?? '')
  }
  return undefined
}
/** What codecs, listeners and clients say, in the reader's language; what has no words here stays as it is. */
export function said(words: string): string {
  if (language.value !== 'zh' || !words) return words
  const whole = inChinese(words)
  if (whole !== undefined) return whole
  const m = /^([^:]{1,60}): (.+)$/.exec(words), rest = m ? said(m[2]!) : ''
  return !m || rest === m[2] ? words : `${inChinese(m[1]!) ?? m[1]}：${rest}`
}
