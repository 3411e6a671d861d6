// Which community a new row is of, where whoever makes it reaches several: a row that it names says so, else he is asked.
import { computed, ref, watch } from 'vue'
import { get, type Row } from '@/shared/api'
import { ofCommunity } from '@/shared/api/types'
import { words } from '@/shared/words'
import { meta, type Field, type Resource } from '@/shared/meta'

export const COMMUNITY = 'community_id'
// Without a place these are of the installation.
const OF_ALL: readonly string[] = ['memberships', 'settings']
const own = (r: Resource): boolean => r.name === 'places' || r.fields.some((f) => f.name === 'place_id' && f.required)
/** Whether somebody must be asked which community a new row of this resource is of, unless a row that it names decides. */
export const asksCommunity = (r: Resource): boolean => (meta.d?.communities.length ?? 0) > 1 && ofCommunity.includes(r.name) && !OF_ALL.includes(r.name) && !own(r)
const both = (key: 'form.community' | 'form.communityHelp'): { zh: string; en: string } => ({ zh: words[key][0], en: words[key][1] })
/** It is no field of the resource, and asked for like one. */
export const communityField = (): Field => ({
  name: COMMUNITY, type: 'choice', title: both('form.community'), help: both('form.communityHelp'), required: true, readonly: false, fixed: true,
  options: (meta.d?.communities ?? []).map((c) => ({ v: c.id, t: { zh: c.name, en: c.name } }))
})
/** References; where it stands says more than what it hangs on. Rows of the installation, as people, decide nothing. */
const refsOf = (r: Resource): Field[] => r.fields.filter((f) => f.type === 'ref' && !f.readonly && !!f.ref).sort((a, b) => Number(b.name === 'place_id') - Number(a.name === 'place_id'))
const read = async (resource: string, id: unknown): Promise<string> => { try { return String((await get<Row>(`/${resource}/${String(id)}`))[COMMUNITY] ?? '') } catch { return '' } }

/** Of the values of a form: the community that a row named there decides, '' while none does. */
export function useCommunity(r: () => Resource, values: Record<string, unknown>, creates: boolean) {
  const asks = computed(() => creates && asksCommunity(r()))
  const decided = ref('')
  let round = 0
  watch(() => (asks.value ? refsOf(r()).map((f) => values[f.name]).join() : ''), async () => {
    const mine = ++round
    let found = ''
    if (asks.value) for (const f of refsOf(r())) if (!found && values[f.name]) found = await read(f.ref!.resource, values[f.name])
    if (mine !== round) return
    decided.value = found
    if (found) values[COMMUNITY] = found
  }, { immediate: true })
  return { asks, shown: computed(() => asks.value && !decided.value) }
}
