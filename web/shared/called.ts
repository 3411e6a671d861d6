// What rows are called within a sentence. Titles are many and have a capital; in English one of them is another word.
import { both, language, type Both } from './i18n'

const odd: Readonly<Record<string, string>> = { people: 'person', 'keeping of readings': 'keeping of readings', attendance: 'attendance' }
const small = (b: Both): string => { const s = both(b); return /^[A-Z][a-z]/.test(s) ? s.charAt(0).toLowerCase() + s.slice(1) : s }
export const manyOf = (b: Both): string => (language.value === 'zh' ? both(b) : small(b))
export function oneOf(b: Both): string {
  const s = manyOf(b)
  return language.value === 'zh' ? s : odd[s] ?? s.replace(/ies$/, 'y').replace(/(ss|sh|ch|x)es$/, '$1').replace(/([^s])s$/, '$1')
}
