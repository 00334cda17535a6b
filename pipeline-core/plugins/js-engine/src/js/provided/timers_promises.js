// `timers/promises`.
(engine, require) => {
    const aborted = (signal) => {
        const error = new Error("The operation was aborted");
        return Object.assign(error, { name: "AbortError", code: "ABORT_ERR", cause: signal.reason });
    };
    const waited =
        (start, stop) =>
        (value, { signal } = {}) =>
            new Promise((resolve, reject) => {
                if (signal?.aborted) return reject(aborted(signal));
                const timer = start(() => resolve(value));
                signal?.addEventListener("abort", () => {
                    stop(timer);
                    reject(aborted(signal));
                });
            });
    const timers = {
        setTimeout: (ms, value, options) =>
            waited(
                (done) => globalThis.setTimeout(done, ms),
                (timer) => clearTimeout(timer),
            )(value, options),
        setImmediate: (value, options) =>
            waited(
                (done) => globalThis.setImmediate(done),
                (timer) => clearImmediate(timer),
            )(value, options),
        async *setInterval(ms, value, options) {
            while (true) {
                await timers.setTimeout(ms, undefined, options);
                yield value;
            }
        },
    };
    timers.scheduler = {
        wait: (ms, options) => timers.setTimeout(ms, undefined, options),
        yield: () => timers.setImmediate(),
    };
    return timers;
}
