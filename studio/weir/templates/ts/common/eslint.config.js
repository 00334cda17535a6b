import js from '@eslint/js'
import typescript from 'typescript-eslint'

export default typescript.config(
    { ignores: ['node_modules', 'testing', 'types'] },
    js.configs.recommended,
    ...typescript.configs.recommended,
    {
        // TypeScript knows the names better.
        rules: { 'no-undef': 'off', '@typescript-eslint/no-require-imports': 'off' },
    }
)
