// `console` as PostHog plugins know it: objects as JSON, everything else as String() gives it.
(engine) => {
    const { host, text } = engine;
    const longest = 50_000;

    const shown = (value) => {
        const proto = value === null || typeof value !== "object" ? undefined : Object.getPrototypeOf(value);
        if (Array.isArray(value) || proto === Object.prototype || proto === null) {
            try {
                return engine.stringify(value);
            } catch {
                return String(value);
            }
        }
        return typeof value === "symbol" ? value.toString() : String(value);
    };
    const writer = (level) => (...values) => {
        const line = text(values.map(shown).join(" "));
        if (line.length <= longest) host.log(level, line);
    };

    globalThis.console = {
        debug: writer(0),
        log: writer(1),
        info: writer(2),
        warn: writer(3),
        error: writer(4),
    };
}
