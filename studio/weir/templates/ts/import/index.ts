import type { Plugin } from '@posthog/plugin-scaffold'
import type { Config } from './types/config'

type Mine = Plugin<{ config: Config }>

interface Order {
    id: number
    customer: string
    total: number
    currency: string
    created_at: string
}

/** Where in storage the last order stands that was imported. */
const CURSOR = 'last_order'

export const runEveryHour: Mine['runEveryHour'] = async ({ config, storage }) => {
    const after = (await storage.get(CURSOR, 0)) as number
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

async function ordersAfter(after: number, { url, token }: Config): Promise<Order[]> {
    const asked = new URL(url)
    asked.searchParams.set('after', String(after))
    const headers: Record<string, string> = { accept: 'application/json' }
    if (token) {
        headers.authorization = `Bearer ${token}`
    }
    const response = await fetch(asked.href, { headers })
    if (!response.ok) {
        throw new Error(`${asked.host} answered ${response.status} instead of orders`)
    }
    const { orders } = (await response.json()) as { orders?: Order[] }
    if (!Array.isArray(orders)) {
        throw new Error(`${asked.host} sent no list of orders`)
    }
    return orders
}
