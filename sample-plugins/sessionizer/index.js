import { createHash } from 'crypto'

const MINUTE_MS = 60_000

export function setupPlugin({ config, global }) {
    global.pauseMs = positive(config.pause_minutes, 'Pause') * MINUTE_MS
    global.longestMs = positive(config.longest_hours ?? '24', 'Longest session') * 60 * MINUTE_MS
}

// Events of one person come one after the other, so reading and writing the session needs no lock.
export async function processEvent(event, { global, storage }) {
    const at = Date.parse(event.timestamp ?? event.now)
    if (event.properties?.$session_id !== undefined || Number.isNaN(at)) {
        return event // the client knows better, or nobody knows when it happened
    }
    const key = `session:${event.distinct_id}`
    let session = await storage.get(key, null)
    const isFirst = session === null || !belongs(at, session, global)
    if (isFirst) {
        session = { id: sessionId(event.distinct_id, at), start: at, last: at, events: 0 }
    }
    session.events += 1
    // An event that was held up on its way does not turn the clock back.
    session.last = Math.max(session.last, at)
    await storage.set(key, session)

    event.properties = {
        ...event.properties,
        $session_id: session.id,
        session_event_number: session.events,
        session_seconds: Math.max(0, Math.round((at - session.start) / 1000)),
        is_session_start: isFirst,
    }
    return event
}

function belongs(at, session, { pauseMs, longestMs }) {
    const isNear = at - session.last <= pauseMs && session.start - at <= pauseMs
    return isNear && at - session.start < longestMs
}

/** From what the session is, so that a second run over the same events gives the same ids. */
function sessionId(distinctId, start) {
    const hex = createHash('sha256').update(`${distinctId}\n${start}`).digest('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function positive(text, name) {
    const number = Number(text)
    if (!(number > 0)) throw new Error(`"${name}" must be a number above 0; got "${text}"`)
    return number
}
