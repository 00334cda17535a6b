// Plays the host for unit tests, under `node --test` or jest: `meta` with storage and cache in memory, `posthog.capture`
// that collects, and `fetch` that answers from the files in mocks/. It is for quick tests of single functions. What the
// pipeline makes of an event (limits, order, retries, secrets) is what `weir test` shows, on the engine itself.
//
// CommonJS, because both runners load that without settings.

const fs = require('fs')
const path = require('path')

class RetryError extends Error {
    constructor(message) {
        super(message)
        this.name = 'RetryError'
    }
}

/** Puts `posthog`, `RetryError` and `fetch` where plugins look for them. Call `unmount` when the test is over. */
function mount({ mocks = path.join(__dirname, '..', 'mocks') } = {}) {
    const world = { captured: [], requests: [], answers: typeof mocks === 'string' ? readMocks(mocks) : mocks }
    const globals = {
        RetryError,
        posthog: { capture: (event, properties = {}) => void world.captured.push({ event, properties }) },
        fetch: async (url, options = {}) => answer(world, String(url), options),
    }
    const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)])
    for (const [name, value] of Object.entries(globals)) {
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
    world.unmount = () => {
        for (const [name, descriptor] of before) {
            if (descriptor) Object.defineProperty(globalThis, name, descriptor)
            else delete globalThis[name]
        }
    }
    return world
}

/** The last argument of every function of a plugin. Defaults of plugin.json hold unless `config` says otherwise. */
function createMeta({ config = {}, attachments = {}, storage = {}, cache = {} } = {}) {
    const kept = new Map(Object.entries(storage))
    const passing = new Map(Object.entries(cache))
    const jobs = []
    const list = (key) => passing.get(key) ?? passing.set(key, []).get(key)
    const job = (name) => (payload) => ({
        runNow: async () => void jobs.push({ name, payload }),
        runIn: async (duration, unit) => void jobs.push({ name, payload, in: [duration, unit] }),
        runAt: async (at) => void jobs.push({ name, payload, at }),
    })
    const numbers = {}
    const metric = (name) => ({
        increment: (by) => (numbers[name] = (numbers[name] ?? 0) + by),
        sum: (by) => (numbers[name] = (numbers[name] ?? 0) + by),
        max: (value) => (numbers[name] = Math.max(numbers[name] ?? value, value)),
        min: (value) => (numbers[name] = Math.min(numbers[name] ?? value, value)),
    })
    const named = (make) => new Proxy({}, { get: (_, name) => (typeof name === 'string' ? make(name) : undefined) })
    const increment = async (map, key, by) => {
        map.set(key, Number(map.get(key) ?? 0) + by)
        return map.get(key)
    }
    return {
        config: { ...defaults(), ...config },
        attachments,
        global: {},
        storage: {
            get: async (key, fallback = null) => (kept.has(key) ? clone(kept.get(key)) : fallback),
            set: async (key, value) => void (value === undefined ? kept.delete(key) : kept.set(key, clone(value))),
            del: async (key) => void kept.delete(key),
        },
        cache: {
            get: async (key, fallback = null) => (passing.has(key) ? clone(passing.get(key)) : fallback),
            set: async (key, value) => void passing.set(key, clone(value)),
            incr: (key) => increment(passing, key, 1),
            expire: async (key) => passing.has(key),
            lpush: async (key, elements) => list(key).unshift(...[].concat(elements).reverse()),
            lrange: async (key, first, last) => list(key).slice(first, last === -1 ? undefined : last + 1),
            llen: async (key) => list(key).length,
            lpop: async (key, count) => list(key).splice(0, count),
            lrem: async (key, count, element) => {
                const before = list(key)
                const after = before.filter((other) => other !== element)
                passing.set(key, after)
                return before.length - after.length
            },
        },
        geoip: { locate: async () => null },
        jobs: named(job),
        metrics: named(metric),
        utils: {
            cursor: {
                init: async (key, value = 0) => void (kept.has(key) || kept.set(key, value)),
                increment: (key, by = 1) => increment(kept, key, by),
            },
        },
        /** For assertions: what was kept, asked for and counted. */
        seen: { storage: kept, cache: passing, jobs, metrics: numbers },
    }
}

