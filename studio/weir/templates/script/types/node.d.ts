// The part of Node that this plugin and its tests use, so that editors need no installed package. With `@types/node`
// installed, delete this file and name `node` among the `types` of tsconfig.json.

declare module 'crypto' {
    interface Digesting {
        update(text: string | Uint8Array): Digesting
        digest(encoding: 'hex' | 'base64'): string
    }
    export function createHash(algorithm: string): Digesting
    export function createHmac(algorithm: string, key: string | Uint8Array): Digesting
    export function randomUUID(): string
}

declare module 'node:test' {
    type Work = () => void | Promise<void>
    export function test(name: string, work: Work): Promise<void>
    export function beforeEach(work: Work): void
    export function afterEach(work: Work): void
}

declare module 'node:assert/strict' {
    interface Assert {
        (value: unknown, message?: string): asserts value
        equal(actual: unknown, expected: unknown, message?: string): void
        deepEqual(actual: unknown, expected: unknown, message?: string): void
        match(text: string, pattern: RegExp): void
        rejects(work: Promise<unknown> | (() => Promise<unknown>), error?: RegExp | object): Promise<void>
    }
    const assert: Assert
    export default assert
}
