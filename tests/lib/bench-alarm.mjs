// Last byte of a fire frame -> alarm -> case -> event at a client: 50 alarms a second for 10 s beside 1,000 readings a second.
// Environment: URL, LINE (host:port), PASSWORD.  Prints "p50_ms p99_ms max_ms cases readings confirmed".
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'

const { URL: url, LINE: line, PASSWORD: password } = process.env
const [lineHost, linePort] = line.split(':')
const SECONDS = 10, RATE = 50, N = SECONDS * RATE
const json = { 'Content-Type': 'application/json' }
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
async function login(user) {
  const r = await fetch(url + '/api/v1/login', { method: 'POST', headers: json, body: JSON.stringify({ user, password }) })
  return { ...json, Authorization: 'Bearer ' + (await r.json()).token }
}
const manager = await login('manager'), admin = await login('admin')
const call = async (method, path, body, who = manager) => (await fetch(url + '/api/v1' + path, { method, headers: who, body: body && JSON.stringify(body) })).json()

// 500 panels, adopted, under the demo's rule for fire.
const place = (await call('GET', '/places?f.kind=public&limit=1')).items[0].id
const devices = new Map()
for (let i = 0; i < N; i++) {
  const d = await call('POST', '/devices', { name: `panel ${i}`, code: String(100000 + i), model: 'fire_panel' })
  await call('POST', `/devices/${d.id}/adopt`, { name: `panel ${i}`, place_id: place })
  devices.set(d.id, i)
}
await sleep(3000) // the engine reads devices anew

function frame(source) {
  const data = Buffer.alloc(48)
  data.set([2, 1, 1, 1, 40, 10, 0, 2, 0, 2, 0])
  const now = new Date(Date.now() + 8 * 3600e3)
  const t = [now.getUTCSeconds(), now.getUTCMinutes(), now.getUTCHours(), now.getUTCDate(), now.getUTCMonth() + 1, now.getUTCFullYear() - 2000]
  data.set(t, 42)
  const f = Buffer.alloc(30 + data.length)
  f.set([0x40, 0x40, 1, 0, 1, 1, ...t])
  f.writeUIntLE(source, 12, 6)
  f.writeUIntLE(1, 18, 6)
  f.writeUInt16LE(data.length, 24)
  f[26] = 2
  data.copy(f, 27)
  let sum = 0
  for (let i = 2; i < 27 + data.length; i++) sum += f[i]
  f[27 + data.length] = sum & 255
  f.set([0x23, 0x23], 28 + data.length)
  return f
}

// Events as they arrive.
const seen = new Map()
const stream = await fetch(url + '/api/v1/events?topics=cases.*', { headers: manager })
void (async () => {
  let rest = ''
  for await (const piece of stream.body) {
    const at = performance.now()
    rest += Buffer.from(piece).toString()
    const parts = rest.split('\n\n')
    rest = parts.pop()
    for (const p of parts) {
      const id = /^event: ?cases\.create$/m.test(p) && /"id":"(\d+)"/.exec(p)?.[1]
      if (id) seen.set(id, at)
    }
  }
})().catch(() => {})

// Twenty connections, as twenty panels' concentrators would hold.
let confirmed = 0
const lines = await Promise.all(Array.from({ length: 20 }, () => new Promise((r) => {
  const s = connect(Number(linePort), lineHost, () => r(s))
  s.setNoDelay(true)
  s.on('data', (b) => { confirmed += Math.floor(b.length / 30) })
})))
const sent = []
let readings = 0, stop = false
const load = (async () => {
  for (let n = 0; !stop; n++) {
    const body = Array.from({ length: 100 }, (_, i) => `bench,device=B-${i} value=${n % 50}.${i}`).join('\n')
    const r = await fetch(url + '/api/v1/ingest/line', { method: 'POST', headers: { ...admin, 'Content-Type': 'text/plain' }, body })
    if (r.status === 204) readings += 100
    await sleep(Math.max(0, begin + (n + 1) * 100 - performance.now()))
  }
})()
var begin = performance.now()
for (let i = 0; i < N; i++) {
  await sleep(Math.max(0, begin + i * (1000 / RATE) - performance.now()))
  const f = frame(100000 + i)
  sent[i] = performance.now()
  lines[i % lines.length].write(f)
}
for (let i = 0; i < 100 && seen.size < N; i++) await sleep(100)
stop = true
await load
const cases = []
for (let cursor = ''; ;) {
  const page = await call('GET', `/cases?limit=1000&f.source=alarm${cursor && '&cursor=' + cursor}`)
  cases.push(...page.items)
  if (!page.next) break
  cursor = page.next
}
const ms = cases.filter((c) => devices.has(c.device_id) && seen.has(c.id)).map((c) => seen.get(c.id) - sent[devices.get(c.device_id)]).sort((a, b) => a - b)
const rank = (q) => ms[Math.min(ms.length - 1, Math.ceil(q * ms.length) - 1)]?.toFixed(1)
console.log(rank(0.5), rank(0.99), ms.at(-1)?.toFixed(1), ms.length, readings, confirmed)
process.exit(0)
