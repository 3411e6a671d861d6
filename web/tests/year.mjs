// A year in the console: filled and served by `linli bench year`, which measures the same pages with 200 devices.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** One-minute readings, two million a device: from the year to single ones, back in time, and all devices side by side. */
export async function wholeYear({ root, open, look, check, wait }) {
  const bench = spawn(join(root, 'build/linli'), ['bench', 'year', '--series', '4', '--serve', '0'], { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  bench.stdout.on('data', (b) => { out += b })
  for (let i = 0; i < 1200 && !/^password \S+$/m.test(out) && bench.exitCode === null; i++) await wait(100)
  const at = /^ready (http\S+)/m.exec(out)?.[1]
  check(!!at, 'year: the bench fills a server and says how to get in', out)
  if (!at) return
  const page = await open(1366, 768, at), asked = []
  await page.goto(at + '/signin')
  await page.fill('#user', 'admin')
  await page.fill('#password', /^password (\S+)$/m.exec(out)[1])
  await page.keyboard.press('Enter')
  await page.waitForSelector('nav.menu', { state: 'attached' })
  const one = (await (await page.request.get(at + '/api/v1/devices?limit=1&q=m000002')).json()).items[0]
  page.on('response', async (r) => { if (/\/telemetry\?/.test(r.url())) asked.push({ q: new URL(r.url()).searchParams, body: await r.json().catch(() => null) }) })
  await page.goto(`${at}/devices/${one.id}?metric=power`)
  const drawn = async () => { await page.waitForFunction(() => document.querySelector('.chart')?.getAttribute('aria-busy') === 'false' && document.querySelector('.chart path.line')?.getAttribute('d')); await page.waitForTimeout(300) }
  const HOUR = 3600e3, width = (a) => Number(a.q.get('to')) - Number(a.q.get('from'))
  const answerFor = async (ms) => { // what was asked for so long a time, and as much again as one pans into
    for (let i = 0; i < 300; i++, await wait(50)) {
      const found = asked.filter((a) => a.body?.points?.length && width(a) >= 0.99 * ms && width(a) <= 1.6 * ms).pop()
      if (found) return found
    }
  }
  for (const [i, range, ms, every, least] of [[4, 'year', 8760 * HOUR, '1d', 360], [3, 'month', 720 * HOUR, '2h', 300], [2, 'week', 168 * HOUR, '15m', 600], [1, 'day', 24 * HOUR, '5m', 250], [0, 'hour', HOUR, null, 55]]) {
    await page.locator('.seg button').nth(i).click()
    await page.waitForFunction((r) => location.search.includes('range=' + r), range)
    const last = await answerFor(ms)
    await drawn()
    const points = (await page.getAttribute('.chart path.line', 'd')).split(/[ML]/).length - 1
    check(points >= least && points <= 1500, `year: ${range} is drawn of its own points, and of few`, `${points} ${last?.q.get('every')}`)
    check(last?.q.get('every') === every, `year: ${range} asks for what bench year measures`, String(last?.q.get('every')))
    check(await page.locator('.chart .gap').count() === 0, `year: ${range} has no gap`)
    if (range === 'year') check(last?.body.tier === '1h', 'year: all of it comes from what is rolled up', String(last?.body.tier))
    if (range === 'hour') check(!last?.q.get('every') && last?.body.points.length >= 59, 'year: an hour comes reading by reading', String(last?.body.points.length))
  }
  // Half a year ago, step by step from the year to single readings.
  await page.locator('.seg button').nth(4).click()
  await page.waitForFunction(() => location.search.includes('range=year'))
  await drawn()
  await page.focus('.chart svg')
  for (let i = 0; i < 13; i++) { await page.keyboard.press('+'); await page.waitForTimeout(60) }
  await page.waitForFunction(() => { const q = new URL(location.href).searchParams; return Number(q.get('to')) - Number(q.get('from')) < 2 * 3600e3 })
  await drawn()
  const q = new URL(page.url()).searchParams, zoomed = asked.filter((a) => a.body?.points?.length).pop()
  check(Date.now() - Number(q.get('from')) > 100 * 86400e3 && !zoomed.q.get('every'), 'year: zooming leads to single readings of half a year ago', page.url())
  await look(page, 'year-zoomed', 1366)
  await page.goto(at + '/charts?metric=energy&agg=delta&range=year')
  await page.waitForFunction(() => document.querySelectorAll('.cards .card path').length >= 4)
  check(await page.locator('.cards .card').count() === 4, 'year: the estate shows all of them side by side')
  await look(page, 'year-estate', 1366)
  await page.context().close()
  bench.kill('SIGTERM')
  await new Promise((r) => { if (bench.exitCode !== null) r(); else bench.on('exit', r) })
}
