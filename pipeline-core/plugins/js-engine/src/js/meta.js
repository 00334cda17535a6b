// `meta`, the last argument of every plugin function. Storage and cache answer with promises although
// the host answers at once, because plugins await them.
(engine) => {
    const { host, text, parse, stringify } = engine;

    const answer = (work) => {
        try {
            return Promise.resolve(work());
        } catch (error) {
            return Promise.reject(error);
        }
    };
    const decoded = (value, fallback) => {
        if (value === undefined) return fallback;
        try {
            return parse(value);
        } catch {
            return value;
        }
    };

    const storage = {
        get: (key, fallback = null) => answer(() => decoded(host.storageGet(text(key)), fallback)),
        set: (key, value) =>
            answer(() => {
                const json = stringify(value);
                if (json === undefined) host.storageDelete(text(key));
                else host.storageSet(text(key), json);
            }),
        del: (key) => answer(() => host.storageDelete(text(key))),
    };

    const number = (value, complaint) => {
        if (typeof value !== "number" || Number.isNaN(value)) throw new TypeError(complaint);
        return value;
    };
    const cache = {
        set: (key, value, ttlSeconds, options = {}) =>
            answer(() => {
                const plain = options.jsonSerialize === false;
                const stored = plain ? text(value) : (stringify(value) ?? "null");
                host.cacheSet(text(key), stored, typeof ttlSeconds === "number" ? ttlSeconds : undefined);
            }),
        get: (key, fallback = null, options = {}) =>
            answer(() => {
                const value = host.cacheGet(text(key));
                if (options.jsonSerialize === false) return value === undefined ? fallback : value;
                return decoded(value, fallback);
            }),
        incr: (key) => answer(() => host.cacheIncr(text(key))),
        expire: (key, ttlSeconds) =>
            answer(() =>
                host.cacheExpire(text(key), number(ttlSeconds, "cache.expire expects a number of seconds")),
            ),
        lpush: (key, elements) =>
            answer(() => {
                const list = Array.isArray(elements) ? elements : [elements];
                if (!Array.isArray(elements) && typeof elements !== "string") {
                    throw new TypeError("cache.lpush expects a string value or an array of strings");
                }
                if (list.length > 1000) {
                    throw new Error("Too many elements in array for cache.lpush. Maximum: 1000");
                }
                return host.cacheLpush(text(key), list.map(text));
            }),
        lrange: (key, first, last) =>
            answer(() => {
                const complaint = "cache.lrange expects a number for the start and end indexes";
                return host.cacheLrange(text(key), number(first, complaint), number(last, complaint));
            }),
        llen: (key) => answer(() => host.cacheLlen(text(key))),
        lpop: (key, count = 1) =>
            answer(() => host.cacheLpop(text(key), number(count, "cache.lpop expects a number for the count"))),
        lrem: (key, count, element) =>
            answer(() =>
                host.cacheLrem(
                    text(key),
                    number(count, "cache.lrem expects a number for the count"),
                    text(element),
                ),
            ),
    };

    const cursor = {
        init: (key, value = 0) =>
            answer(() => {
                if (host.storageGet(text(key)) === undefined) host.storageSet(text(key), stringify(value));
            }),
        increment: (key, by = 1) => answer(() => host.storageAdd(text(key), by)),
    };

    // Attachments are read, and jobs and metrics looked up, when a plugin first asks for them.
    let attachments;
    const readAttachments = () => {
        attachments = {};
        for (const { key, content_type, file_name, contents } of host.attachments()) {
            attachments[key] = { content_type, file_name, contents: Buffer.from(contents) };
        }
        return attachments;
    };

    // PostHog's lengths, including its months of 30 weeks and quarters of 13.
    const second = 1000;
    const day = 86_400 * second;
    const units = {
        millisecond: 1,
        second,
        minute: 60 * second,
        hour: 3600 * second,
        day,
        week: 7 * day,
        month: 30 * 7 * day,
        quarter: 13 * 7 * day,
        year: 365 * day,
    };
    const unitLength = (unit) => {
        const name = String(unit);
        const single = name.endsWith("s") ? name.slice(0, -1) : name;
        if (!Object.hasOwn(units, single)) throw new Error(`Unknown time unit: ${unit}`);
        return units[single];
    };
    const enqueue = (name, payload, at) => host.enqueue(text(name), stringify(payload) ?? "null", at);
    const job = (name) => (payload) => ({
        runNow: () => answer(() => enqueue(name, payload, Date.now())),
        runIn: (count, unit) => answer(() => enqueue(name, payload, Date.now() + Number(count) * unitLength(unit))),
        runAt: (moment) =>
            answer(() => {
                const at = moment instanceof Date ? moment.getTime() : new Date(moment).getTime();
                if (Number.isNaN(at)) throw new TypeError("runAt expects a valid date");
                enqueue(name, payload, at);
            }),
    });
    const jobs = new Proxy({}, { get: (_, name) => (typeof name === "string" ? job(name) : undefined) });

    const record = (name, operation) => (value) =>
        host.metric(text(name), operation, number(value, "metrics expect a number"));
    const metric = (name) => ({
        increment: record(name, 0),
        min: record(name, 1),
        max: record(name, 2),
        sum: record(name, 0),
    });
    const metrics = new Proxy({}, { get: (_, name) => (typeof name === "string" ? metric(name) : undefined) });

    engine.meta = {
        config: parse(host.config()),
        global: {},
        get attachments() {
            return attachments ?? readAttachments();
        },
        storage,
        cache,
        geoip: {
            locate: (ip) =>
                answer(() => {
                    const found = host.locate(text(ip));
                    return found === undefined ? null : parse(found);
                }),
        },
        jobs,
        metrics,
        utils: { cursor },
    };
}
