// Units of names in two languages: a model is called as the reader speaks, in lists, choices and on the page of its device.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { flushPromises } from '@vue/test-utils'
import type { Row } from '@/shared/api'
import { choicesOf, codedBy, codeLabel, forgetCodes } from '@/shared/codes'
import { label } from '@/shared/format'
import { setLanguage } from '@/shared/i18n'
import { meta, type Describe, type Resource } from '@/shared/meta'

const models = { name: 'device_models', label_field: 'name', rights: ['read'], fields: [{ name: 'name', type: 'text', title: { zh: '', en: '' } }] } as unknown as Resource
beforeEach(() => {
  forgetCodes()
  meta.d = { communities: [], resources: [models] } as unknown as Describe
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ items: [{ code: 'climate', name: '楼道环境传感器', name_en: 'Climate sensor' }, { code: 'own', name: '自制', name_en: null }], next: null }), { status: 200 })))
})
describe('a model', () => {
  it('is called in English where it has such a name, else as it is', async () => {
    const row = (name_en: string | null): Row => ({ id: '1', name: '水表', name_en }) as unknown as Row
    choicesOf(codedBy('devices', 'model')!)
    await flushPromises()
    const names = (): unknown[] => [label(models, row('Water meter')), label(models, row(null)), codeLabel('devices', 'model', 'climate'), codeLabel('rules', 'model', 'own')]
    setLanguage('en')
    expect(names()).toEqual(['Water meter', '水表', 'Climate sensor', '自制'])
    setLanguage('zh')
    expect(names()).toEqual(['水表', '水表', '楼道环境传感器', '自制'])
  })
})
