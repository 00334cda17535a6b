import type { PluginEvent, PluginMeta } from '@posthog/plugin-scaffold'

export interface World {
    /** What `posthog.capture` was called with. */
    captured: { event: string; properties: Record<string, any> }[]
    requests: { method: string; url: string; headers: Record<string, string>; body?: any }[]
    unmount(): void
}

/** Puts `posthog`, `RetryError` and `fetch` where plugins look for them; `mocks` is a folder, or mocks. */
export function mount(options?: { mocks?: string | object[] }): World

/** What the mocked host has seen, for assertions. */
export interface Seen {
    storage: Map<string, any>
    cache: Map<string, any>
    jobs: { name: string; payload: any }[]
    metrics: Record<string, number>
}

/** The last argument of every function of a plugin. */
export function createMeta(given?: {
    config?: Record<string, unknown>
    attachments?: Record<string, unknown>
    storage?: Record<string, unknown>
    cache?: Record<string, unknown>
}): PluginMeta<any> & { seen: Seen }

/** An event as `processEvent` gets it; `fields` replace its own. */
export function createEvent(fields?: Partial<PluginEvent>): PluginEvent & { properties: Record<string, any> }

export class RetryError extends Error {}
