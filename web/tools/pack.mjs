// Puts .br and .gz beside every text file of dist, so that the server need not compress.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

function walk(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) { walk(path); continue }
    if (!/\.(html|js|css|svg|json|txt)$/.test(name)) continue
    const bytes = readFileSync(path)
    writeFileSync(path + '.br', brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
    writeFileSync(path + '.gz', gzipSync(bytes, { level: 9 }))
  }
}
walk(new URL('../dist', import.meta.url).pathname)
