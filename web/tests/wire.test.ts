// Words for what the codec of fire panels says: each of its names has them, and nothing else is touched.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { setLanguage } from '@/shared/i18n'
import { components, events, eventWords, systems, wireShort, wireWords } from '@/shared/wire'

const source = (name: string): string => readFileSync(join(__dirname, '../../src/protocol/gb26875', name), 'utf8')
const namesIn = (text: string, array: RegExp): string[] => [...text.matchAll(array)].flatMap((m) => [...m[1]!.matchAll(/"([a-z_]+)"/g)].map((x) => x[1]!))
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort()
beforeEach(() => { setLanguage('zh') })

describe('words of the wire', () => {
  it('has those of every component, system and event of the codec, and no more', () => {
    expect(sorted(Object.keys(components))).toEqual(sorted(['component', ...namesIn(source('names.c'), /struct name components\[\] = \{([^;]*)\};/g)]))
    expect(sorted(Object.keys(systems))).toEqual(sorted(['system', ...namesIn(source('names.c'), /struct name systems\[\] = \{([^;]*)\};/g)]))
    expect(sorted(Object.keys(events))).toEqual(sorted(['normal', ...namesIn(source('codec.c'), /struct bit \w+\[\] = \{([^;]*)\};/g)]))
  })
  it('tells a component from a system of the same name by its address', () => {
    expect(wireWords('fire_door 1.1.102.7')).toBe('防火门 1.1.102.7')
    expect(wireWords('fire_door 19.1')).toBe('防火门及卷帘系统 19.1')
  })
  it('keeps what the panel wrote of the place', () => {
    expect(wireWords('smoke_detector 1.1.40.131082 3号楼烟感')).toBe('感烟探测器 1.1.40.131082 3号楼烟感')
    setLanguage('en')
    expect(wireWords('smoke_detector 1.1.40.131082 3号楼烟感')).toBe('Smoke detector 1.1.40.131082 3号楼烟感')
    expect(eventWords('battery_fault')).toBe('Battery fault')
  })
  it('says in a list where, not at which address', () => {
    expect(wireShort('smoke_detector 1.1.40.131082 3号楼烟感')).toBe('感烟探测器 3号楼烟感')
    expect(wireShort('smoke_detector 1.1.40.131082')).toBe('感烟探测器 1.1.40.131082')
    expect(wireShort('{ "level":"高"}')).toBe('{ "level":"高"}')
    setLanguage('en')
    expect(wireShort('smoke_detector 1.1.40.131082 3号楼烟感')).toBe('Smoke detector 3号楼烟感')
  })
  it('words an operator and the transmitter itself', () => {
    expect(wireWords('operator 3')).toBe('操作员 3')
    expect(wireWords('device')).toBe('用户信息传输装置')
  })
  it('leaves all other text alone', () => {
    for (const text of ['', 'device is wet', 'operator', 'lamp 1.1.40.2', 'fire_alarm', '{ "level":"高"}', 'constructor 1.1.1.1', '电梯机房 1.1', 'smoke_detector 1.1.40.2x'])
      expect(wireWords(text)).toBe(text)
    expect(['door_open', 'constructor'].map(eventWords)).toEqual(['door_open', 'constructor'])
  })
})
