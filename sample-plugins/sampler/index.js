import { createHash } from 'crypto'

export function setupPlugin({ config, global }) {
    const percentage = Number(config.percentage)
    if (config.percentage === '' || !(percentage >= 0 && percentage <= 100)) {
        throw new Error(`"Percentage to keep" must be a number from 0 to 100; got "${config.percentage}"`)
    }
    const names = (config.events ?? '').split(',').map((name) => name.trim())
    global.share = percentage / 100
    global.events = new Set(names.filter((name) => name !== ''))
    global.salt = config.salt ?? ''
}

export function processEvent(event, { global }) {
    if (global.events.size > 0 && !global.events.has(event.event)) {
        return event
    }
    if (placeOf(event.distinct_id, global.salt) >= global.share) {
        return null
    }
    // Whoever counts later multiplies by the inverse of this.
    event.properties = { ...event.properties, $sample_rate: global.share }
    return event
}

/**
 * A number from 0 to 1 that is always the same for the same person. Math.random would keep half a
 * funnel; a hash keeps all of a person or nothing, on every machine and after every restart.
 */
function placeOf(distinctId, salt) {
    const digest = createHash('sha256').update(`${salt}:${distinctId}`).digest()
    return digest.readUInt32BE(0) / 2 ** 32
}
