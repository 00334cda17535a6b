/** @typedef {import('@posthog/plugin-scaffold').Plugin<{ config: import('./types/config').Config, global: { url: string } }>} Mine */

/** @type {Mine['setupPlugin']} */
export const setupPlugin = ({ config, global }) => {
    const url = new URL(config.url)
    if (url.protocol !== 'https:') {
        throw new Error(`"URL" must begin with https://; got "${config.url}"`)
    }
    global.url = url.href
}

// The host gathers stored events and calls this when there are enough, or when the oldest has waited long enough.
/** @type {Mine['exportEvents']} */
export const exportEvents = async (events, { config, global }) => {
    /** @type {Record<string, string>} */
    const headers = { 'content-type': 'application/json' }
    if (config.api_key) {
        headers.authorization = `Bearer ${config.api_key}`
    }
    let response
    try {
        response = await fetch(global.url, {
            method: 'POST',
            headers,
            body: JSON.stringify({ events: events.map(row) }),
        })
    } catch (error) {
        // No answer at all: the network, or a timeout. The host calls again with the same events.
        throw new RetryError(`Could not reach ${global.url}: ${error instanceof Error ? error.message : error}`)
    }
    if (response.status === 429 || response.status >= 500) {
        throw new RetryError(`The service is busy (${response.status})`)
    }
    if (!response.ok) {
        throw new Error(`The service refused ${events.length} events: ${response.status} ${await response.text()}`)
    }
    console.info(`${events.length} events sent`)
}

/** @param {import('@posthog/plugin-scaffold').ProcessedPluginEvent} event */
function row({ uuid, event, distinct_id, timestamp, properties }) {
    return { id: uuid, event, distinct_id, timestamp, properties }
}
