// `@google-cloud/pubsub`: publishing. The real client speaks gRPC; this one speaks the REST interface of the
// same service, and words its errors as gRPC does, since plugins look for `NOT_FOUND` in the message.
//
// Messages published within a few milliseconds of each other travel together, as with the real client.
(require, module, exports) => {
    const { GoogleClient, existence, settle } = require("./google_client");

    const scopes = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/pubsub"];
    const grpcCodes = {
        CANCELLED: 1,
        UNKNOWN: 2,
        INVALID_ARGUMENT: 3,
        DEADLINE_EXCEEDED: 4,
        NOT_FOUND: 5,
        ALREADY_EXISTS: 6,
        PERMISSION_DENIED: 7,
        RESOURCE_EXHAUSTED: 8,
        FAILED_PRECONDITION: 9,
        ABORTED: 10,
        OUT_OF_RANGE: 11,
        UNIMPLEMENTED: 12,
        INTERNAL: 13,
        UNAVAILABLE: 14,
        DATA_LOSS: 15,
        UNAUTHENTICATED: 16,
    };
    const byHttpStatus = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ALREADY_EXISTS",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    };
    const last = (values) => (typeof values[values.length - 1] === "function" ? values.pop() : undefined);

    const asGrpc = (error) => {
        if (typeof error.code !== "number" || error.response === undefined) return error;
        const status = error.status ?? byHttpStatus[error.code] ?? "UNKNOWN";
        const code = grpcCodes[status] ?? grpcCodes.UNKNOWN;
        const details = error.message;
        return Object.assign(new Error(`${code} ${status}: ${details}`), {
            code,
            details,
            status,
            errors: error.errors,
        });
    };

    const checkedMessage = ({ data, json, attributes, orderingKey }) => {
        const bytes = json === undefined ? data : Buffer.from(JSON.stringify(json));
        if (bytes !== undefined && !ArrayBuffer.isView(bytes))
            throw new TypeError("Data must be in the form of a Buffer or Uint8Array.");
        for (const [name, value] of Object.entries(attributes ?? {})) {
            if (typeof value !== "string") {
                throw new TypeError(
                    `All attributes must be in the form of a string.\n\nInvalid value of type "${typeof value}" provided for "${name}".`,
                );
            }
        }
        return {
            ...(bytes && { data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") }),
            ...(attributes && { attributes }),
            ...(orderingKey && { orderingKey }),
        };
    };

    class Topic {
        constructor(pubsub, name, { batching = {} } = {}) {
            this.pubsub = pubsub;
            this.name = name.includes("/") ? name : `projects/${pubsub.projectId}/topics/${name}`;
            this.limits = { maxMessages: 100, maxMilliseconds: 10, maxBytes: 1024 * 1024, ...batching };
            this.waiting = [];
            this.waitingBytes = 0;
            this.scheduled = false;
        }
        call(method, suffix = "", json) {
            return this.pubsub.call({ method, path: `/v1/${this.name}${suffix}`, json });
        }
        async read() {
            this.metadata = await this.call("GET");
            return this.metadata;
        }
        getMetadata(...rest) {
            return settle(
                this.read().then((metadata) => [metadata]),
                last(rest),
            );
        }
        async make() {
            this.metadata = await this.call("PUT", "", {});
            return [this, this.metadata];
        }
        create(...rest) {
            return settle(this.make(), last(rest));
        }
        get(...rest) {
            const callback = last(rest);
            const run = async () => {
                try {
                    return [this, await this.read()];
                } catch (error) {
                    if (error.code !== grpcCodes.NOT_FOUND || !rest[0]?.autoCreate) throw error;
                    return this.make();
                }
            };
            return settle(run(), callback);
        }
        exists(...rest) {
            return settle(existence(this.read(), grpcCodes.NOT_FOUND), last(rest));
        }
        delete(...rest) {
            return settle(
                this.call("DELETE").then((answer) => [answer]),
                last(rest),
            );
        }
        setPublishOptions({ batching } = {}) {
            Object.assign(this.limits, batching);
        }
        publishMessage(message, callback) {
            const sent = checkedMessage(message);
            const promise = new Promise((resolve, reject) => {
                this.waiting.push({ message: sent, resolve, reject });
            });
            this.waitingBytes += sent.data?.length ?? 0;
            if (this.waiting.length >= this.limits.maxMessages || this.waitingBytes >= this.limits.maxBytes)
                this.send();
            else this.schedule();
            if (typeof callback !== "function") return promise;
            promise.then(
                (id) => callback(null, id),
                (error) => callback(error),
            );
            return undefined;
        }
        schedule() {
            if (this.scheduled) return;
            this.scheduled = true;
            setTimeout(() => this.send(), this.limits.maxMilliseconds);
        }
        send() {
            this.scheduled = false;
            const batch = this.waiting;
            this.waiting = [];
            this.waitingBytes = 0;
            if (batch.length === 0) return Promise.resolve();
            const messages = batch.map(({ message }) => message);
            return this.call("POST", ":publish", { messages }).then(
                ({ messageIds }) => batch.forEach(({ resolve }, index) => resolve(messageIds[index])),
                (error) => batch.forEach(({ reject }) => reject(error)),
            );
        }
        publish(data, ...rest) {
            const callback = last(rest);
            return this.publishMessage({ data, attributes: rest[0] }, callback);
        }
        publishJSON(json, ...rest) {
            const callback = last(rest);
            if (typeof json !== "object" || json === null) throw new Error("First parameter should be an object.");
            return this.publishMessage({ json, attributes: rest[0] }, callback);
        }
        flush(...rest) {
            return settle(
                this.send().then(() => []),
                last(rest),
            );
        }
        subscription() {
            this.pubsub.refuseSubscriptions();
        }
    }

    class PubSub {
        constructor(options = {}) {
            const emulator = options.emulatorMode ? { credentials: undefined } : {};
            this.client = new GoogleClient({ ...options, ...emulator }, { host: "pubsub.googleapis.com", scopes });
            this.projectId = this.client.projectId;
            this.client.project();
        }
        async call(request) {
            try {
                return await this.client.request(request);
            } catch (error) {
                throw asGrpc(error);
            }
        }
        topic(name, options) {
            if (!name) throw new Error("A name must be specified for a topic.");
            return new Topic(this, name, options);
        }
        createTopic(name, ...rest) {
            return settle(this.topic(typeof name === "string" ? name : name.name).make(), last(rest));
        }
        getTopics(...rest) {
            const run = async () => {
                const found = [];
                let pageToken;
                do {
                    const answer = await this.call({
                        path: `/v1/projects/${this.projectId}/topics`,
                        query: { pageToken },
                    });
                    for (const metadata of answer.topics ?? [])
                        found.push(Object.assign(this.topic(metadata.name), { metadata }));
                    pageToken = answer.nextPageToken;
                } while (pageToken);
                return [found];
            };
            return settle(run(), last(rest));
        }
        refuseSubscriptions() {
            throw new Error(
                "Subscriptions of @google-cloud/pubsub are not provided, as they hold a connection open: " +
                    "pull from a scheduled function with fetch, POST .../subscriptions/NAME:pull",
            );
        }
        subscription() {
            this.refuseSubscriptions();
        }
        close(...rest) {
            return settle(Promise.resolve([]), last(rest));
        }
    }
    Object.assign(exports, { PubSub, Topic });
}
