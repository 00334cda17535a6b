import { createHmac } from 'crypto'
import { type Plugin, RetryError } from '@posthog/plugin-scaffold'

type WebhookPlugin = Plugin<{
    config: { url?: string; events?: string; signing_secret?: string }
    global: { url: string; events: Set<string> }
}>

export const setupPlugin: WebhookPlugin['setupPlugin'] = ({ config, global }) => {
    const url = new URL(config.url ?? '')
    if (url.protocol !== 'https:') {
        throw new Error(`"URL" must begin with https://; got "${config.url}"`)
    }
    const names = (config.events ?? '').split(',').map((name) => name.trim())
    global.url = url.href
    global.events = new Set(names.filter((name) => name !== ''))
}

// Called with events as they are stored, after every plugin has seen them.
export const onEvent: WebhookPlugin['onEvent'] = async (event, { config, global }) => {
    if (global.events.size > 0 && !global.events.has(event.event)) {
        return
    }
    const body = JSON.stringify({
        event: event.event,
        distinct_id: event.distinct_id,
        timestamp: event.timestamp,
        properties: event.properties,
        // Lets the receiver notice what it has got already.
        id: event.uuid,
    })
    const headers: Record<string, string> = { 'content-type': 'application/json', 'idempotency-key': event.uuid }
    if (config.signing_secret) {
        headers['x-signature'] = `sha256=${createHmac('sha256', config.signing_secret).update(body).digest('hex')}`
    }

    let response: Response
    try {
        response = await fetch(global.url, { method: 'POST', headers, body })
    } catch (error) {
        // No answer at all: the network, or a timeout. It may work in a moment.
        throw new RetryError(`Could not reach the webhook: ${(error as Error).message}`)
    }
    if (response.status === 429 || response.status >= 500) {
        throw new RetryError(`The webhook is busy (${response.status})`)
    }
    if (!response.ok) {
        // Trying again would only be refused again.
        throw new Error(`The webhook refused ${event.uuid}: ${response.status} ${await response.text()}`)
    }
}
