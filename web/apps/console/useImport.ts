// What becomes of the rows of a file: each is made, a device that waits already is listed and adopted instead; and the way back.
import { ref } from 'vue'
import { call, get, post, Problem, type Page, type Row } from '@/shared/api'
import { both, errorWords, t } from '@/shared/i18n'
import { fieldOf, type Resource } from '@/shared/meta'
import { COMMUNITY } from './community'
import { BadCell } from './importing'

type Values = Record<string, unknown>
/** A row of a file: where it stands there, what it is called, what is sent for it. */
export interface Job { n: number; name: string; values: () => Promise<Values> }
export interface Failure { job: Job; why: string }
/** before: of one that was there already. */
interface Made { id: string; before?: Row; changed: string[] }

export function useImport(r: () => Resource) {
  const at = ref(0), running = ref(false), stopped = ref(false), over = ref(false)
  const made = ref<Made[]>([])
  const failed = ref<Failure[]>([])
  const undone = ref(0), stays = ref(0)
  const devices = (): boolean => r().name === 'devices'

  function whyNot(e: unknown): string {
    const title = (field: string): string => both(fieldOf(r(), field.split(/[.[]/)[0]!)?.title) || field
    if (e instanceof BadCell) return `${title(e.field)}: ${e.message}`
    if (!(e instanceof Problem)) return errorWords('offline')
    const first = e.errors[0], [, n, part] = /^\w+\.(\d+)(?:\.(\w+))?/.exec(first?.field ?? '') ?? [] // "metrics.0.item"
    const within = part && fieldOf(r(), first!.field.split('.')[0]!)?.fields?.find((f) => f.name === part)
    const deep = n === undefined ? '' : [` ${Number(n) + 1}`, within ? both(within.title) : part].filter(Boolean).join(' ')
    return first ? `${title(first.field)}${deep}: ${errorWords(first.code, first.args?.limit)}` : errorWords(e.code)
  }
  /** A device that spoke before it was listed waits already: it is that one, by its exact code and in this community. */
  async function waiting(values: Values): Promise<Row | null> {
    const page = await get<Page>(`/devices?f.state=new&f.code=${encodeURIComponent(String(values.code))}&limit=20`)
    const all = page.items.filter((x) => x.code === values.code)
    if (all.length < 2) return all[0] ?? null
    const where = values.place_id ? (await get<Row>(`/places/${String(values.place_id)}`))[COMMUNITY] : values[COMMUNITY]
    return all.find((x) => x[COMMUNITY] === where) ?? null
  }
  const isTaken = (e: unknown): boolean => e instanceof Problem && (e.code === 'not_unique' || e.errors.some((x) => x.field === 'code' && x.code === 'not_unique'))
  async function make(values: Values): Promise<Row> {
    try {
      const row = await post<Row>('/' + r().name, values)
      made.value.push({ id: row.id, changed: [] })
      return row
    } catch (e) {
      const before = devices() && isTaken(e) ? await waiting(values) : null
      if (!before) throw e
      const others = Object.fromEntries(Object.entries(values).filter(([n]) => n !== 'code' && n !== COMMUNITY))
      const row = await call<Row>('PATCH', `/devices/${before.id}`, { body: others })
      made.value.push({ id: row.id, before, changed: Object.keys(others) })
      return row
    }
  }
  async function run(jobs: Job[], adopt: boolean): Promise<void> {
    running.value = true
    stopped.value = false
    for (at.value = 0; at.value < jobs.length && !stopped.value; at.value++) {
      const job = jobs[at.value]!
      try {
        const row = await make(await job.values())
        if (devices() && adopt && row._actions.includes('adopt') && row.place_id) await post(`/devices/${row.id}/adopt`, { name: row.name, place_id: row.place_id })
      } catch (e) {
        failed.value.push({ job, why: whyNot(e) })
        if (e instanceof Problem && (e.status === 0 || e.status === 503)) stopped.value = true // the rest would fail alike
      }
    }
    for (const job of jobs.slice(at.value)) failed.value.push({ job, why: t('import.stop') })
    running.value = false
    over.value = true
  }
  /** What the import made goes; what waited before waits again, under the name it had. False: it cannot be put back. */
  async function putBack(m: Made): Promise<boolean> {
    if (!m.before) { await call('DELETE', `/${r().name}/${m.id}`); return true }
    const now = await get<Row>(`/devices/${m.id}`)
    if (now.state !== m.before.state) {
      if (!now._actions.includes('unadopt')) return false
      await post(`/devices/${m.id}/unadopt`, {})
    }
    if (m.changed.length) await call('PATCH', `/devices/${m.id}`, { body: Object.fromEntries(m.changed.map((n) => [n, m.before![n] ?? null])) })
    return true
  }
  async function undo(): Promise<void> {
    running.value = true
    const left: Made[] = []
    for (const m of [...made.value].reverse()) {
      let gone = false
      try { gone = await putBack(m) } catch { /* it stays, and is counted among those that do */ }
      if (gone) undone.value++
      else left.unshift(m)
    }
    made.value = left
    stays.value = left.length
    running.value = false
  }
  function begin(): void { over.value = false; made.value = []; failed.value = []; undone.value = stays.value = 0 }
  return { at, running, stopped, over, made, failed, undone, stays, begin, run, undo }
}
