export interface Config {
    target?: string
    rates_url?: string
    api_key?: string
}

export interface Rates {
    base: string
    /** How much of a currency one unit of the base buys. */
    values: Record<string, number>
    readAt: number
}

export async function fetchRates(config: Config): Promise<Rates> {
    const url = new URL(config.rates_url ?? '')
    url.searchParams.set('base', config.target!)
    const headers: Record<string, string> = { accept: 'application/json' }
    if (config.api_key) {
        headers.authorization = `Bearer ${config.api_key}`
    }
    const response = await fetch(url.href, { headers })
    if (!response.ok) {
        throw new Error(`${url.host} answered ${response.status} instead of rates`)
    }
    const body = await response.json()
    if (body.base !== config.target || typeof body.rates !== 'object' || body.rates === null) {
        throw new Error(`${url.host} sent no rates against ${config.target}`)
    }
    return { base: body.base, values: body.rates, readAt: Date.now() }
}