/** An event as `processEvent` gets it; `fields` replace its own. */
function createEvent(fields = {}) {
    return {
        uuid: '00000000-0000-4000-8000-000000000001',
        event: 'test event',
        distinct_id: 'ada',
        ip: '203.0.113.7',
        site_url: 'http://127.0.0.1:8010',
        team_id: 1,
        now: '2026-01-02T03:04:05.678Z',
        timestamp: '2026-01-02T03:04:05.678Z',
        ...fields,
        properties: { ...fields.properties },
    }
}

function clone(value) {
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function defaults() {
    const { config = [] } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'plugin.json'), 'utf8'))
    const fields = Array.isArray(config) ? config : Object.entries(config).map(([key, field]) => ({ key, ...field }))
    const given = fields.filter(({ key, default: value }) => key && value !== undefined && value !== null)
    return Object.fromEntries(given.map(({ key, default: value }) => [key, text(value)]))
}

function readMocks(dir) {
    if (!fs.existsSync(dir)) return []
    const files = fs
        .readdirSync(dir)
        .filter((name) => name.endsWith('.json'))
        .sort()
    return files.flatMap((name) => {
        const read = JSON.parse(fs.readFileSync(path.join(dir, name), 'utf8'))
        return read.mocks ?? read
    })
}

async function answer(world, url, { method = 'GET', headers = {}, body } = {}) {
    world.requests.push({ method, url, headers, body })
    const mock = world.answers.find((mock) => fits(mock.request, { method, url: new URL(url), headers, body }))
    if (!mock) {
        throw new Error(`no mock answers ${method} ${url}; add one to mocks/`)
    }
    const turns = mock.responses ?? [mock.fail ? { fail: mock.fail } : mock.response]
    mock.turn = Math.min((mock.turn ?? -1) + 1, turns.length - 1)
    const { fail, status = 200, headers: answered, json, body: plain } = turns[mock.turn]
    if (fail) {
        throw new Error(`the mock ${mock.name ?? url} plays a failure: ${fail}`)
    }
    const none = [101, 204, 205, 304].includes(status)
    return new Response(none ? null : json === undefined ? (plain ?? '') : JSON.stringify(json), {
        status,
        headers: Object.entries(answered ?? {}).map(([name, value]) => [name, String(value)]),
    })
}

function fits(wanted, { method, url, headers, body }) {
    const whole = wanted.url.includes('?') ? url.href : url.href.split('?')[0]
    const given = new Headers(headers)
    return (
        (!wanted.method || wanted.method.toUpperCase() === method.toUpperCase()) &&
        like(wanted.url, whole) &&
        Object.entries(wanted.query ?? {}).every(([name, value]) => like(value, url.searchParams.get(name))) &&
        Object.entries(wanted.headers ?? {}).every(([name, value]) => like(value, given.get(name))) &&
        (wanted.body === undefined || holds(wanted.body, body ?? ''))
    )
}

/** Text is the whole body; other JSON is what the body must contain. */
function holds(wanted, body) {
    if (typeof wanted === 'string') return like(wanted, body)
    try {
        return contains(wanted, JSON.parse(body))
    } catch {
        return false
    }
}

function contains(wanted, given) {
    if (typeof wanted === 'string') return typeof given === 'string' && like(wanted, given)
    if (typeof wanted !== 'object' || wanted === null) return wanted === given
    if (typeof given !== 'object' || given === null || Array.isArray(wanted) !== Array.isArray(given)) return false
    if (Array.isArray(wanted) && wanted.length !== given.length) return false
    return Object.keys(wanted).every((key) => Object.hasOwn(given, key) && contains(wanted[key], given[key]))
}

/** `*` stands for any run of characters. */
function like(pattern, given) {
    if (given === null || given === undefined) return false
    const literal = (part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return new RegExp(`^${text(pattern).split('*').map(literal).join('.*')}$`, 's').test(given)
}

function text(value) {
    return typeof value === 'string' ? value : JSON.stringify(value)
}

module.exports = { mount, createMeta, createEvent, RetryError }
