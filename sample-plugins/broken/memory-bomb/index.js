// Meant to find duplicates. It remembers whole events for ever, and a "fingerprint" that grows with each.
const seen = []
let fingerprint = 'x'.repeat(1024)

export function processEvent(event) {
    fingerprint += fingerprint
    seen.push({ event: JSON.stringify(event), fingerprint: fingerprint.split('') })
    event.properties.is_duplicate = seen.slice(0, -1).some((other) => other.event === JSON.stringify(event))
    return event
}
