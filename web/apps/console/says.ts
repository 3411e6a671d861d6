// What a device says of itself: its maker and model where its protocol tells them, tags that came with its readings.
import { t, type Key } from '@/shared/i18n'
import type { Row } from '@/shared/api'

const words: Record<string, Key> = { vendor: 'device.vendor', model: 'device.type' }
/** Name and value of each. */
export function saysOf(device: Row): [string, string][] {
  const all = (device.attributes ?? {}) as Record<string, unknown>
  return Object.entries(all).filter(([, v]) => v !== null && typeof v !== 'object' && v !== '')
    .map(([k, v]) => [words[k] ? t(words[k]) : k, String(v)])
}
