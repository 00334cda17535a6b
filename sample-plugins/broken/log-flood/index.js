export function processEvent(event) {
    for (let attempt = 0; attempt < 200; attempt++) {
        for (const [name, value] of Object.entries(event.properties)) {
            console.log('property', name, 'is', value, 'in attempt', attempt)
        }
    }
    return event
}
