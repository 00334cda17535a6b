/** @typedef {import('./types/config').Config} Config */
/** @typedef {{ id: number, customer: string, total: number, currency: string, created_at: string }} Order */

/** Where in storage the last order stands that was imported. */
const CURSOR = 'last_order'

/** @type {import('@posthog/plugin-scaffold').Plugin<{ config: Config }>['runEveryHour']} */
export const runEveryHour = async ({ config, storage }) => {
    const after = Number(await storage.get(CURSOR, 0))
    const orders = await ordersAfter(after, config)
    for (const { id, customer, total, currency, created_at } of orders) {
        posthog.capture('order placed', {
            distinct_id: customer,
            timestamp: created_at,
            order_id: id,
            total,
            currency,
        })
    }
    // Events and storage are kept together when this function ends: a run that throws has done neither.
    if (orders.length > 0) {
        await storage.set(CURSOR, Math.max(...orders.map(({ id }) => id)))
        console.info(`${orders.length} new orders`)
    }
}

/**
 * @param {number} after
 * @param {Config} config
 * @returns {Promise<Order[]>}
 */
async function ordersAfter(after, { url, token }) {
    const asked = new URL(url)
    asked.searchParams.set('after', String(after))
    /** @type {Record<string, string>} */
    const headers = { accept: 'application/json' }
    if (token) {
        headers.authorization = `Bearer ${token}`
    }
    const response = await fetch(asked.href, { headers })
    if (!response.ok) {
        throw new Error(`${asked.host} answered ${response.status} instead of orders`)
    }
    const { orders } = await response.json()
    if (!Array.isArray(orders)) {
        throw new Error(`${asked.host} sent no list of orders`)
    }
    return orders
}
