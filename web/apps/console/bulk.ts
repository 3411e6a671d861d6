// Steps for many rows at once: what is each row's own is not asked for once for all of them.
import type { Row } from '@/shared/api'
import { fieldOf, type Action, type Field, type Resource } from '@/shared/meta'

/** What tells rows apart: their names, codes, addresses. */
export const isOwn = (r: Resource, f: Field): boolean => !!f.unique || f.name === r.label_field || f.name === 'address'
const own = (r: Resource, n: string): boolean => { const f = fieldOf(r, n); return !!f && isOwn(r, f) }
/** Whether a step can be for many: one that needs nothing but what is each row's own cannot. */
export const isForMany = (r: Resource, a: Action): boolean => !a.need.length || !a.need.every((n) => own(r, n))
/** What is sent for one of many: what the step needs and nobody said is as the row has it. */
export const bodyFor = (a: Action, row: Row, body: object): object => ({ ...Object.fromEntries(a.need.filter((n) => ['string', 'number', 'boolean'].includes(typeof row[n]) && !row._masked.includes(n)).map((n) => [n, row[n]])), ...body })
