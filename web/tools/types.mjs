// Writes shared/api/types.ts from the server's OpenAPI 3.1 schemas.  node tools/types.mjs [--check] [--from FILE|URL]; without --from
// it asks build/linli.  --check changes nothing and fails where the committed file differs.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const target = join(here, '../shared/api/types.ts')
const words = (s) => s.split(/[_-]+/).map((w) => w[0].toUpperCase() + w.slice(1)).join('')
const key = (s) => (/^[A-Za-z_$][\w$]*$/.test(s) ? s : JSON.stringify(s))
const literal = (v) => (typeof v === 'string' ? `'${v.replace(/[\\']/g, '\\$&')}'` : String(v))

function object(s, indent) {
  const names = Object.keys(s.properties ?? {})
  if (!names.length) {
    const rest = s.additionalProperties
    return rest === false ? 'Record<string, never>' : `Record<string, ${rest && rest !== true ? type(rest, indent) : 'unknown'}>`
  }
  const inner = indent + '  '
  return `{\n${names.map((n) => `${inner}${key(n)}${s.required?.includes(n) ? '' : '?'}: ${type(s.properties[n], inner)}`).join('\n')}\n${indent}}`
}
function array(s, indent) {
  const item = s.items ? type(s.items, indent) : 'unknown'
  return / [|&] /.test(item) && !item.startsWith('{') ? `(${item})[]` : item + '[]'
}
function type(s, indent) {
  if (s.$ref) return words(s.$ref.split('/').pop())
  if (s.enum) return s.enum.map(literal).join(' | ')
  if ('const' in s) return literal(s.const)
  const many = s.oneOf ?? s.anyOf
  if (many) return many.map((x) => type(x, indent)).join(' | ')
  if (s.allOf) return s.allOf.map((x) => type(x, indent)).join(' & ')
  const kinds = [s.type].flat().filter(Boolean)
  if (!kinds.length) return s.properties ? object(s, indent) : 'unknown'
  return kinds.map((k) => ({ string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' }[k]
    ?? (k === 'array' ? array(s, indent) : object(s, indent)))).join(' | ')
}
/** The text of the types of an OpenAPI document, in the document's order. */
export function generate(doc) {
  if (!/^3\.1\./.test(doc.openapi ?? '')) throw new Error('not an OpenAPI 3.1 document')
  const out = Object.entries(doc.components.schemas).map(([name, s]) => {
    const body = type(s, '')
    return body.startsWith('{') && body.endsWith('}') ? `export interface ${words(name)} ${body}` : `export type ${words(name)} = ${body}`
  })
  // Types are gone when the program runs; which resources belong to a community is asked then, too.
  const names = Object.entries(doc.components.schemas).filter(([n, s]) => n.endsWith('_create') && s.properties?.community_id).map(([n]) => literal(n.slice(0, -'_create'.length)))
  if (names.length) out.push(`/** Whose rows belong to a community; a new one may say which. */\nexport const ofCommunity: readonly string[] = [${names.join(', ')}]`)
  return `// Made by tools/types.mjs from the server's OpenAPI; do not edit.\n${out.join('\n')}\n`
}
async function source(from) {
  if (!from) return execFileSync(join(here, '../../build/linli'), ['describe', '--openapi'], { maxBuffer: 64 << 20, encoding: 'utf8' })
  return /^https?:/.test(from) ? await (await fetch(from)).text() : readFileSync(from, 'utf8')
}
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2)
  const text = generate(JSON.parse(await source(args.includes('--from') ? args[args.indexOf('--from') + 1] : '')))
  if (!args.includes('--check')) writeFileSync(target, text)
  else if (readFileSync(target, 'utf8') !== text) {
    console.log('not ok shared/api/types.ts is not what the server says; run npm run types')
    process.exit(1)
  } else console.log('ok shared/api/types.ts is what the server says')
}
