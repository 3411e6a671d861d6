// A bus of meters, in Chromium: a line that cannot be opened, then can; who hangs on it. Called by e2e.mjs.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export async function bus({ root, url, open, look, check, wait, signIn }, w, h) {
  const page = await open(w, h)
  await signIn(page, 'admin')
  // It listens where the machine has room, then there again.
  const meter = async (port) => {
    const child = spawn(join(root, 'build/linli'), ['simulate', 'dlt645', '--listen', port, '--first', String(9000 + w)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (b) => { out += b })
    for (let i = 0; i < 100 && !out.includes('\n'); i++) await wait(50)
    return { port: /:(\d+)/.exec(out)?.[1], stop: () => new Promise((r) => { child.on('exit', r); child.kill() }) }
  }
  const first = await meter('0')
  await first.stop()
  await page.goto(url + '/lines/new')
  await page.waitForSelector('#field-kind')
  await page.fill('#field-name', '电表总线 ' + w)
  await page.selectOption('#field-kind', 'dlt645')
  await page.selectOption('#field-reach', 'dial')
  await page.fill('#field-host', '127.0.0.1')
  await page.fill('#field-port', first.port)
  await page.selectOption('#field-community_id', { index: 1 })
  await page.click('.form button[type=submit]')
  await page.waitForFunction(() => /^\/lines\/\d+$/.test(location.pathname))
  const says = (words) => page.waitForFunction((x) => document.querySelector('.line')?.textContent.includes(x), words, { timeout: 30000 }).then(() => true, () => false)
  check(await says('打不开'), `bus ${w}: nobody is there yet, and the page says so`)
  const again = await meter(first.port)
  check(await says('已开通'), `bus ${w}: once somebody is, the page says that by itself`)
  await page.click('button:has-text("查找设备")')
  check(await says('正在查找'), `bus ${w}: how far the search is, is told`)
  await look(page, 'bus-search', w)
  check(await says('查找已结束'), `bus ${w}: and that it is over`)
  check(await says('找到 1 台') && await says(String(9000 + w).padStart(12, '0')), `bus ${w}: who was found stands there`)
  await page.waitForSelector('.samples summary')
  check(await says('它回答的提问'), `bus ${w}: with what it was asked beside what it said`)
  await look(page, 'bus-found', w)
  await again.stop()
  check(await says('打不开'), `bus ${w}: it is gone, and the page says so`)
  await page.context().close()
}
