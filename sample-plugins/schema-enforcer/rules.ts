// What rules look like, and reading them with errors that say where the mistake is.

export const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const
export type TypeName = (typeof TYPES)[number]

/** A rule for one value. */
export interface ValueRule {
    type?: TypeName | TypeName[]
    enum?: unknown[]
    /** Compiled once, here, rather than for every event. */
    pattern?: RegExp
    minimum?: number
    maximum?: number
    maxLength?: number
}

/** A rule for the properties of one event. */
export interface EventRule {
    required: string[]
    properties: Map<string, ValueRule>
    /** Whether properties without a rule are allowed; names with a $ always are, clients send those. */
    additional: boolean
}

export type Rules = Map<string, EventRule>

export function parseRules(text: string, source: string): Rules {
    let parsed: unknown
    try {
        parsed = JSON.parse(text)
    } catch (error) {
        throw new Error(`${source} is not JSON: ${(error as Error).message}`)
    }
    const rules: Rules = new Map()
    for (const [event, rule] of Object.entries(object(parsed, source))) {
        rules.set(event, eventRule(object(rule, `${source}: "${event}"`), `${source}: "${event}"`))
    }
    return rules
}

function eventRule(rule: Record<string, unknown>, at: string): EventRule {
    onlyKnown(rule, ['required', 'properties', 'additional'], at)
    const required = (rule.required ?? []) as string[]
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
        throw new Error(`${at}.required must be a list of names of properties`)
    }
    const properties = new Map<string, ValueRule>()
    for (const [name, value] of Object.entries(object(rule.properties ?? {}, `${at}.properties`))) {
        properties.set(name, valueRule(object(value, `${at}.properties.${name}`), `${at}.properties.${name}`))
    }
    return { required, properties, additional: rule.additional !== false }
}

function valueRule(rule: Record<string, unknown>, at: string): ValueRule {
    onlyKnown(rule, ['type', 'enum', 'pattern', 'minimum', 'maximum', 'maxLength'], at)
    const types = [rule.type ?? []].flat() as TypeName[]
    const unknown = types.find((type) => !TYPES.includes(type))
    if (unknown !== undefined) {
        throw new Error(`${at}.type: "${unknown}" is none of ${TYPES.join(', ')}`)
    }
    if (rule.enum !== undefined && !Array.isArray(rule.enum)) {
        throw new Error(`${at}.enum must be a list of values`)
    }
    for (const name of ['minimum', 'maximum', 'maxLength']) {
        if (rule[name] !== undefined && typeof rule[name] !== 'number') {
            throw new Error(`${at}.${name} must be a number`)
        }
    }
    let pattern: RegExp | undefined
    try {
        pattern = rule.pattern === undefined ? undefined : new RegExp(String(rule.pattern), 'u')
    } catch (error) {
        throw new Error(`${at}.pattern: ${(error as Error).message}`)
    }
    return { ...(rule as ValueRule), type: types.length > 0 ? types : undefined, pattern }
}

function object(value: unknown, at: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new Error(`${at} must be an object`)
    }
    return value as Record<string, unknown>
}

/** A misspelled keyword would be a rule that holds nothing. */
function onlyKnown(rule: Record<string, unknown>, known: string[], at: string): void {
    const unknown = Object.keys(rule).find((name) => !known.includes(name))
    if (unknown !== undefined) {
        throw new Error(`${at}: "${unknown}" is none of ${known.join(', ')}`)
    }
}
