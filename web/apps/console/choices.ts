// Choices of a reference that not every row of its resource fits.
import { get } from '@/shared/api'
import { has, language, t } from '@/shared/i18n'

export interface Choice { id: string; label: string; note?: string }
interface Worker { id: string; name: string | null; roles: string[] }
const role = (r: string): string => { const key = 'role.' + r; return has(key) ? t(key) : r }
export const roleWords = (roles: string[]): string => roles.map(role).join(language.value === 'zh' ? '、' : ', ')
/** Who may be given a case, those who go and do it first; undefined where there are too many to list. */
export async function workersOf(id: string): Promise<Choice[] | undefined> {
  const got = await get<{ items: Worker[]; more: boolean }>(`/cases/${id}/workers`)
  const goes = (w: Worker): number => (w.roles.some((r) => r === 'repairer' || r === 'guard' || r === 'grid') ? 0 : 1)
  return got.more ? undefined : got.items.sort((a, b) => goes(a) - goes(b) || String(a.name).localeCompare(String(b.name), 'zh'))
    .map((w) => ({ id: w.id, label: w.name ?? '…' + w.id.slice(-4), note: roleWords(w.roles) }))
}
