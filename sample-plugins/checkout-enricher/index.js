// Names that web shops give to the moment money changes hands.
const PURCHASES = new Set(['purchase', 'order completed', 'order_completed', 'checkout completed'])

// Runs once, before the first event. Throwing here keeps the plugin from going live and shows the
// message in the studio, which is what you want for a config that makes no sense.
export function setupPlugin({ config, global }) {
    global.bands = parseBands(config.bands ?? '')
    global.dropBots = config.drop_bots !== 'No'
}

// May be async; the next plugin waits for the promise.
export async function processEvent(event, { global, storage, utils }) {
    const properties = event.properties ?? {}

    // Returning nothing drops the event: it is not stored, and the studio says which plugin did it.
    if (global.dropBots && properties.$is_bot === true) {
        return null
    }
    if (!PURCHASES.has(event.event.toLowerCase())) {
        return event
    }

    const revenue = Number(properties.revenue ?? properties.total ?? properties.value)
    if (!Number.isFinite(revenue)) {
        // Shows up in the plugin's log with the event in hand.
        console.warn('Purchase without a readable revenue:', event.uuid, properties.revenue)
        return event
    }
    event.properties.revenue_band = bandOf(revenue, global.bands)

    // Storage survives restarts and is shared by all lanes. A cursor counts without losing a step;
    // `get` followed by `set` would, were two lanes to do it at once.
    event.properties.order_number = await utils.cursor.increment('orders')
    const largest = await storage.get('largest_order', 0)
    if (revenue > largest) {
        await storage.set('largest_order', revenue)
        event.properties.is_record_order = true
    }
    return event
}

function parseBands(text) {
    const bands = text.split(',').map((part) => Number(part.trim()))
    const rising = bands.every((band, at) => band > (bands[at - 1] ?? 0))
    if (!rising) {
        throw new Error(`"Revenue bands" must be rising numbers above 0, like "25, 100, 500"; got "${text}"`)
    }
    return bands
}

/** `0-25`, `25-100`, …, `500+`; a value on a boundary belongs to the band above it. */
function bandOf(revenue, bands) {
    const above = bands.findIndex((band) => revenue < band)
    if (above < 0) return `${bands.at(-1)}+`
    return `${above === 0 ? 0 : bands[above - 1]}-${bands[above]}`
}
