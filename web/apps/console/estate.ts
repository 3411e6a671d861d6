// The plan of an estate: outlines to paths, and what is open where.  Pure but for useEstate.
import { ref, type Ref } from 'vue'
import { get, type Page, type Row } from '@/shared/api'
import { onChange } from '@/shared/live'
import { resource, type Tone } from '@/shared/meta'

export type Position = [number, number] // longitude, latitude
export type Geometry =
  | { type: 'Point'; coordinates: Position } | { type: 'LineString'; coordinates: Position[] }
  | { type: 'MultiLineString' | 'Polygon'; coordinates: Position[][] } | { type: 'MultiPolygon'; coordinates: Position[][][] }
export interface Open { resource: 'alarms' | 'cases'; id: string; title: string; tone: Tone; due: number | null; place: string }
export interface Fit { width: number; height: number; at: (p: Position) => Position }

function positions(g: Geometry): Position[] {
  switch (g.type) {
    case 'Point': return [g.coordinates]
    case 'LineString': return g.coordinates
    case 'MultiLineString': case 'Polygon': return g.coordinates.flat()
    case 'MultiPolygon': return g.coordinates.flat(2)
  }
}
/** An estate is small: degrees stand for metres, shortened by the latitude. */
export function fit(shapes: Geometry[], width: number, margin = 6): Fit {
  const all = shapes.flatMap(positions)
  const lon = all.map((p) => p[0]), lat = all.map((p) => p[1])
  const [west, east, south, north] = [Math.min(...lon), Math.max(...lon), Math.min(...lat), Math.max(...lat)]
  const narrow = Math.cos((south + north) / 2 * Math.PI / 180)
  const scale = (width - 2 * margin) / Math.max(1e-9, (east - west) * narrow)
  return { width, height: Math.ceil((north - south) * scale + 2 * margin),
    at: ([x, y]) => [Math.round((margin + (x - west) * narrow * scale) * 10) / 10, Math.round((margin + (north - y) * scale) * 10) / 10] }
}
export function path(g: Geometry, f: Fit): string {
  const line = (ps: Position[], end: string): string => 'M' + ps.map((p) => f.at(p).join(' ')).join('L') + end
  switch (g.type) {
    case 'Point': return ''
    case 'LineString': return line(g.coordinates, '')
    case 'MultiLineString': return g.coordinates.map((ps) => line(ps, '')).join('')
    case 'Polygon': return g.coordinates.map((ps) => line(ps, 'Z')).join('')
    case 'MultiPolygon': return g.coordinates.flat().map((ps) => line(ps, 'Z')).join('')
  }
}
const order: Tone[] = ['bad', 'warn', 'info', 'ok', 'off']
export const worst = (a: Tone, b: Tone): Tone => (order.indexOf(a) <= order.indexOf(b) ? a : b)
/** Worst first; a case whose alarm still runs is told by its alarm. */
export function openThings(alarms: Row[], cases: Row[], now: number): Open[] {
  const running = new Set(alarms.map((a) => a.id))
  const out: Open[] = alarms.filter((a) => a.place_id).map((a) => ({ resource: 'alarms', id: a.id, title: String(a.title), tone: (a.severity as Tone | null) ?? 'info', due: null, place: String(a.place_id) }))
  for (const c of cases) {
    if (!c.place_id || running.has(String(c.alarm_id))) continue
    const due = c.state === 'new' ? c.accept_due_ms : c.state === 'accepted' || c.state === 'assigned' ? c.onsite_due_ms : c.close_due_ms
    const late = typeof due === 'number' && due <= now
    out.push({ resource: 'cases', id: c.id, title: String(c.title), tone: late ? 'bad' : 'info', due: typeof due === 'number' ? due : null, place: String(c.place_id) })
  }
  return out.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone))
}
/** Labels under one another where they would overlap; y of each, in the order given. */
export function spread(wanted: { x: number; y: number; width: number }[], height: number, top: number, bottom: number): number[] {
  const placed: { x: number; y: number; width: number }[] = []
  for (const w of wanted) {
    let y = Math.min(bottom - height, Math.max(top, w.y))
    const clash = (): boolean => placed.some((p) => Math.abs(p.x - w.x) * 2 < p.width + w.width && Math.abs(p.y - y) < height)
    for (let i = 1; clash() && i <= 40; i++) y = Math.min(bottom - height, Math.max(top, w.y + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * (height / 2)))
    placed.push({ ...w, y })
  }
  return placed.map((p) => p.y)
}

