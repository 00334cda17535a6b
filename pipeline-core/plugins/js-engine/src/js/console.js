// `console` as PostHog plugins know it: objects as JSON, everything else as String() gives it.
(engine) => {
    const { host, text } = engine;
    const { getPrototypeOf, isArray, objectPrototype, String } = engine.kept;
    const longest = 50_000;

    const shown = (value) => {
        const proto = value === null || typeof value !== "object" ? undefined : getPrototypeOf(value);
        if (isArray(value) || proto === objectPrototype || proto === null) {
            try {
                return engine.stringify(value);
            } catch {
                return String(value);
            }
        }
        return String(value);
    };
    const writer = (level) => (...values) => {
        let line = "";
        for (let at = 0; at < values.length; at++) line += `${at > 0 ? " " : ""}${shown(values[at])}`;
        line = text(line);
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
