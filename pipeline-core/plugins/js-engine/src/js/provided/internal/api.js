// `posthog.api`: the REST interface of the PostHog that events belong to. As there, DELETE sends no data
// and PUT does not say that its body is JSON.
(engine) => {
    const { text } = engine;
    const call =
        (method) =>
        async (path, options = {}) => {
            const { data = {}, host = "https://app.posthog.com", headers = {} } = options;
            if (typeof path !== "string" || path === "") {
                throw new TypeError("posthog.api expects a path such as /api/event/");
            }
            if (Boolean(options.projectApiKey) !== Boolean(options.personalApiKey)) {
                throw new Error(
                    "You must specify a personalApiKey if you specify a projectApiKey and vice-versa!",
                );
            }
            // Without keys of its own a plugin speaks for the project it runs in, as far as that has keys.
            const own = options.projectApiKey ? options : (engine.apiKeys?.() ?? {});
            const team = own === options ? undefined : own.teamId;
            const url = new URL(path.replace("@current", text(team ?? "@current")), host);
            if (own.projectApiKey) url.searchParams.set("token", own.projectApiKey);
            const request = { method, headers: { ...headers } };
            if (own.personalApiKey) request.headers.Authorization = `Bearer ${own.personalApiKey}`;
            if (method === "GET") {
                for (const [name, value] of Object.entries(data)) {
                    const shown = typeof value === "object" ? engine.stringify(value) : text(value);
                    url.searchParams.set(name, shown);
                }
            } else if (method !== "DELETE") {
                request.body = engine.stringify(data);
                if (method !== "PUT") request.headers["Content-Type"] ??= "application/json";
            }
            return globalThis.fetch(url.href, request);
        };
    const api = {};
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) api[method.toLowerCase()] = call(method);
    return { api };
}
