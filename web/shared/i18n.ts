// Words of the console itself; those of resources come with describe.
import { computed, ref } from 'vue'
import { words } from './words'

export interface Both { zh: string; en: string }
export type Language = 'zh' | 'en'
export const language = ref<Language>(localStorage.getItem('linli.language') === 'en' ? 'en' : 'zh')
export function setLanguage(l: Language, keep = false): void {
  language.value = l
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en'
  if (keep) localStorage.setItem('linli.language', l)
}
export type Key = keyof typeof words
export function t(key: Key, args: Record<string, string | number> = {}): string {
  const pair = words[key]
  let text: string = language.value === 'zh' ? pair[0] : pair[1].replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, k: string, one: string, many: string) => (String(args[k]) === '1' ? one : many)) // {n|time|times}
  for (const [k, v] of Object.entries(args)) {
    const s = String(v)
    if (/^[\u4e00-\u9fff]/.test(s)) text = text.replace(new RegExp(`([\\u4e00-\\u9fff]) \\{${k}\\}`), `$1{${k}}`) // Chinese beside Chinese takes no space
    text = text.replace('{' + k + '}', () => s) // as it is: a name may hold $&
  }
  return text
}
export const has = (key: string): key is Key => key in words
export const both = (b: Both | null | undefined): string => (b ? (language.value === 'zh' ? b.zh : b.en) || b.zh || b.en || '' : '')
export const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en-GB'))

/** Words for an error code of the server, with its bound where it has one. */
export function errorWords(code: string, limit?: number): string {
  const key = 'error.' + code
  return has(key) ? t(key, { limit: limit ?? '' }) : t('error.other', { code })
}
