// `timers`: the globals by another way.
(engine) => {
    const timers = {};
    for (const name of [
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "setImmediate",
        "clearImmediate",
    ]) {
        timers[name] = (...values) => globalThis[name](...values);
    }
    Object.defineProperty(timers, "promises", {
        enumerable: true,
        get: () => engine.provide("timers/promises"),
    });
    return timers;
}
