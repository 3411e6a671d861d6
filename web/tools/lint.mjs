// Habits of the front end that a small script can see: colours in tokens only, words used and present, no forbidden ways.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const bad = []
const files = []
function walk(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (name === 'node_modules' || name === 'dist') continue
    if (statSync(path).isDirectory()) walk(path)
    else if (/\.(ts|vue|css|mjs)$/.test(name)) files.push(path)
  }
}
for (const d of ['shared', 'apps']) walk(join(root, d))
const used = new Set()
const words = ['words.ts', 'words.pages.ts', 'words.devices.ts'].map((f) => readFileSync(join(root, 'shared', f), 'utf8')).join('\n')
const keys = new Set([...words.matchAll(/^ {2}'([^']+)':/gm)].map((m) => m[1]))
for (const path of files) {
  const name = relative(root, path)
  const text = readFileSync(path, 'utf8')
  if (!name.endsWith('tokens.css') && /#[0-9a-fA-F]{3,8}\b(?![^\n]*\/\/ not a colour)/.test(text.replace(/&#\w+;|href="#[^"]*"|'#[a-z][^']*'/g, '')))
    bad.push(`${name}: a raw colour; use var(--…)`)
  if (/\bv-html\b|innerHTML|\sstyle="|\bonclick=|\beval\(|randomUUID/.test(text)) bad.push(`${name}: a forbidden way (v-html, innerHTML, style="", inline handler, eval, randomUUID)`)
  if (/https?:\/\/(?!www\.w3\.org)/.test(text)) bad.push(`${name}: an address off our origin`)
  if (!name.endsWith('api/types.ts') && text.split('\n').length > 320) bad.push(`${name}: over 320 lines`)
  if (!/words(\.pages)?\.ts$/.test(name)) {
    for (const m of text.matchAll(/'([a-z]+\.[A-Za-z0-9_]+)'/g)) if (keys.has(m[1])) used.add(m[1])
    for (const m of text.matchAll(/\bt\(\s*'([^']+)'/g)) if (!keys.has(m[1])) bad.push(`${name}: no word for ${m[1]}`)
  }
}
for (const k of keys) if (!used.has(k) && !/^(error|verb|role)\./.test(k)) bad.push(`shared/words*.ts: ${k} is not used`)
for (const [, zh, en] of words.matchAll(/: \['([^']*)', '([^']*)'\]/g)) if (!zh || !en) bad.push('shared/words*.ts: an empty word')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
for (const [name, p] of Object.entries(lock.packages)) {
  if (p.resolved) bad.push(`package-lock.json: ${name} has an address`)
  const node = p.engines?.node
  if (name && node && !p.optional && !/(^|\|\|)\s*(>=?\s*(v?(0|[4-9]|1[0-8])(\.|\b|$)).*|\^?18|\*|>=\s*18|.*\|\|\s*\^?18|.*18)/.test(node)) bad.push(`package-lock.json: ${name} wants node ${node}`)
}
for (const b of bad) console.log('not ok ' + b)
if (!bad.length) console.log(`ok web lint: ${files.length} files, ${keys.size} words`)
process.exit(bad.length ? 1 : 0)
