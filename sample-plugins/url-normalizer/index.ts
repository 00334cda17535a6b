// Types are for the author: they vanish when the plugin is loaded.
import type { Plugin, PluginEvent } from '@posthog/plugin-scaffold'

// Files of the plugin's own folder can be imported; the extension may be left out.
import { QueryChoice, cleanQuery } from './query'

interface Settings {
    query: QueryChoice
    keepPathCase: boolean
}

// What a plugin declares here gives `meta` its type in every function below.
type NormalizerPlugin = Plugin<{
    config: { strip_query?: QueryChoice; keep_path_case?: 'Yes' | 'No' }
    global: { settings: Settings }
}>

// Runs once, before the first event. Config values are always text, so this is the place to turn them
// into what the code needs; `global` is the place to keep it.
export const setupPlugin: NormalizerPlugin['setupPlugin'] = ({ config, global }) => {
    global.settings = {
        query: config.strip_query ?? 'tracking',
        keepPathCase: config.keep_path_case === 'Yes',
    }
}

// Runs for every event. Whatever it returns goes on to the next plugin.
export const processEvent: NormalizerPlugin['processEvent'] = (event, { global }) => {
    const url = event.properties?.$current_url
    if (typeof url !== 'string') {
        return event // not a page: leave it alone
    }
    const normalized = normalize(url, global.settings)
    if (normalized === undefined) {
        console.warn('Not a URL:', url)
        return event
    }
    rewrite(event, url, normalized)
    return event
}

function rewrite(event: PluginEvent, before: string, after: string): void {
    event.properties!.$current_url = after
    // Lets a query tell events that went through the plugin from older ones.
    event.properties!.$plugin_url_normalized = before !== after
}

export function normalize(text: string, settings: Settings): string | undefined {
    let url: URL
    try {
        // The parser lower-cases the host and drops a default port by itself.
        url = new URL(text)
    } catch {
        return undefined
    }
    url.pathname = withoutTrailingSlash(settings.keepPathCase ? url.pathname : url.pathname.toLowerCase())
    url.search = cleanQuery(url.search, settings.query)
    // "/?" and "/#" say nothing; an anchor like "#prices" does.
    if (url.hash === '') url.hash = ''
    return url.pathname === '/' ? url.href.replace(url.origin + '/', url.origin) : url.href
}

function withoutTrailingSlash(path: string): string {
    return path.length > 1 ? path.replace(/\/+$/, '') : path
}
