import { createHash } from 'crypto'

/** Not every address there can be, but no text that is none. */
const ADDRESS = /^[^\s@]{1,64}@([^\s@]{1,255})$/

/** @type {import('@posthog/plugin-scaffold').Plugin<{ config: import('./types/config').Config }>['processEvent']} */
export const processEvent = (event, { config }) => {
    const { property, keep, salt } = config
    const properties = event.properties ?? {}
    const given = properties[property]
    if (typeof given !== 'string') {
        return event
    }
    const address = given.trim().toLowerCase()
    const domain = ADDRESS.exec(address)?.[1]
    if (domain === undefined) {
        // The text itself stays out of the log: it may be somebody's address all the same.
        console.warn(`${property} holds no address`)
        return event
    }
    properties[`${property}_domain`] = domain
    properties[`${property}_hash`] = createHash('sha256')
        .update(`${salt ?? ''}${address}`)
        .digest('hex')
    if (keep === 'No') {
        delete properties[property]
    } else {
        properties[property] = address
    }
    return event
}
