import type { Plugin } from '@posthog/plugin-scaffold'

import { type Config, type Rates, fetchRates } from './rates'

type ConverterPlugin = Plugin<{
    config: Config & { amount_property?: string; currency_property?: string }
    global: { rates?: Rates; asked?: Promise<Rates> }
}>
type Meta = Parameters<NonNullable<ConverterPlugin['setupPlugin']>>[0]

const CACHE_KEY = 'rates'
/** Two runs of the schedule may fail before the rates are gone. */
const CACHE_SECONDS = 3 * 3600
/** How old rates may be in this instance before the cache is asked again. */
const LOOK_AGAIN_MS = 60_000

export const setupPlugin: ConverterPlugin['setupPlugin'] = ({ config }) => {
    if (!/^[A-Z]{3}$/.test(config.target ?? '')) {
        throw new Error(`"Convert to" must be three capital letters like EUR; got "${config.target}"`)
    }
}

// Schedules run in an instance of their own, with a `global` of its own: what they fetch reaches the
// instances that process events through the cache.
export const runEveryHour: ConverterPlugin['runEveryHour'] = async (meta) => {
    const rates = await fetchRates(meta.config)
    await meta.cache.set(CACHE_KEY, rates, CACHE_SECONDS)
    console.info(`${Object.keys(rates.values).length} rates against ${rates.base}`)
}

export const processEvent: ConverterPlugin['processEvent'] = async (event, meta) => {
    const { amount_property = 'revenue', currency_property = 'currency', target } = meta.config
    const amount = Number(event.properties?.[amount_property] ?? NaN)
    const currency = String(event.properties?.[currency_property] ?? '').toUpperCase()
    if (!Number.isFinite(amount) || currency === '') {
        return event
    }
    const rates = await currentRates(meta)
    const rate = currency === target ? 1 : rates.values[currency]
    if (rate === undefined) {
        console.warn(`No rate for ${currency}`)
        return event
    }
    event.properties![`${amount_property}_${target!.toLowerCase()}`] = Math.round((amount / rate) * 100) / 100
    event.properties!.exchange_rate = rate
    return event
}

async function currentRates(meta: Meta): Promise<Rates> {
    const { global, cache } = meta
    if (global.rates && Date.now() - global.rates.readAt < LOOK_AGAIN_MS) {
        return global.rates
    }
    const cached = (await cache.get(CACHE_KEY, null)) as Rates | null
    // Before the schedule has run for the first time, the first event asks; those that come while it waits
    // share its request.
    const rates = cached ?? (await (global.asked ??= ask(meta)))
    global.rates = { ...rates, readAt: Date.now() }
    return global.rates
}

async function ask(meta: Meta): Promise<Rates> {
    try {
        const rates = await fetchRates(meta.config)
        await meta.cache.set(CACHE_KEY, rates, CACHE_SECONDS)
        return rates
    } finally {
        meta.global.asked = undefined
    }
}
