import { createHmac } from 'crypto'
import type { Plugin } from '@posthog/plugin-scaffold'

import { redact, shortened } from './detect'

const SHORTEST_SECRET = 16
/** Deeper than any event a client sends; a bound keeps hostile ones from taking the stack. */
const DEEPEST = 32

interface Scrubbing {
    fields: Set<string>
    secret: string
    searches: boolean
}

type ScrubberPlugin = Plugin<{
    config: { secret?: string; pseudonymize?: string; search?: 'Yes' | 'No'; keep_ip?: 'No' | 'Shortened' | 'Yes' }
    global: { scrubbing: Scrubbing }
}>

export const setupPlugin: ScrubberPlugin['setupPlugin'] = ({ config, global }) => {
    if ((config.secret ?? '').length < SHORTEST_SECRET) {
        // The message names the rule and never the secret.
        throw new Error(`"Secret for pseudonyms" must have at least ${SHORTEST_SECRET} characters`)
    }
    const names = (config.pseudonymize ?? '').split(',').map((name) => name.trim())
    global.scrubbing = {
        fields: new Set(names.filter((name) => name !== '')),
        secret: config.secret!,
        searches: config.search !== 'No',
    }
}

export const processEvent: ScrubberPlugin['processEvent'] = (event, { config, global }) => {
    event.properties = scrub(event.properties ?? {}, global.scrubbing, 0) as typeof event.properties
    for (const name of ['$set', '$set_once'] as const) {
        if (event[name]) event[name] = scrub(event[name], global.scrubbing, 0) as Record<string, any>
    }
    if (config.keep_ip !== 'Yes') {
        const keep = (ip?: string | null) => (ip && config.keep_ip !== 'No' ? shortened(ip) : null)
        event.ip = keep(event.ip)
        if (event.properties!.$ip !== undefined) event.properties!.$ip = keep(event.properties!.$ip)
    }
    return event
}

function scrub(value: unknown, scrubbing: Scrubbing, depth: number): unknown {
    if (typeof value === 'string') {
        return scrubbing.searches ? redact(value) : value
    }
    if (typeof value !== 'object' || value === null) {
        return value
    }
    if (depth >= DEEPEST) {
        return '[too deep]' // what was not looked at does not pass
    }
    if (Array.isArray(value)) {
        return value.map((item) => scrub(item, scrubbing, depth + 1))
    }
    const clean: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(value)) {
        const isNamed = scrubbing.fields.has(name) && item !== null && item !== undefined
        clean[name] = isNamed ? pseudonym(item, scrubbing.secret) : scrub(item, scrubbing, depth + 1)
    }
    return clean
}

/**
 * The same for the same value, and of no use without the secret: a plain hash of an e-mail address is
 * found by trying a list of addresses.
 */
function pseudonym(value: unknown, secret: string): string {
    const text = typeof value === 'string' ? value.trim().toLowerCase() : JSON.stringify(value)
    return `p_${createHmac('sha256', secret).update(text).digest('hex').slice(0, 24)}`
}
