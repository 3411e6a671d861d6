// The values of a form: what is sent, what was kept as a draft, what somebody else changed meanwhile.
import { computed, nextTick, onScopeDispose, reactive, ref, watch } from 'vue'
import { call, get, post, Problem, type FieldError, type FileInfo, type Row } from '@/shared/api'
import type { Field, Resource } from '@/shared/meta'
import { COMMUNITY, communityField, useCommunity } from './community'
import { fitting, startOf, stepOf } from './forms'

export type Values = Record<string, unknown>
const empty = (v: unknown): boolean => v === null || v === undefined || v === '' || (Array.isArray(v) && !v.length)
const idsOf = (v: unknown): unknown => (Array.isArray(v) ? (v as FileInfo[]).map((p) => p.id) : v)

/** A value as the server wants it; a row's own value in the same shape, so that the two can be compared. */
export function sent(f: Field, v: unknown): unknown {
  if (empty(v)) return null
  if (f.type === 'file') return idsOf(v)
  if (f.type === 'json' && typeof v === 'string') { try { return JSON.parse(v) } catch { return v } }
  return v
}
/** What a create sends: all that is filled in. */
export function createBody(fields: Field[], values: Values): Values {
  return Object.fromEntries(fields.map((f) => [f.name, sent(f, values[f.name])]).filter(([, v]) => v !== null))
}
/** What a change sends: only what differs from the row it began with; never what is fixed or masked. */
export function patchBody(fields: Field[], values: Values, row: Row): Values {
  return Object.fromEntries(fields.filter((f) => !f.fixed && !row._masked.includes(f.name)).map((f) => [f, sent(f, values[f.name]), sent(f, row[f.name])] as const)
    .filter(([, mine, old]) => JSON.stringify(mine) !== JSON.stringify(old)).map(([f, mine]) => [f.name, mine]))
}
/** Which field of the form an error of the server belongs to ("lines.2.price" -> lines); null for one that is not shown. */
export const fieldFor = (fields: Field[], e: FieldError): Field | null => fields.find((f) => f.name === e.field || e.field.startsWith(f.name + '.') || e.field.startsWith(f.name + '[')) ?? null

interface Draft { at: number; values: Values }
const asProblem = (e: unknown): Problem => (e instanceof Problem ? e : new Problem(0, 'offline', ''))
/** Values that a link brings along ("v.place_id"); only of fields that the form has. */
export function broughtAlong(fields: Field[], query: Record<string, unknown>): Values {
  return Object.fromEntries(fields.map((f) => [f.name, query['v.' + f.name]] as const).filter((e) => typeof e[1] === 'string' && e[1] !== ''))
}
export function useForm(r: () => Resource, id: string | undefined, query: Record<string, unknown> = {}) {
  const values = reactive<Values>({})
  const row = ref<Row | null>(null)
  const theirs = ref<Row | null>(null)
  const problem = ref<Problem | null>(null)
  const failed = ref<Problem | null>(null)
  const saving = ref(false)
  const drafted = ref(0)
  const restored = ref(0)
  const ready = ref(false)
  const unset = ref(false) // the row is there, its secret is not
  const key = `linli.draft.${r().name}.${id ?? 'new'}`
  const community = useCommunity(r, values, !id)
  const all = computed<Field[]>(() => [...(community.shown.value ? [communityField()] : []), ...r().fields.filter((f) => !f.readonly && f.type !== 'state')])
  const fields = computed<Field[]>(() => fitting(r(), all.value, values, !id)) // those that matter now
  const masked = (f: Field): boolean => !!row.value?._masked.includes(f.name)
  let timer = 0

  function fill(from: Row | null): void { const start = startOf(r()); for (const f of all.value) if (!masked(f) && (from || f.name !== COMMUNITY)) values[f.name] = from ? from[f.name] : start[f.name]; delete values.secret }
  async function load(): Promise<void> {
    failed.value = null
    try {
      if (id) row.value = await get<Row>(`/${r().name}/${id}`)
      fill(row.value)
      if (!id) Object.assign(values, broughtAlong(all.value, query))
      const kept = sessionStorage.getItem(key)
      if (kept) { const d = JSON.parse(kept) as Draft; Object.assign(values, d.values); restored.value = d.at }
      await nextTick() // what was filled in by us is no draft
      ready.value = true
    } catch (e) { failed.value = asProblem(e) }
  }
  /** No secret is put down anywhere but at the server. */
  const kept = (): Values => Object.fromEntries(Object.entries(values).filter(([n]) => r().fields.find((f) => f.name === n)?.class !== 'secret'))
  function forget(): void { clearTimeout(timer); sessionStorage.removeItem(key); drafted.value = restored.value = 0 }
  async function throwAway(): Promise<void> { fill(row.value); await nextTick(); forget() }
  watch(values, () => {
    if (!ready.value) return
    clearTimeout(timer)
    timer = window.setTimeout(() => { drafted.value = Date.now(); sessionStorage.setItem(key, JSON.stringify({ at: drafted.value, values: kept() } satisfies Draft)) }, 800)
  })
  onScopeDispose(() => clearTimeout(timer))
  /** Saves; the saved row, or null with `problem` set. */
  async function save(): Promise<Row | null> {
    if (saving.value) return null
    saving.value = true
    problem.value = null
    try {
      const saved = id ? await call<Row>('PATCH', `/${r().name}/${id}`, { body: patchBody(fields.value, values, row.value!), version: (theirs.value ?? row.value!).version })
        : await post<Row>(`/${r().name}`, { ...createBody(fields.value.filter((f) => f.class !== 'secret' || !stepOf(r(), values)), values), ...(community.asks.value && values[COMMUNITY] ? { [COMMUNITY]: values[COMMUNITY] } : {}) })
      const then = id ? null : stepOf(r(), values)
      unset.value = false // its version is no matter: a line opens by itself meanwhile
      if (then) try { await post(`/${r().name}/${saved.id}/${then.step}`, then.body) } catch { unset.value = true }
      forget()
      return saved
    } catch (e) {
      problem.value = asProblem(e)
      if (problem.value.status === 412 && id) try { theirs.value = await get<Row>(`/${r().name}/${id}`) } catch { /* the words of the refusal stay */ }
      return null
    } finally { saving.value = false }
  }
  const differs = computed(() => (theirs.value && row.value ? fields.value.filter((f) => JSON.stringify(sent(f, theirs.value![f.name])) !== JSON.stringify(sent(f, row.value![f.name]))) : []))
  function takeTheirs(f: Field): void { values[f.name] = theirs.value![f.name]; if (row.value) row.value = { ...row.value, [f.name]: theirs.value![f.name], _labels: { ...row.value._labels, [f.name]: theirs.value!._labels[f.name] ?? null } } }
  return { unset, values, row, theirs, problem, failed, saving, drafted, restored, ready, fields, masked, load, save, fill, throwAway, differs, takeTheirs }
}
