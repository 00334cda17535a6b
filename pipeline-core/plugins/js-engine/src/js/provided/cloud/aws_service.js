// What every AWS client shares: configuration, requests with retries, and errors in the shape plugins read.
//
// A request is built anew for each attempt, since the signature holds the time. It starts when a callback or
// `promise()` asks for it, and not before: `on()` handlers can be set first.
(require, module, exports) => {
    const { signHeaders, sha256 } = require("./aws_signature");
    const { PassThrough } = require("stream");

    const awsError = (code, message, more = {}) => {
        const error = new Error(message ?? "");
        // An answer without a body has no message, and says so with null as the real client does.
        Object.assign(error, { name: code, code, message, time: new Date() }, more);
        return error;
    };

    class Credentials {
        constructor(accessKeyId, secretAccessKey, sessionToken) {
            const given = typeof accessKeyId === "object" && accessKeyId !== null ? accessKeyId : undefined;
            this.accessKeyId = given ? given.accessKeyId : accessKeyId;
            this.secretAccessKey = given ? given.secretAccessKey : secretAccessKey;
            this.sessionToken = given ? given.sessionToken : sessionToken;
        }
        get(callback) {
            callback(null);
        }
        getPromise() {
            return Promise.resolve();
        }
        refresh(callback) {
            callback(null);
        }
        needsRefresh() {
            return false;
        }
    }

    class Endpoint {
        constructor(endpoint, { sslEnabled = true } = {}) {
            if (endpoint instanceof Endpoint) endpoint = endpoint.href;
            if (typeof endpoint !== "string" || endpoint === "") {
                throw awsError("InvalidEndpoint", `Invalid endpoint: ${endpoint}. Give a host name or a URL.`);
            }
            const withScheme = /^https?:/.test(endpoint) ? endpoint : `${sslEnabled ? "https" : "http"}://${endpoint}`;
            let url;
            try {
                url = new URL(withScheme);
            } catch {
                throw awsError("InvalidEndpoint", `Invalid endpoint: ${endpoint}. Give a host name or a URL.`);
            }
            this.protocol = url.protocol;
            this.hostname = url.hostname;
            this.port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
            this.host = url.host;
            this.pathname = url.pathname;
            this.path = url.pathname;
            this.href = url.href;
        }
    }

    const dnsSuffix = (region) => (region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com");

    class Config {
        constructor(options = {}) {
            Object.assign(this, { maxRetries: undefined, sslEnabled: true, computeChecksums: true });
            this.update(options);
        }
        update(options) {
            for (const [name, value] of Object.entries(options)) if (value !== undefined) this[name] = value;
            if (options.accessKeyId || options.secretAccessKey) {
                this.credentials = new Credentials(options);
            }
        }
    }
    const shared = new Config();

    const throttled = new Set([
        "ProvisionedThroughputExceededException",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "SlowDown",
        "TransactionInProgressException",
        "PriorRequestNotComplete",
    ]);
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    // The host refused the call or has no mock for it: asking again cannot help.
    const isFinal = (failure) => failure.retryable === false || /^(no_?mock|refused)$/i.test(failure.code ?? "");

    class AwsResponse {
        constructor(request) {
            Object.assign(this, { request, data: null, error: null, retryCount: 0, httpResponse: {} });
        }
        hasNextPage() {
            return this.request.service.nextPage(this) !== undefined;
        }
        nextPage(callback) {
            const params = this.request.service.nextPage(this);
            if (params === undefined) return null;
            const next = this.request.service.makeRequest(this.request.operation, params);
            if (callback) next.send(callback);
            return next;
        }
    }

    class AwsRequest {
        constructor(service, operation, params) {
            Object.assign(this, { service, operation, params, response: new AwsResponse(this) });
            this.handlers = new Map();
            this.outcome = undefined;
        }
        on(event, handler) {
            this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler]);
            return this;
        }
        fire(event, ...values) {
            for (const handler of this.handlers.get(event) ?? []) handler.apply(this, values);
        }
        abort() {
            this.aborted = true;
            return this;
        }
        send(callback) {
            const done = () => callback?.call(this.response, this.response.error, this.response.data);
            this.run().then(done);
            return this;
        }
        promise() {
            return this.run().then(() => {
                if (this.response.error) throw this.response.error;
                Object.defineProperty(this.response.data ?? {}, "$response", {
                    value: this.response,
                    configurable: true,
                });
                return this.response.data;
            });
        }
        // The pages of a listing, one at a time, until the callback returns false.
        async eachPage(callback) {
            let request = this;
            for (;;) {
                await request.run();
                const { error, data } = request.response;
                if (callback.call(request.response, error, data) === false || error) return;
                request = request.response.nextPage();
                if (request === null) return void callback.call(this.response, null, null);
            }
        }
        createReadStream() {
            const stream = new PassThrough();
            this.run().then(() => {
                const { error, data } = this.response;
                if (error) stream.destroy(error);
                else stream.end(data?.Body ?? data?.Payload ?? "");
            });
            return stream;
        }
        run() {
            this.outcome ??= this.attempts()
                .then(
                    (data) => {
                        this.response.data = data;
                        this.fire("success", this.response);
                    },
                    (error) => {
                        this.response.error = error;
                        this.fire("error", error, this.response);
                    },
                )
                .then(() => this.fire("complete", this.response));
            return this.outcome;
        }
        async attempts() {
            const { service, response } = this;
            const limit = service.config.maxRetries ?? service.defaultRetries;
            for (;;) {
                try {
                    if (this.aborted)
                        throw awsError("RequestAbortedError", "Request aborted by user", { retryable: false });
                    return await service.exchange(this);
                } catch (error) {
                    if (!error.retryable || response.retryCount >= limit) throw error;
                    const { customBackoff, base = service.retryBaseMs } = service.config.retryDelayOptions ?? {};
                    const delayMs = customBackoff
                        ? customBackoff(response.retryCount, error)
                        : Math.random() * 2 ** response.retryCount * base;
                    response.retryCount += 1;
                    await pause(delayMs);
                }
            }
        }
    }

    class Service {
        defaultRetries = 3;
        retryBaseMs = 100;
        doubleEscape = true;

        constructor(options = {}) {
            this.config = new Config({ ...shared });
            this.config.update(options);
            this.validate();
            const { region, endpoint, sslEnabled } = this.config;
            if (endpoint || region) {
                const host = endpoint || this.hostOf(region);
                this.endpoint = new Endpoint(host, { sslEnabled });
            }
        }
        validate() {}
        hostOf(region) {
            return `${this.constructor.endpointPrefix}.${region}.${dnsSuffix(region)}`;
        }
        makeRequest(operation, params, callback) {
            if (typeof params === "function") [params, callback] = [undefined, params];
            const request = new AwsRequest(this, operation, { ...this.config.params, ...params });
            if (callback) request.send(callback);
            return request;
        }
        async credentials() {
            let { credentials } = this.config;
            if (typeof credentials === "function") credentials = await credentials();
            await credentials?.getPromise?.();
            if (!credentials?.accessKeyId || !credentials.secretAccessKey) {
                throw awsError(
                    "CredentialsError",
                    "Missing credentials in config: give `accessKeyId` and `secretAccessKey` to the client, " +
                        "as a sandbox has no profile, environment or instance role to take them from",
                );
            }
            return credentials;
        }
        required(operation, params, names) {
            const missing = names.filter((name) => params[name] === undefined || params[name] === null);
            if (missing.length === 0) return;
            const lines = missing.map((name) => `Missing required key '${name}' in params`);
            throw lines.length === 1
                ? awsError("MissingRequiredParameter", lines[0])
                : awsError(
                      "MultipleValidationErrors",
                      `There were ${lines.length} validation errors:\n` +
                          lines.map((line) => `* MissingRequiredParameter: ${line}`).join("\n"),
                  );
        }
        // One attempt: build, sign, send, read.
        async exchange(request) {
            const { region } = this.config;
            if (!region) {
                throw awsError(
                    "ConfigError",
                    'Missing region in config: give `region` to the client, such as "eu-west-1"',
                );
            }
            const http = await this.build(request.operation, request.params);
            http.headers.Host = http.endpoint.host;
            http.payloadHash ??= sha256(http.body ?? "");
            http.headers["X-Amz-Content-Sha256"] = http.payloadHash;
            const credentials = await this.credentials();
            signHeaders(
                {
                    ...http,
                    region,
                    service: this.constructor.signingName,
                    credentials,
                    doubleEscape: this.doubleEscape,
                },
                new Date(),
            );
            const { Host, ...headers } = http.headers;
            request.httpRequest = http;
            request.fire("send", request.response);
            const url = `${http.endpoint.protocol}//${http.endpoint.host}${http.path}${http.search}`;
            let answer;
            try {
                const response = await fetch(url, {
                    method: http.method,
                    headers,
                    body: http.body,
                    redirect: "manual",
                });
                answer = {
                    statusCode: response.status,
                    headers: Object.fromEntries(
                        [...response.headers.entries()].map(([name, value]) => [name.toLowerCase(), value]),
                    ),
                    body: Buffer.from(await response.arrayBuffer()),
                };
            } catch (failure) {
                throw awsError("NetworkingError", failure.message, {
                    retryable: !isFinal(failure),
                    hostname: http.endpoint.hostname,
                    region,
                    originalError: failure,
                });
            }
            request.response.httpResponse = answer;
            request.response.requestId = this.requestId(answer);
            if (answer.statusCode >= 300) throw this.failure(request, answer);
            return this.data(request, answer);
        }
        requestId(answer) {
            return answer.headers["x-amzn-requestid"] ?? answer.headers["x-amz-request-id"];
        }
        failure(request, answer) {
            const { code, message, ...more } = this.readError(answer, request);
            const { statusCode } = answer;
            const retryable =
                statusCode >= 500 ||
                statusCode === 429 ||
                throttled.has(code) ||
                code === "RequestTimeout" ||
                code === "RequestTimeTooSkewed";
            const requestId = this.requestId(answer);
            return awsError(code, message, { statusCode, retryable, requestId, region: undefined, ...more });
        }
        nextPage() {
            return undefined;
        }
    }

    // One method for each operation, with the parameters and the callback both optional.
    const defineOperations = (service, names) => {
        for (const name of names) {
            service.prototype[name] = function (params, callback) {
                return this.makeRequest(name, params, callback);
            };
        }
    };

    Object.assign(exports, {
        awsError,
        AwsRequest,
        Config,
        Credentials,
        Endpoint,
        Service,
        shared,
        defineOperations,
        dnsSuffix,
    });
}
