// Units of pages of lines and devices: bytes of a frame, the one that is wrong, the clause it broke; what a device says
// of itself.
import { describe, expect, it } from 'vitest'
import { bytesOf, ruleOf, ruleWords } from '../apps/console/frames'
import { saysOf } from '../apps/console/says'
import type { Row } from '../shared/api'
import { setLanguage } from '../shared/i18n'
import { words } from '../shared/words'

describe('a frame', () => {
  it('is told byte by byte, with the wrong one marked', () => {
    expect(bytesOf('4040AA', 2)).toEqual([{ byte: '40', wrong: false }, { byte: '40', wrong: false }, { byte: 'AA', wrong: true }])
    expect(bytesOf('4040', 9).some((b) => b.wrong)).toBe(false)
    expect(bytesOf('')).toEqual([])
  })
  it('names the clause that it broke, where there is one', () => {
    expect(ruleOf('GB/T 26875.3 6.6: the sum is wrong')).toEqual({ clause: 'GB/T 26875.3 6.6', words: 'the sum is wrong' })
    expect(ruleOf('DL/T 645 CS: the sum is wrong').clause).toBe('DL/T 645 CS')
    expect(ruleOf('topic: it is none of these')).toEqual({ clause: '', words: 'topic: it is none of these' })
    expect(ruleOf('these bytes are no frame')).toEqual({ clause: '', words: 'these bytes are no frame' })
  })
  it('has words for every rule that is translated', () => {
    for (const key of Object.values(ruleWords)) expect(words[key]).toHaveLength(2)
  })
})

describe('what a device says of itself', () => {
  const row = (attributes: unknown): Row => ({ attributes }) as unknown as Row
  it('is its maker and model in words, and tags by their keys', () => {
    setLanguage('en')
    expect(saysOf(row({ vendor: 'Kele', model: 'AHU-7', building: 3, roof: false }))).toEqual([['Maker', 'Kele'], ['Maker’s model', 'AHU-7'], ['building', '3'], ['roof', 'false']])
  })
  it('leaves out what is not there', () => {
    expect(saysOf(row(null))).toEqual([])
    expect(saysOf(row({ vendor: '', model: null, nested: { a: 1 } }))).toEqual([])
  })
})
