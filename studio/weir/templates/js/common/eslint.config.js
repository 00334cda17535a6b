import js from '@eslint/js'

/** What plugins and their tests find without importing it. */
const names = [
    ...['posthog', 'RetryError', 'fetch', 'Headers', 'Request', 'Response', 'URL', 'URLSearchParams', 'Buffer'],
    ...['TextEncoder', 'TextDecoder', 'console', 'crypto', 'setTimeout', 'clearTimeout', 'structuredClone'],
]
const globals = Object.fromEntries(names.map((name) => [name, 'readonly']))

export default [
    { ignores: ['node_modules'] },
    js.configs.recommended,
    { languageOptions: { globals } },
    {
        files: ['**/*.cjs'],
        languageOptions: { globals: { require: 'readonly', module: 'writable', __dirname: 'readonly' } },
    },
]
