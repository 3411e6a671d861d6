// What is normal for a metric of a model, as people read it; where nothing worth saying is, nothing is said.
export interface Ranged { low?: unknown; high?: unknown; unit?: unknown; kind?: unknown }
const figure = (v: unknown): string => String(Number(Number(v).toPrecision(6)))
/** On or off, yes or no: without a unit, from 0 to 1. */
export const isYesNo = (m: Ranged): boolean => !m.unit && m.kind !== 'counter' && m.low === 0 && m.high === 1
/** A counter goes on counting: its limits are those of its dial. */
export const isCounter = (m: Ranged): boolean => m.kind === 'counter'
export const rangeOf = (m: Ranged): string => (isYesNo(m) || isCounter(m) ? '' : typeof m.low === 'number' && typeof m.high === 'number' ? `${figure(m.low)}–${figure(m.high)}` : typeof m.low === 'number' ? `≥ ${figure(m.low)}` : typeof m.high === 'number' ? `≤ ${figure(m.high)}` : '')
