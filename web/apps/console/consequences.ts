// What a command does to people and pipes, as far as its name and the kind of its device tell; said before somebody confirms it.
import type { Key } from '@/shared/i18n'

const VALVES = ['water', 'heat', 'gas']
const pumps: readonly [RegExp, Key][] = [[/^pump_\d+_start$/, 'does.pumpStart'], [/^pump_\d+_stop$/, 'does.pumpStop']]
const plain: Readonly<Record<string, Key>> = {
  trip: 'does.trip', permit_close: 'does.permitClose', start: 'does.start', stop: 'does.stop', unlock: 'does.unlock', restart: 'does.restart', power_off: 'does.powerOff', fall_detection_off: 'does.fallOff', reset: 'does.reset',
  'energy.close': 'does.close', 'access.open': 'does.openDoor', 'parking.open': 'does.barrierUp', 'parking.close': 'does.barrierDown'
}
/** Of a command of a model of this category; what is not known here moves something, and that is said. */
export function consequenceOf(command: string, category: unknown): Key {
  const kind = String(category ?? ''), of = `${kind}.${command}`
  if (Object.hasOwn(plain, of)) return plain[of]!
  if (Object.hasOwn(plain, command)) return plain[command]!
  if (VALVES.includes(kind) && command === 'open') return 'does.valveOpen'
  if (VALVES.includes(kind) && command === 'close') return 'does.valveClose'
  return pumps.find(([name]) => name.test(command))?.[1] ?? 'does.moves'
}
