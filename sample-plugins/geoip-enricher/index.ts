import type { Plugin, PluginEvent } from '@posthog/plugin-scaffold'

import { type Language, type Precision, placeOf } from './place'

type GeoIpPlugin = Plugin<{
    config: {
        precision?: Precision
        person_properties?: 'Yes' | 'No'
        language?: Language
        forget_ip?: 'Yes' | 'No'
    }
}>

export const processEvent: GeoIpPlugin['processEvent'] = async (event, { config, geoip }) => {
    const ip = addressOf(event)
    // A client that asks not to be located is not located.
    if (ip !== undefined && event.properties?.$geoip_disable !== true) {
        // null when the database does not know the address: private networks, for example.
        const found = await geoip.locate(ip)
        if (found) {
            const place = placeOf(found, config.precision ?? 'city', config.language ?? 'en')
            write(event, place, config.person_properties !== 'No')
        }
    }
    if (config.forget_ip === 'Yes') {
        event.ip = null
        delete event.properties?.$ip
    }
    return event
}

/** The address the event came with, unless the client names another one. */
function addressOf(event: PluginEvent): string | undefined {
    return event.properties?.$ip ?? event.ip ?? undefined
}

function write(event: PluginEvent, place: Record<string, unknown>, alsoOnPerson: boolean): void {
    event.properties ??= {}
    const newest: Record<string, unknown> = {}
    const first: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(place)) {
        event.properties[`$geoip_${name}`] = value
        newest[`$geoip_${name}`] = value
        first[`$initial_geoip_${name}`] = value
    }
    if (alsoOnPerson) {
        // What the client itself sets wins over what is guessed from an address.
        event.properties.$set = { ...newest, ...event.properties.$set }
        event.properties.$set_once = { ...first, ...event.properties.$set_once }
    }
}