const IDS_MOST = 100 // of one filter
const CLIMB_MOST = 6 // room, floor, unit, building, estate and one more
const DRAWN = 'building,public,equipment,gate,green,road,area,parking'

export function useEstate(place: () => string | undefined): { estate: Ref<Row | null>; drawn: Ref<Row[]>; open: Ref<Open[]>; here: Ref<string | null>; standsIn: (id: string) => string | null } {
  const estate = ref<Row | null>(null)
  const drawn = ref<Row[]>([])
  const open = ref<Open[]>([])
  const here = ref<string | null>(null) // the outline that the asked place is, or is in
  const above = new Map<string, string | null>() // place: its parent
  async function climb(ids: string[]): Promise<void> {
    let ask = [...new Set(ids)].filter((id) => !above.has(id)).slice(0, IDS_MOST)
    for (let i = 0; ask.length && i < CLIMB_MOST; i++) {
      const rows = (await get<Page>(`/places?limit=${IDS_MOST}&f.id=${ask.join(',')}`)).items
      for (const id of ask) above.set(id, null)
      for (const r of rows) above.set(r.id, typeof r.parent_id === 'string' ? r.parent_id : null)
      ask = [...new Set(rows.map((r) => r.parent_id).filter((p): p is string => typeof p === 'string' && !above.has(p)))]
    }
  }
  function standsIn(id: string): string | null {
    for (let at: string | null = id, i = 0; at && i <= CLIMB_MOST; at = above.get(at) ?? null, i++) if (drawn.value.some((r) => r.id === at)) return at
    return null
  }
  /** The estate that the place is or is in; without a place the only one there is. */
  async function find(): Promise<Row | null> {
    const id = place()
    const estates = (await get<Page>('/places?f.kind=estate&limit=50')).items.filter((r) => r.shape)
    if (!id) return estates.length === 1 ? estates[0]! : null
    await climb([id])
    for (let at: string | null = id, i = 0; at && i <= CLIMB_MOST; at = above.get(at) ?? null, i++) { const e = estates.find((r) => r.id === at); if (e) return e }
    return null
  }
  async function look(): Promise<void> {
    const list = async (name: string, q: string): Promise<Row[]> => (resource(name)?.rights.includes('read') ? (await get<Page>(`/${name}?limit=100&${q}`)).items : [])
    const [alarms, cases] = await Promise.all([list('alarms', 'f.state=active,acknowledged'), list('cases', 'f.state=new,accepted,assigned,onsite,done&sort=close_due_ms')])
    const things = openThings(alarms, cases, Date.now())
    await climb(things.map((o) => o.place))
    open.value = things.filter((o) => standsIn(o.place))
  }
  async function load(): Promise<void> {
    try {
      estate.value = await find()
      if (!estate.value) return
      drawn.value = (await get<Page>(`/places?limit=500&f.parent_id=${estate.value.id}&f.kind=${DRAWN}`)).items.filter((r) => r.shape)
      for (const r of drawn.value) above.set(r.id, estate.value.id)
      here.value = place() ? standsIn(place()!) : null
      await look()
    } catch { estate.value = null /* a plan is a help: the page stands without it */ }
  }
  void load()
  onChange(['alarms', 'cases'], () => { if (estate.value) void look().catch(() => undefined) })
  return { estate, drawn, open, here, standsIn }
}
