import type { EventRule, TypeName, ValueRule } from './rules'

/** One sentence for each rule that the properties break, in the order of the rules. */
export function violations(properties: Record<string, unknown>, rule: EventRule): string[] {
    const found: string[] = []
    for (const name of rule.required) {
        if (properties[name] === undefined || properties[name] === null) {
            found.push(`${name} is missing`)
        }
    }
    for (const [name, valueRule] of rule.properties) {
        const value = properties[name]
        if (value !== undefined && value !== null) {
            found.push(...broken(value, valueRule).map((what) => `${name} ${what}`))
        }
    }
    if (!rule.additional) {
        for (const name of Object.keys(properties)) {
            if (!name.startsWith('$') && !rule.properties.has(name) && !rule.required.includes(name)) {
                found.push(`${name} is not in the schema`)
            }
        }
    }
    return found
}

function broken(value: unknown, rule: ValueRule): string[] {
    const types = rule.type as TypeName[] | undefined
    if (types && !types.some((type) => isOfType(value, type))) {
        // The other rules make no sense for a value of another type.
        return [`is ${typeOf(value)}, not ${types.join(' or ')}`]
    }
    const found: string[] = []
    if (rule.enum && !rule.enum.includes(value)) {
        found.push(`is none of ${rule.enum.map((one) => JSON.stringify(one)).join(', ')}`)
    }
    if (typeof value === 'string') {
        if (rule.pattern && !rule.pattern.test(value)) found.push(`does not match ${rule.pattern.source}`)
        if (rule.maxLength !== undefined && value.length > rule.maxLength) {
            found.push(`is longer than ${rule.maxLength}`)
        }
    }
    if (typeof value === 'number') {
        if (rule.minimum !== undefined && value < rule.minimum) found.push(`is below ${rule.minimum}`)
        if (rule.maximum !== undefined && value > rule.maximum) found.push(`is above ${rule.maximum}`)
    }
    return found
}

function isOfType(value: unknown, type: TypeName): boolean {
    return type === 'integer' ? Number.isInteger(value) : typeOf(value) === type
}

function typeOf(value: unknown): string {
    if (value === null) return 'null'
    return Array.isArray(value) ? 'array' : typeof value
}
