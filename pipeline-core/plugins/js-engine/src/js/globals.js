// The names a plugin finds without importing them. All but the smallest come into being when they are
// first used, so that a plugin that does not use them does not pay for them.
(engine) => {
    const { host } = engine;
    const define = (target, name, value) =>
        Object.defineProperty(target, name, { value, writable: true, configurable: true });

    // The host hands out every random number, so that a run can be repeated.
    Math.random = () => host.random();
    define(globalThis, "global", globalThis);
    define(globalThis, "RetryError", class RetryError extends Error {
        constructor(message) {
            super(message);
            this.name = "RetryError";
        }
    });

    const lazily = (target, module, names, pick = (exported, name) => exported[name]) => {
        for (const name of names) {
            Object.defineProperty(target, name, {
                configurable: true,
                get() {
                    const value = pick(engine.provide(module), name);
                    define(target, name, value);
                    return value;
                },
                set(value) {
                    define(target, name, value);
                },
            });
        }
    };
    lazily(globalThis, "buffer", ["Buffer"]);
    lazily(globalThis, "internal/encoding", ["TextEncoder", "TextDecoder"]);
    lazily(globalThis, "internal/clone", ["structuredClone"]);
    lazily(globalThis, "internal/web_url", ["URL"]);
    lazily(globalThis, "internal/search_params", ["URLSearchParams"]);
    lazily(globalThis, "internal/web_crypto", ["crypto"]);
    lazily(globalThis, "internal/abort", ["AbortController", "AbortSignal", "Event", "EventTarget"]);
    lazily(globalThis, "internal/bodies", ["Blob", "File", "FormData", "Headers"]);
    lazily(globalThis, "internal/fetch", ["fetch", "Request", "Response"]);
    lazily(globalThis, "internal/intl", ["Intl"]);
    lazily(globalThis, "process", ["process"], (exported) => exported);

    // What QuickJS does without regard to languages.
    const localized = [
        [Date.prototype, ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"], "Date"],
        [Number.prototype, ["toLocaleString"], "Number"],
        [BigInt.prototype, ["toLocaleString"], "Number"],
        [String.prototype, ["localeCompare"], "String"],
    ];
    for (const [prototype, names, kind] of localized) {
        for (const name of names) {
            define(prototype, name, function (...options) {
                return engine.provide("internal/intl").methods[kind][name](this, ...options);
            });
        }
    }

    define(globalThis, "posthog", {
        capture: (event, properties = {}) => {
            if (typeof event !== "string") throw new TypeError("posthog.capture expects the name of an event");
            const { timestamp, distinct_id, ...rest } = properties;
            host.emit(
                engine.stringify({
                    // Whatever a plugin did to the prototype of objects, this is one.
                    __proto__: null,
                    event,
                    distinct_id: distinct_id ?? host.name(),
                    timestamp,
                    properties: { $lib: "posthog-plugin-server", $lib_version: "0.1.0", ...rest },
                }),
            );
        },
    });
    lazily(posthog, "internal/api", ["api"]);
}
