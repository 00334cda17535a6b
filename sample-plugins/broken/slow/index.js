// "Give the other service time to catch up." Every event pays for it.
export async function processEvent(event, { config }) {
    const before = Date.now()
    await new Promise((resolve) => setTimeout(resolve, Number(config.wait_ms)))
    event.properties.waited_ms = Date.now() - before
    return event
}
