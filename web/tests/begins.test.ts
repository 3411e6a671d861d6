// What begins with a row: forms with the row filled in.
import { beforeEach, describe, expect, it } from 'vitest'
import { setLanguage } from '@/shared/i18n'
import { meta, type Describe } from '@/shared/meta'
import { beginsWith } from '@/apps/console/begins'

const ref = (name: string, to: string, more: object = {}): object => ({ name, type: 'ref', required: true, fixed: true, title: { zh: name, en: name }, ref: { resource: to, label: 'name' }, ...more })
function describeAs(people: string[], seats: string[] = ['create', 'read']): void {
  meta.d = { me: { id: '7' }, resources: [{ name: 'people', rights: people, title: { zh: '人', en: 'People' }, fields: [] },
    { name: 'seats', rights: seats, title: { zh: '报名', en: 'Seats' }, fields: [ref('class_id', 'classes'), ref('who', 'people'), ref('room_id', 'rooms', { required: false }), ref('desk_id', 'desks', { fixed: false })] }] } as unknown as Describe
}
beforeEach(() => { setLanguage('zh') })

describe('what begins with a row', () => {
  it('is made for that row and, by whoever registers nobody, for himself', () => {
    describeAs(['read'])
    expect(beginsWith('classes', '3')).toEqual([{ to: '/seats/new?v.class_id=3&v.who=7', title: '报名' }])
    describeAs(['read', 'create'])
    expect(beginsWith('classes', '3')).toEqual([{ to: '/seats/new?v.class_id=3', title: '报名' }])
    expect(beginsWith('people', '9')).toEqual([{ to: '/seats/new?v.who=9', title: '报名' }])
  })
  it('is nothing where the row is not needed, may change, or the reader may not', () => {
    describeAs(['read'])
    expect([...beginsWith('rooms', '1'), ...beginsWith('desks', '1')]).toEqual([])
    describeAs(['read'], ['read'])
    expect(beginsWith('classes', '3')).toEqual([])
  })
})
