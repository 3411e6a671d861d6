// Which steps fit a line or a device of a line, by the kind of the line: the server offers them to whoever may take them. As docs/lines.md has it.
import type { Row } from '@/shared/api'
import { both, t } from '@/shared/i18n'
import { stateOption, type Resource, type Tone } from '@/shared/meta'

/** Kinds that can ask who is there. */
const SEARCHED = ['dlt645', 'cjt188', 'modbus', 'modbus_rtu', 'bacnet', 'osdp']
/** Kinds whose lines have a secret: a broker's password, the token that pushes are signed with. */
export const WITH_SECRET: readonly string[] = ['mqtt-client', 'onenet']
/** Kinds whose devices have a password, or mind the number of their centre. */
const WITH_PASSWORD = ['gb26875', 'hj212', 'watch', 'dlt645']
/** Kinds that devices push to, at an address of the line's own. */
export const PUSHED: readonly string[] = ['door', 'vz', 'itsapi', 'lift', 'chirpstack', 'ttn', 'ctwing', 'onenet']

/** Whether a step of a line makes sense for its kind. */
export function fitsLine(step: string, kind: unknown): boolean {
  const k = String(kind ?? '')
  return step === 'find' ? SEARCHED.includes(k) : step === 'set_secret' ? WITH_SECRET.includes(k) : step === 'new_push_key' ? PUSHED.includes(k) : true
}
/** Of a device; kind: of its line, else of its model's protocol; unknown: nothing is left out. */
export const fitsDevice = (step: string, kind: unknown): boolean => step !== 'set_password' || !kind || WITH_PASSWORD.includes(String(kind))
export const fits = (resource: string, step: string, row: Row): boolean => resource !== 'lines' || fitsLine(step, row.kind)
const NOTED_MS = 120e3 // that a device was heard is written into its row once a minute
const isHeard = (row: Row): boolean => !!row.last_ms || Date.now() - row.created_ms < NOTED_MS
/** The tone of a row's state. A device that was never heard is not known to be well. */
export function stateTone(r: Resource | undefined, row: Row, heard = isHeard(row)): Tone | null | undefined {
  const tone = stateOption(r, row[r?.state?.field ?? ''])?.tone
  return r?.name === 'devices' && tone === 'ok' && !heard ? 'off' : tone
}
/** What a row's state is called. That a device is well is not said of one that was never heard. */
export function stateWords(r: Resource | undefined, row: Row, heard = isHeard(row)): string {
  const option = stateOption(r, row[r?.state?.field ?? ''])
  return r?.name === 'devices' && option?.tone === 'ok' && !heard ? t('device.never') : both(option?.t)
}
