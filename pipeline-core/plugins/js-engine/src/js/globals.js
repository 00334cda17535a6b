// The other names a plugin finds without importing them.
(engine) => {
    const { host, stringify } = engine;

    globalThis.RetryError = class RetryError extends Error {
        constructor(message) {
            super(message);
            this.name = "RetryError";
        }
    };

    globalThis.fetch = () => Promise.reject(new Error("fetch is not available yet"));

    globalThis.posthog = {
        capture: (event, properties = {}) => {
            if (typeof event !== "string") throw new TypeError("posthog.capture expects the name of an event");
            const { timestamp, distinct_id, ...rest } = properties;
            host.emit(
                stringify({
                    event,
                    distinct_id: distinct_id ?? host.name(),
                    timestamp,
                    properties: { $lib: "posthog-plugin-server", $lib_version: "0.1.0", ...rest },
                }),
            );
        },
    };

    // The host hands out every random number, so that a run can be repeated.
    Math.random = () => host.random();
}
