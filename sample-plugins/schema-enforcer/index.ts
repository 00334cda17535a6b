import type { Plugin } from '@posthog/plugin-scaffold'

import { type Rules, parseRules } from './rules'
import { violations } from './violations'

type EnforcerPlugin = Plugin<{
    config: { rules?: string; on_violation?: 'annotate' | 'drop'; unknown_events?: 'pass' | 'drop' }
    global: { rules: Rules }
}>

// Rules with a mistake must not go live: what `setupPlugin` throws keeps the last good version serving.
export const setupPlugin: EnforcerPlugin['setupPlugin'] = ({ attachments, config, global }) => {
    // The contents of an attachment are a Buffer.
    const attached = attachments.rules_file?.contents.toString('utf8')
    const source = attached === undefined ? 'the field "Rules"' : attachments.rules_file!.file_name
    global.rules = parseRules(attached ?? config.rules ?? '{}', source)
    console.info(`Rules for ${global.rules.size} events from ${source}`)
}

export const processEvent: EnforcerPlugin['processEvent'] = (event, { config, global }) => {
    const rule = global.rules.get(event.event)
    if (rule === undefined) {
        return config.unknown_events === 'drop' ? null : event
    }
    const found = violations(event.properties ?? {}, rule)
    if (found.length === 0) {
        return event
    }
    if (config.on_violation === 'drop') {
        console.warn(`Dropped ${event.event} ${event.uuid}: ${found.join('; ')}`)
        return null
    }
    event.properties = { ...event.properties, $schema_violations: found }
    return event
}
