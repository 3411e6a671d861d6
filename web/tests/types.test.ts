// Units of the tool that writes the types of the server's rows.
import { describe, expect, it } from 'vitest'
import { generate } from '../tools/types.mjs'

const made = (schema: object): string => generate({ openapi: '3.1.0', components: { schemas: { a_row: schema } } }).split('\n').slice(1).join('\n').trim()

describe('types from OpenAPI', () => {
  for (const [why, schema, text] of [
    ['a text that may be absent', { type: 'object', properties: { a: { type: ['string', 'null'] } } }, 'export interface ARow {\n  a?: string | null\n}'],
    ['a required number', { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }, 'export interface ARow {\n  n: number\n}'],
    ['a choice, with its quote', { enum: ["o'clock", null] }, "export type ARow = 'o\\'clock' | null"],
    ['an array of choices', { type: 'array', items: { enum: ['x', 'y'] } }, "export type ARow = ('x' | 'y')[]"],
    ['an array of objects', { type: ['array', 'null'], items: { type: 'object', properties: { a: {} } } }, 'export type ARow = {\n  a?: unknown\n}[] | null'],
    ['a reference', { type: 'array', items: { $ref: '#/components/schemas/b_row' } }, 'export type ARow = BRow[]'],
    ['a map', { type: 'object', additionalProperties: { type: ['string', 'array'] } }, 'export type ARow = Record<string, string | unknown[]>'],
    ['an object without fields', { type: 'object', additionalProperties: false }, 'export type ARow = Record<string, never>']
  ] as const) it(why, () => { expect(made(schema)).toBe(text) })
  it('says whose rows belong to a community', () => {
    const schema = (own: boolean): object => ({ type: 'object', properties: own ? { community_id: {} } : {} })
    expect(generate({ openapi: '3.1.0', components: { schemas: { lines_create: schema(true), lines_patch: schema(true), people_create: schema(false) } } })).toContain("ofCommunity: readonly string[] = ['lines']\n")
  })
  it('refuses what is not 3.1', () => { expect(() => generate({ openapi: '3.0.3', components: { schemas: {} } })).toThrow() })
})
