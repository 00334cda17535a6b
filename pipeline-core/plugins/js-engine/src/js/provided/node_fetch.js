// `node-fetch`, version 2.
(engine, require) => {
    const { Request, Response, FetchError, AbortError, Headers } = require("internal/fetch");
    const { Blob, FormData } = require("internal/bodies");
    // Through the global, so that a test that replaces it is heard.
    const fetch = (...values) => globalThis.fetch(...values);
    Object.assign(fetch, {
        default: fetch,
        Headers,
        Request,
        Response,
        FetchError,
        AbortError,
        Blob,
        FormData,
        isRedirect: (code) => [301, 302, 303, 307, 308].includes(code),
        Promise,
    });
    return Object.defineProperty(fetch, "__esModule", { value: true });
}
