// `posthog.api`: the REST interface of the PostHog that events belong to.
(engine, require) => {
    const { text } = engine;
    const call = (method) => async (path, options = {}) => {
        const { data = {}, host = "https://app.posthog.com", headers = {}, projectApiKey, personalApiKey } = options ?? {};
        if (typeof path !== "string" || path === "") throw new TypeError("posthog.api expects a path such as /api/event/");
        if (Boolean(projectApiKey) !== Boolean(personalApiKey)) {
            throw new Error("You must specify a personalApiKey if you specify a projectApiKey and vice-versa!");
        }
        if (!personalApiKey) {
            throw new Error("posthog.api needs both keys here, since a plugin on its own belongs to no PostHog project: pass projectApiKey and personalApiKey");
        }
        const team = engine.team?.() ?? "@current";
        const url = new URL(path.replace("@current", text(team)).replace(/^(?!\/|https?:)/, "/"), host);
        url.searchParams.set("token", projectApiKey);
        const request = { method, headers: { Authorization: `Bearer ${personalApiKey}`, ...headers } };
        if (method === "GET") {
            for (const [name, value] of Object.entries(data)) url.searchParams.set(name, typeof value === "object" ? engine.stringify(value) : text(value));
        } else if (method !== "DELETE") {
            request.body = engine.stringify(data);
            // The platform sent no JSON content type with PUT; what works there works with it, too.
            if (!Object.keys(headers).some((name) => name.toLowerCase() === "content-type")) request.headers["Content-Type"] = "application/json";
        }
        return globalThis.fetch(url.href, request);
    };
    return { api: { get: call("GET"), post: call("POST"), put: call("PUT"), patch: call("PATCH"), delete: call("DELETE") } };
}
