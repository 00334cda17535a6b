// What every Google Cloud client shares: the access token of a service account, requests with retries, and
// errors in the shape plugins read.
//
// A token is asked for when the first request needs it and kept until a minute before it expires; requests that
// start meanwhile wait for the same one.
(require, module, exports) => {
    const { createSign } = require("crypto");

    const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const defaultTokenUri = "https://oauth2.googleapis.com/token";
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const base64url = (value) => Buffer.from(value).toString("base64url");

    const messageOf = (message, errors = []) => {
        const all = [...new Set([message, ...errors.map((error) => error.message)].filter(Boolean))];
        if (all.length === 0) return "A failure occurred during this request.";
        if (all.length === 1) return all[0];
        const lines = all.map((one, index) => `    ${index + 1}. ${one}`);
        return [
            "Multiple errors occurred during the request. Please see the `errors` array for complete details.\n",
            ...lines,
            "\n",
        ].join("\n");
    };

    class ApiError extends Error {
        constructor({ code, message, errors, response }) {
            super(messageOf(message, errors));
            Object.assign(this, { code, errors, response });
        }
    }
    class PartialFailureError extends Error {
        constructor({ errors, response, message }) {
            super(message);
            Object.assign(this, { name: "PartialFailureError", errors, response });
        }
    }

    class ServiceAccount {
        constructor(credentials, scopes) {
            Object.assign(this, { credentials, scopes, expiresAtMs: 0, asking: undefined });
        }
        token() {
            if (this.current !== undefined && Date.now() < this.expiresAtMs - 60000) return this.current;
            this.asking ??= this.ask().finally(() => {
                this.asking = undefined;
            });
            return this.asking;
        }
        forget() {
            this.current = undefined;
        }
        assertion(tokenUri) {
            const { client_email: iss, private_key: key } = this.credentials;
            const nowSeconds = Math.floor(Date.now() / 1000);
            const claims = {
                iss,
                scope: this.scopes.join(" "),
                aud: tokenUri,
                exp: nowSeconds + 3600,
                iat: nowSeconds,
            };
            const unsigned = `${base64url('{"alg":"RS256"}')}.${base64url(JSON.stringify(claims))}`;
            let signature;
            try {
                signature = createSign("RSA-SHA256").update(unsigned).sign(key, "base64");
            } catch (error) {
                throw new Error(
                    `The service account's private_key cannot sign: ${error.message}. ` +
                        "Use the key file as Google gives it, with its line breaks.",
                );
            }
            return `${unsigned}.${signature.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
        }
        async ask() {
            const tokenUri = this.credentials.token_uri ?? defaultTokenUri;
            const body = `grant_type=${encodeURIComponent(grant)}&assertion=${this.assertion(tokenUri)}`;
            const headers = { "Content-Type": "application/x-www-form-urlencoded" };
            const response = await fetch(tokenUri, { method: "POST", headers, body });
            const text = await response.text();
            let answer = {};
            try {
                answer = JSON.parse(text);
            } catch {
                // Said below, with the status.
            }
            if (!response.ok || !answer.access_token) {
                const why = answer.error_description ?? answer.error ?? text.slice(0, 200);
                throw Object.assign(
                    new Error(
                        answer.error
                            ? `${answer.error}: ${why}`
                            : `${tokenUri} answered with status ${response.status} and no token: ${why}`,
                    ),
                    { code: String(response.status), response: { status: response.status, data: answer } },
                );
            }
            this.current = answer.access_token;
            this.expiresAtMs = Date.now() + (answer.expires_in ?? 3600) * 1000;
            return this.current;
        }
    }

    const isPassing = ({ code, errors = [] }) =>
        [408, 429, 500, 502, 503, 504].includes(code) ||
        errors.some(({ reason }) => reason === "rateLimitExceeded" || reason === "userRateLimitExceeded");

    class GoogleClient {
        constructor(options, { host, scopes }) {
            const {
                projectId,
                credentials,
                keyFilename,
                keyFile,
                apiEndpoint,
                autoRetry = true,
                maxRetries = 3,
            } = options;
            if (keyFilename || keyFile) {
                throw new Error(
                    "keyFilename cannot be read, as a sandbox has no files: give the parsed key file as `credentials`",
                );
            }
            const given = apiEndpoint ?? host;
            // Emulators are given as host and port, and speak without TLS.
            const scheme = options.emulatorMode || /^(localhost|127\.)/.test(given) ? "http" : "https";
            this.baseUrl = (/^https?:\/\//.test(given) ? given : `${scheme}://${given}`).replace(/\/+$/, "");
            this.isEmulator = apiEndpoint !== undefined && credentials === undefined;
            this.projectId = projectId ?? credentials?.project_id;
            this.retries = autoRetry ? (options.retryOptions?.maxRetries ?? maxRetries) : 0;
            this.account = credentials && new ServiceAccount(credentials, scopes);
        }
        project() {
            if (!this.projectId) {
                throw new Error(
                    "Unable to detect a Project Id in the current environment: give `projectId`, or credentials with `project_id`",
                );
            }
            return this.projectId;
        }
        async authorization() {
            if (this.account) return { Authorization: `Bearer ${await this.account.token()}` };
            if (this.isEmulator) return {};
            throw new Error(
                "Could not load the default credentials: give the parsed key file as `credentials`, " +
                    "or `apiEndpoint` alone to talk to an emulator",
            );
        }
        // One request, tried again while the trouble may pass. `json` is sent as such; `body` needs `headers`.
        async request({
            method = "GET",
            path,
            query = {},
            json,
            body,
            headers = {},
            raw = false,
            retries = this.retries,
        }) {
            const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
            const search = pairs
                .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
                .join("&");
            const url = `${this.baseUrl}${path}${search && `?${search}`}`;
            const sent = json === undefined ? body : JSON.stringify(json);
            const kind = json === undefined ? {} : { "Content-Type": "application/json" };
            for (let attempt = 0; ; attempt += 1) {
                const authorization = await this.authorization();
                const response = await fetch(url, {
                    method,
                    headers: { ...authorization, ...kind, ...headers },
                    body: sent,
                });
                if (response.ok) {
                    if (raw) return response;
                    const text = await response.text();
                    return text === "" ? {} : JSON.parse(text);
                }
                const error = await this.failure(response);
                if (response.status === 401) this.account?.forget();
                if (!isPassing(error) || attempt >= retries) throw error;
                await pause(2 ** attempt * 1000 + Math.floor(Math.random() * 1000));
            }
        }
        async failure(response) {
            const text = await response.text();
            let error;
            try {
                ({ error } = JSON.parse(text));
            } catch {
                // Not JSON: the text is the message.
            }
            const code = response.status;
            const shown = { statusCode: code, body: text };
            if (typeof error !== "object" || error === null) {
                const errors = text === "" ? [] : [{ message: text }];
                return Object.assign(new ApiError({ code, message: response.statusText, errors, response: shown }), {
                    errors: [],
                });
            }
            const { message, errors } = error;
            return Object.assign(new ApiError({ code, message, errors, response: shown }), { status: error.status });
        }
    }

    // The clients take a callback or give a promise of a list.
    exports.settle = (promise, callback) => {
        if (typeof callback !== "function") return promise;
        promise.then(
            (values) => callback(null, ...values),
            (error) => callback(error),
        );
        return undefined;
    };
    // What reading a thing says about its being there, as the clients' `exists` tells it.
    exports.existence = (reading, missing = 404) =>
        reading.then(
            () => [true],
            (error) => {
                if (error.code === missing) return [false];
                throw error;
            },
        );

    Object.assign(exports, { ApiError, PartialFailureError, GoogleClient, ServiceAccount });
}
