// Units of a line's page: bytes of a frame, the one that is wrong, the clause it broke.
import { describe, expect, it } from 'vitest'
import { bytesOf, ruleOf, ruleWords } from '../apps/console/frames'
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
