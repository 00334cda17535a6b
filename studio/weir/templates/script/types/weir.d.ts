// What a plugin finds around it: the plugin API, for editors and `tsc`. Written by Weir; `weir types` renews it.

declare module '@posthog/plugin-scaffold' {
    export type Properties = Record<string, any>

    /** An event as `processEvent` gets it. What a client sent beside these fields is there, too. */
    export interface PluginEvent {
        uuid: string
        event: string
        distinct_id: string
        ip: string | null
        site_url: string
        team_id: number
        /** When the server got it, ISO 8601. */
        now: string
        /** When it happened, as the client wrote it. */
        timestamp?: string
        sent_at?: string
        offset?: number
        properties?: Properties
        $set?: Properties
        $set_once?: Properties
        [field: string]: unknown
    }

    /** An event after it is stored, as `onEvent` and `exportEvents` get it. */
    export interface ProcessedPluginEvent {
        uuid: string
        event: string
        distinct_id: string
        ip: string | null
        team_id: number
        properties: Properties
        timestamp: string
        $set?: Properties
        $set_once?: Properties
        elements?: Record<string, any>[]
    }

    /** A stored event as `composeWebhook` gets it. */
    export interface PostHogEvent {
        uuid: string
        team_id: number
        distinct_id: string
        event: string
        timestamp: Date
        properties: Properties
    }

    export interface Webhook {
        url: string
        body: string
        headers?: Record<string, string>
        method?: string
    }

    export interface PluginAttachment {
        content_type: string
        file_name: string
        contents: any
    }

    /** Durable values of this plugin: whatever JSON can hold. `undefined` deletes. */
    export interface StorageExtension {
        get(key: string, defaultValue?: unknown): Promise<unknown>
        set(key: string, value: unknown): Promise<void>
        del(key: string): Promise<void>
    }

    /** Values for a while, shared by all instances of the plugin. */
    export interface CacheExtension {
        get(key: string, defaultValue?: unknown, options?: { jsonSerialize?: boolean }): Promise<unknown>
        set(key: string, value: unknown, ttlSeconds?: number, options?: { jsonSerialize?: boolean }): Promise<void>
        incr(key: string): Promise<number>
        expire(key: string, ttlSeconds: number): Promise<boolean>
        lpush(key: string, elements: string | string[]): Promise<number>
        lrange(key: string, first: number, last: number): Promise<string[]>
        llen(key: string): Promise<number>
        lpop(key: string, count: number): Promise<string[]>
        lrem(key: string, count: number, element: string): Promise<number>
    }

    export interface GeoIPExtension {
        /** The record of a MaxMind City database, or null. */
        locate(ip: string): Promise<Record<string, any> | null>
    }

    export type JobUnit =
        'milliseconds' | 'seconds' | 'minutes' | 'hours' | 'days' | 'weeks' | 'months' | 'quarters' | 'years'

    export interface JobControls {
        runNow(): Promise<void>
        runIn(duration: number, unit: JobUnit | 'second' | 'minute' | 'hour' | 'day' | 'week'): Promise<void>
        runAt(date: Date): Promise<void>
    }

    export interface MetricControls {
        increment(by: number): void
        sum(by: number): void
        max(value: number): void
        min(value: number): void
    }

    export interface UtilsExtension {
        /** A number in storage. */
        cursor: {
            init(key: string, initialValue?: number): Promise<void>
            increment(key: string, by?: number): Promise<number>
        }
    }

    export interface PluginInput {
        config?: object
        attachments?: Record<string, PluginAttachment | undefined>
        global?: Record<string, any>
        jobs?: Record<string, any>
        metrics?: Record<string, any>
    }

    type Given<Input extends PluginInput, Key extends keyof PluginInput, Default> = Input[Key] extends undefined
        ? Default
        : unknown extends Input[Key]
          ? Default
          : NonNullable<Input[Key]>

    /** The last argument of every function of a plugin. */
    export interface PluginMeta<Input extends PluginInput = {}> {
        config: Given<Input, 'config', Record<string, any>>
        attachments: Given<Input, 'attachments', Record<string, PluginAttachment | undefined>>
        /** Kept from call to call, and lost with the instance. */
        global: Given<Input, 'global', Record<string, any>>
        storage: StorageExtension
        cache: CacheExtension
        geoip: GeoIPExtension
        jobs: Record<string, (payload?: any) => JobControls>
        metrics: Record<string, MetricControls>
        utils: UtilsExtension
    }

    type Awaitable<T> = T | Promise<T>

    /** The functions of a plugin, for `export const processEvent: Mine['processEvent'] = …`. */
    export interface Plugin<Input extends PluginInput = {}> {
        setupPlugin?(meta: PluginMeta<Input>): Awaitable<void>
        teardownPlugin?(meta: PluginMeta<Input>): Awaitable<void>
        /** Nothing drops the event. */
        processEvent(event: PluginEvent, meta: PluginMeta<Input>): Awaitable<PluginEvent | null | undefined | void>
        processEventBatch(events: PluginEvent[], meta: PluginMeta<Input>): Awaitable<PluginEvent[]>
        onEvent(event: ProcessedPluginEvent, meta: PluginMeta<Input>): Awaitable<void>
        onSnapshot(event: ProcessedPluginEvent, meta: PluginMeta<Input>): Awaitable<void>
        exportEvents(events: ProcessedPluginEvent[], meta: PluginMeta<Input>): Awaitable<void>
        composeWebhook(event: PostHogEvent, meta: PluginMeta<Input>): Webhook | null
        runEveryMinute(meta: PluginMeta<Input>): Awaitable<void>
        runEveryHour(meta: PluginMeta<Input>): Awaitable<void>
        runEveryDay(meta: PluginMeta<Input>): Awaitable<void>
        getSettings?(meta: PluginMeta<Input>): { handlesLargeBatches?: boolean }
        jobs?: Record<string, (payload: any, meta: PluginMeta<Input>) => Awaitable<void>>
    }

    /** Asks for the same call again, later. */
    export class RetryError extends Error {
        constructor(message?: string)
    }
}

declare module 'posthog-plugins' {
    export * from '@posthog/plugin-scaffold'
}

/** Asks for the same call again, later. The class that `@posthog/plugin-scaffold` has. */
declare class RetryError extends Error {
    constructor(message?: string)
}

declare const posthog: {
    /** Makes an event. `distinct_id` and `timestamp` among the properties become those of the event. */
    capture(event: string, properties?: Record<string, unknown>): void
    /** Requests to the PostHog that events belong to. */
    api: Record<
        'get' | 'post' | 'put' | 'patch' | 'delete',
        (
            path: string,
            options?: {
                data?: object
                host?: string
                headers?: Record<string, string>
                projectApiKey?: string
                personalApiKey?: string
            }
        ) => Promise<Response>
    >
}
