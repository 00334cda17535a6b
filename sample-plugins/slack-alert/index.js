// Says what to send and leaves the sending to the host, which signs nothing, retries 429 and 5xx, and shows
// each request in the trace. Returning null sends nothing.
export function composeWebhook(event, { config }) {
    if (event.event !== config.event) {
        return null
    }
    const values = { ...event.properties, distinct_id: event.distinct_id, event: event.event }
    const text = (config.message ?? '').replace(/\{([\w$]+)\}/g, (braces, name) => values[name] ?? braces)
    return {
        url: config.hook,
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text: escaped(text), ts: event.timestamp.toISOString() }),
    }
}

/** Slack reads these three as markup, and a property may hold anything. */
function escaped(text) {
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
