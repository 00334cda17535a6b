export type QueryChoice = 'keep' | 'tracking' | 'all'

// Parameters that say where a visitor came from, not which page was shown.
const TRACKING = /^(utm_\w+|gclid|gbraid|wbraid|fbclid|msclkid|dclid|twclid|mc_eid|_hsenc|_hsmi)$/i

/** Takes and returns a query with its leading `?`, or an empty text. */
export function cleanQuery(search: string, choice: QueryChoice): string {
    if (choice === 'keep' || search === '') return search
    if (choice === 'all') return ''
    // Splitting the text keeps the other parameters exactly as they were written.
    const kept = search
        .slice(1)
        .split('&')
        .filter((pair) => pair !== '' && !TRACKING.test(pair.split('=', 1)[0]))
    return kept.length > 0 ? '?' + kept.join('&') : ''
}
