// `fetch`, `Request` and `Response` with the behaviour of node-fetch 2, over `engine.request`.
(engine, require) => {
    const { text } = engine;
    const { Headers, Body, FetchError, bodyOf, collected, pairsOf, partsOf } = require("internal/bodies");
    const redirects = [301, 302, 303, 307, 308];
    const phrases = {
        200: "OK",
        201: "Created",
        202: "Accepted",
        204: "No Content",
        206: "Partial Content",
        301: "Moved Permanently",
        302: "Found",
        303: "See Other",
        304: "Not Modified",
        307: "Temporary Redirect",
        308: "Permanent Redirect",
        400: "Bad Request",
        401: "Unauthorized",
        402: "Payment Required",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        408: "Request Timeout",
        409: "Conflict",
        410: "Gone",
        413: "Payload Too Large",
        415: "Unsupported Media Type",
        422: "Unprocessable Entity",
        429: "Too Many Requests",
        500: "Internal Server Error",
        501: "Not Implemented",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Timeout",
    };

    class AbortError extends Error {
        constructor(message) {
            super(message);
            this.name = "AbortError";
            this.type = "aborted";
        }
    }
    class Request extends Body {
        #parts;
        constructor(input, init = {}) {
            const given = input instanceof Request ? input : undefined;
            const method = text(init.method ?? given?.method ?? "GET").toUpperCase();
            const body =
                init.body !== undefined && init.body !== null
                    ? bodyOf(init.body)
                    : given
                      ? { ...partsOf(given), type: null }
                      : bodyOf(null);
            const empty = (body.bytes === null || body.bytes === undefined) && body.stream === undefined;
            if (!empty && (method === "GET" || method === "HEAD"))
                throw new TypeError("Request with GET/HEAD method cannot have body");
            super(body.bytes, body.stream);
            const headers = new Headers(init.headers ?? given?.headers);
            if (body.type && !headers.has("content-type")) headers.append("content-type", body.type);
            const signal = init.signal === undefined ? (given?.signal ?? null) : init.signal;
            if (signal !== null && typeof signal?.addEventListener !== "function")
                throw new TypeError("Expected signal to be an instanceof AbortSignal");
            let url = text(given?.url ?? input?.href ?? input);
            try {
                url = new URL(url).href;
            } catch {}
            this.#parts = {
                method,
                url,
                headers,
                signal,
                redirect: init.redirect ?? given?.redirect ?? "follow",
            };
            for (const name of ["timeout", "follow", "size", "compress"])
                this[name] =
                    init[name] ?? given?.[name] ?? { timeout: 0, follow: 20, size: 0, compress: true }[name];
        }
        clone() {
            return new Request(this);
        }
        get [Symbol.toStringTag]() {
            return "Request";
        }
        static {
            for (const name of ["method", "url", "headers", "signal", "redirect"]) {
                Object.defineProperty(Request.prototype, name, {
                    enumerable: true,
                    configurable: true,
                    get() {
                        return this.#parts[name];
                    },
                });
            }
        }
    }

    class Response extends Body {
        #parts;
        constructor(body, init = {}) {
            const { bytes, stream, type } = bodyOf(body);
            super(bytes, stream);
            const headers = new Headers(init.headers);
            if (type && !headers.has("content-type")) headers.append("content-type", type);
            const { status = 200, url = "", redirected = false } = init;
            const statusText = init.statusText || (phrases[status] ?? "");
            this.#parts = { status, statusText, url, redirected, headers, type: "default" };
        }
        get ok() {
            return this.status >= 200 && this.status < 300;
        }
        get size() {
            return 0;
        }
        get timeout() {
            return 0;
        }
        clone() {
            const { bytes, stream } = partsOf(this);
            if (stream !== undefined && !bytes)
                throw new TypeError("cannot clone a response whose body is a stream");
            const { status, statusText, url, redirected, headers } = this;
            return new Response(bytes, { status, statusText, url, redirected, headers });
        }
        get [Symbol.toStringTag]() {
            return "Response";
        }
        static json(value, init = {}) {
            const headers = new Headers(init.headers);
            if (!headers.has("content-type")) headers.set("content-type", "application/json");
            return new Response(engine.stringify(value), { ...init, headers });
        }
        static redirect(url, status = 302) {
            if (!redirects.includes(status))
                throw new RangeError(`Failed to create redirect: ${status} is not a redirect status code`);
            return new Response(null, { status, headers: { location: new URL(url).href } });
        }
        static error() {
            return new Response(null, { status: 0 });
        }
        static {
            for (const name of ["status", "statusText", "url", "redirected", "headers", "type"]) {
                Object.defineProperty(Response.prototype, name, {
                    enumerable: true,
                    configurable: true,
                    get() {
                        return this.#parts[name];
                    },
                });
            }
        }
    }

    const send = async (request) => {
        if (!URL.canParse(request.url)) throw new TypeError("Only absolute URLs are supported");
        if (!/^https?:/.test(request.url)) throw new TypeError("Only HTTP(S) protocols are supported");
        if (typeof engine.request !== "function") {
            throw new FetchError(
                `request to ${request.url} failed, reason: fetch is not available yet`,
                "system",
            );
        }
        const { bytes, stream } = partsOf(request);
        const body = bytes ?? (stream === undefined ? undefined : await collected(stream)) ?? undefined;
        const headers = new Headers(request.headers);
        if (!headers.has("accept")) headers.set("accept", "*/*");
        if (!headers.has("user-agent"))
            headers.set("user-agent", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)");
        let answer;
        try {
            answer = await engine.request({
                method: request.method,
                url: request.url,
                headers: pairsOf(headers),
                body,
                redirect: request.redirect === "follow" ? "follow" : "manual",
            });
        } catch (error) {
            throw new FetchError(
                `request to ${request.url} failed, reason: ${error?.message ?? error}`,
                "system",
                error,
            );
        }
        if (request.redirect === "error" && redirects.includes(answer.status)) {
            throw new FetchError(
                `uri requested responds with a redirect, redirect mode is set to error: ${request.url}`,
                "no-redirect",
            );
        }
        const received = new Headers(answer.headers);
        if (request.redirect === "manual" && redirects.includes(answer.status) && received.has("location")) {
            const location = received.get("location");
            if (URL.canParse(location, request.url))
                received.set("location", new URL(location, request.url).href);
        }
        const whole = answer.body === undefined || answer.body === null ? new Uint8Array(0) : answer.body;
        return new Response(engine.bytes.wrap(whole), {
            status: answer.status,
            statusText: answer.statusText,
            url: answer.url ?? request.url,
            redirected: Boolean(answer.redirected),
            headers: received,
        });
    };
    const fetch = (input, init) =>
        new Promise((resolve, reject) => {
            const request = new Request(input, init);
            const { signal, timeout } = request;
            const aborted = () => reject(new AbortError("The user aborted a request."));
            if (signal?.aborted) return aborted();
            signal?.addEventListener("abort", aborted, { once: true });
            let timer;
            if (timeout > 0)
                timer = setTimeout(
                    () => reject(new FetchError(`network timeout at: ${request.url}`, "request-timeout")),
                    timeout,
                );
            const settled = (settle) => (value) => {
                if (timer !== undefined) clearTimeout(timer);
                signal?.removeEventListener("abort", aborted);
                settle(value);
            };
            send(request).then(settled(resolve), settled(reject));
        });
    return { fetch, Request, Response, FetchError, AbortError, Headers };
}
