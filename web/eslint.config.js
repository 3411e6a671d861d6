// What eslint looks at; layout is left to whoever writes.
import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['dist/**', 'node_modules/**', 'shared/api/types.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs['flat/essential'],
  { files: ['**/*.vue'], languageOptions: { parserOptions: { parser: ts.parser } } },
  {
    files: ['apps/**', 'shared/**', 'tests/*.ts'],
    rules: {
      eqeqeq: 'error', 'no-eval': 'error', 'no-implied-eval': 'error', 'no-new-func': 'error', 'no-console': 'error', 'prefer-const': 'error',
      'no-undef': 'off', // vue-tsc knows names better
      'vue/multi-word-component-names': 'off', 'vue/no-v-html': 'error', 'vue/require-typed-ref': 'error', 'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess would ask for more of them
      '@typescript-eslint/no-dynamic-delete': 'off', '@typescript-eslint/no-invalid-void-type': 'off'
    }
  },
  { files: ['tools/**', 'tests/*.mjs', 'public/**'], languageOptions: { globals: Object.fromEntries(['process', 'console', 'URL', 'URLSearchParams', 'fetch', 'setTimeout', 'window', 'document', 'location', 'addEventListener', 'Buffer', 'localStorage', 'getComputedStyle', 'innerWidth'].map((n) => [n, 'readonly'])) } }
)
