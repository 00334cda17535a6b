// What a plugin finds around it: the plugin API, for editors and `tsc`. Written by Weir; `weir types` renews it.

declare module '@posthog/plugin-scaffold' {
    /** What an event says beside its name: whatever JSON can hold. */
    export type Properties = Record<string, any>

    /** An event as `processEvent` gets it. What a client sent beside these fields is there, too. */
    export interface PluginEvent {
        uuid: string
        event: string
        distinct_id: string
        /** Of the client. */
        ip: string | null
        site_url: string
        /** The project. What a plugin makes of it is ignored. */
        team_id: number
        /** When the server got it, ISO 8601. */
        now: string
        /** When it happened, as the client wrote it. */
        timestamp?: string
        /** When the client sent it, by its own clock. */
        sent_at?: string
        /** Milliseconds between the event and its sending, as some clients say it. */
        offset?: number
        properties?: Properties
        /** Properties of the person. */
        $set?: Properties
        /** Properties of the person that do not replace what is there. */
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
        /** ISO 8601, UTC. */
        timestamp: string
        $set?: Properties
        $set_once?: Properties
        /** The element that was clicked and those around it, of `$autocapture`. */
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

    /** The request that the host sends for `composeWebhook`. */
    export interface Webhook {
        url: string
        body: string
        headers?: Record<string, string>
        /** `POST` if left out. */
        method?: string
    }

    /** A file that was given for a field of the type `attachment`. */
    export interface PluginAttachment {
        content_type: string
        file_name: string
        /** A `Buffer`. */
        contents: any
    }

    /** Durable values of this plugin: whatever JSON can hold. `undefined` deletes. */
    export interface StorageExtension {
        /** With what this event has written itself. */
        get(key: string, defaultValue?: unknown): Promise<unknown>
        /** Kept when the event is reported; forgotten when it is cut short. */
        set(key: string, value: unknown): Promise<void>
        del(key: string): Promise<void>
    }

    /** Values for a while, in memory, shared by all instances of the plugin. Lists are Redis's. */
    export interface CacheExtension {
        get(key: string, defaultValue?: unknown, options?: { jsonSerialize?: boolean }): Promise<unknown>
        set(key: string, value: unknown, ttlSeconds?: number, options?: { jsonSerialize?: boolean }): Promise<void>
        /** Adds one, and returns the sum. */
        incr(key: string): Promise<number>
        /** True when the key is there. */
        expire(key: string, ttlSeconds: number): Promise<boolean>
        /** Each to the front; returns the new length. */
        lpush(key: string, elements: string | string[]): Promise<number>
        /** Both ends included; negative ones count from the end. */
        lrange(key: string, first: number, last: number): Promise<string[]>
        llen(key: string): Promise<number>
        lpop(key: string, count: number): Promise<string[]>
        /** Equal elements: from the front, from the back when negative, all when 0. */
        lrem(key: string, count: number, element: string): Promise<number>
    }

    /** Places of addresses. */
    export interface GeoIPExtension {
        /** The record of a MaxMind City database, or null. */
        locate(ip: string): Promise<Record<string, any> | null>
    }

    /** Of `runIn`. */
    export type JobUnit =
        'milliseconds' | 'seconds' | 'minutes' | 'hours' | 'days' | 'weeks' | 'months' | 'quarters' | 'years'

    /** When a job is to run. It is kept across restarts. */
    export interface JobControls {
        runNow(): Promise<void>
        runIn(duration: number, unit: JobUnit | 'second' | 'minute' | 'hour' | 'day' | 'week'): Promise<void>
        runAt(date: Date): Promise<void>
    }

    /** A number that the plugin keeps about itself; the studio shows it. */
    export interface MetricControls {
        increment(by: number): void
        sum(by: number): void
        max(value: number): void
        min(value: number): void
    }

    /** Small helpers. */
    export interface UtilsExtension {
        /** A number in storage. */
        cursor: {
            init(key: string, initialValue?: number): Promise<void>
            increment(key: string, by?: number): Promise<number>
        }
    }

    /** What a plugin says of itself, so that `meta` has its types: `Plugin<{ config: Config }>`. */
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
        /** Values of the fields of `plugin.json`, as text. */
        config: Given<Input, 'config', Record<string, any>>
        /** Files, by the key of their field. */
        attachments: Given<Input, 'attachments', Record<string, PluginAttachment | undefined>>
        /** Kept from call to call, and lost with the instance. */
        global: Given<Input, 'global', Record<string, any>>
        storage: StorageExtension
        cache: CacheExtension
        geoip: GeoIPExtension
        /** `await jobs.name(payload).runIn(5, 'minutes')` */
        jobs: Record<string, (payload?: any) => JobControls>
        metrics: Record<string, MetricControls>
        utils: UtilsExtension
    }

    type Awaitable<T> = T | Promise<T>

    /** The functions of a plugin, for `export const processEvent: Mine['processEvent'] = …`. */
    export interface Plugin<Input extends PluginInput = {}> {
        /** Once for each instance, before anything else. `RetryError` is tried again. */
        setupPlugin?(meta: PluginMeta<Input>): Awaitable<void>
        /** When an instance goes. */
        teardownPlugin?(meta: PluginMeta<Input>): Awaitable<void>
        /** The event, a new one, or nothing, which drops it. */
        processEvent(event: PluginEvent, meta: PluginMeta<Input>): Awaitable<PluginEvent | null | undefined | void>
        /** In place of `processEvent`; gets one event at a time. */
        processEventBatch(events: PluginEvent[], meta: PluginMeta<Input>): Awaitable<PluginEvent[]>
        /** Each stored event. `RetryError` is tried again. */
        onEvent(event: ProcessedPluginEvent, meta: PluginMeta<Input>): Awaitable<void>
        /** Each stored session recording event. */
        onSnapshot(event: ProcessedPluginEvent, meta: PluginMeta<Input>): Awaitable<void>
        /** Stored events that were gathered. `RetryError` is tried again with the same ones. */
        exportEvents(events: ProcessedPluginEvent[], meta: PluginMeta<Input>): Awaitable<void>
        /** Each stored event; the host sends what is returned. */
        composeWebhook(event: PostHogEvent, meta: PluginMeta<Input>): Webhook | null
        /** At second 0. */
        runEveryMinute(meta: PluginMeta<Input>): Awaitable<void>
        /** At minute 0. */
        runEveryHour(meta: PluginMeta<Input>): Awaitable<void>
        /** At midnight, UTC. */
        runEveryDay(meta: PluginMeta<Input>): Awaitable<void>
        /** `handlesLargeBatches` lets `exportEvents` have up to 10,000 events at a time. */
        getSettings?(meta: PluginMeta<Input>): { handlesLargeBatches?: boolean }
        /** Functions that run later, by name. */
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

/** PostHog, as a plugin meets it: events of its own, and requests. */
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
