// `@google-cloud/storage`: objects in buckets. An object is sent in one request, whatever `resumable` says:
// a sandbox holds the whole body anyway.
(require, module, exports) => {
    const { createHash, randomUUID } = require("crypto");
    const { PassThrough, Writable } = require("stream");
    const { gzipSync } = require("zlib");
    const { ApiError, GoogleClient, existence, settle } = require("./google_client");
    const { collect } = require("./body");

    const scopes = [
        "https://www.googleapis.com/auth/iam",
        "https://www.googleapis.com/auth/cloud-platform",
        "https://www.googleapis.com/auth/devstorage.full_control",
    ];
    const contentTypes = {
        avro: "application/avro",
        csv: "text/csv",
        gz: "application/gzip",
        html: "text/html",
        json: "application/json",
        ndjson: "application/x-ndjson",
        pdf: "application/pdf",
        png: "image/png",
        jpg: "image/jpeg",
        txt: "text/plain",
        tsv: "text/tab-separated-values",
        xml: "application/xml",
        zip: "application/zip",
    };
    const last = (values) => (typeof values[values.length - 1] === "function" ? values.pop() : undefined);
    const noFiles = (what, instead) => {
        throw new Error(`${what} reads the file system, which a sandbox has not got: ${instead}`);
    };

    // A bucket or an object: what can be looked up, changed and removed.
    class Resource {
        getMetadata(...rest) {
            return settle(
                this.read().then((metadata) => [metadata, metadata]),
                last(rest),
            );
        }
        async read() {
            this.metadata = await this.client.request({ path: this.path() });
            return this.metadata;
        }
        get(...rest) {
            return settle(
                this.read().then((metadata) => [this, metadata]),
                last(rest),
            );
        }
        exists(...rest) {
            return settle(existence(this.read()), last(rest));
        }
        setMetadata(metadata, ...rest) {
            const run = async () => {
                this.metadata = await this.client.request({ method: "PATCH", path: this.path(), json: metadata });
                return [this.metadata];
            };
            return settle(run(), last(rest));
        }
        delete(...rest) {
            const callback = last(rest);
            const [{ ignoreNotFound, ...query } = {}] = rest;
            const run = this.client.request({ method: "DELETE", path: this.path(), query }).catch((error) => {
                if (!ignoreNotFound || error.code !== 404) throw error;
                return {};
            });
            return settle(
                run.then((answer) => [answer]),
                callback,
            );
        }
    }

    class File extends Resource {
        constructor(bucket, name) {
            super();
            Object.assign(this, { bucket, name, storage: bucket.storage, client: bucket.client, metadata: {} });
        }
        get id() {
            return encodeURIComponent(this.name);
        }
        path() {
            return `${this.bucket.path()}/o/${encodeURIComponent(this.name)}`;
        }
        publicUrl() {
            return `https://storage.googleapis.com/${this.bucket.name}/${encodeURIComponent(this.name)}`;
        }
        createWriteStream(options = {}) {
            const chunks = [];
            return new Writable({
                write: (chunk, encoding, done) => {
                    chunks.push(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
                    done();
                },
                final: (done) => {
                    this.send(Buffer.concat(chunks), options).then(() => done(), done);
                },
            });
        }
        save(data, ...rest) {
            const callback = last(rest);
            const run = async () => {
                await this.send(await collect(data, "data"), rest[0] ?? {}, this.client.retries);
                return [];
            };
            return settle(
                run().then((values) => (callback ? values : undefined)),
                callback,
            );
        }
        // A stream cannot be read twice by the real client, so only `save` may try again.
        async send(body, options, retries = 0) {
            const metadata = { ...options.metadata, name: this.name };
            const extension = /\.([^./]+)$/.exec(this.name)?.[1].toLowerCase();
            const type = options.contentType ?? metadata.contentType ?? contentTypes[extension];
            if (type) metadata.contentType = type;
            const gzip = options.gzip === "auto" ? /^text\/|json|xml|javascript/.test(type ?? "") : options.gzip;
            if (gzip) metadata.contentEncoding = "gzip";
            const bytes = gzip ? gzipSync(body) : body;
            const boundary = randomUUID();
            const part = (kind, content) => [`--${boundary}\r\nContent-Type: ${kind}\r\n\r\n`, content, "\r\n"];
            const { name, ...described } = metadata;
            const pieces = [
                ...part("application/json", JSON.stringify(described)),
                ...part(type ?? "application/octet-stream", bytes),
                `--${boundary}--`,
            ];
            const access = options.public ? "publicRead" : options.private ? "private" : options.predefinedAcl;
            const query = { uploadType: "multipart", name, predefinedAcl: access };
            const { generation } = options.preconditionOpts ?? {};
            if (generation !== undefined) query.ifGenerationMatch = generation;
            this.metadata = await this.client.request({
                method: "POST",
                path: `/upload${this.bucket.path()}/o`,
                query,
                headers: { "Content-Type": `multipart/related; boundary=${boundary}` },
                body: Buffer.concat(pieces.map((piece) => Buffer.from(piece))),
                retries,
            });
            this.validate(bytes, options.validation);
        }
        validate(bytes, validation) {
            const { md5Hash } = this.metadata;
            if (validation === false || md5Hash === undefined) return;
            if (createHash("md5").update(bytes).digest("base64") !== md5Hash) {
                throw Object.assign(new Error("The uploaded data did not match the data from the server."), {
                    code: "FILE_NO_UPLOAD",
                });
            }
        }
        async content({ start, end } = {}) {
            const range = start === undefined && end === undefined ? {} : { Range: `bytes=${start ?? 0}-${end ?? ""}` };
            const response = await this.client.request({
                path: this.path(),
                query: { alt: "media" },
                headers: range,
                raw: true,
            });
            return Buffer.from(await response.arrayBuffer());
        }
        download(...rest) {
            const callback = last(rest);
            const [options = {}] = rest;
            if (options.destination) noFiles("download with `destination`", "leave it out and take the bytes");
            return settle(
                this.content(options).then((bytes) => [bytes]),
                callback,
            );
        }
        createReadStream(options) {
            const stream = new PassThrough();
            this.content(options).then(
                (bytes) => stream.end(bytes),
                (error) => stream.destroy(error),
            );
            return stream;
        }
        copy(target, ...rest) {
            const to =
                typeof target === "string"
                    ? this.bucket.file(target)
                    : target instanceof Bucket
                      ? target.file(this.name)
                      : target;
            const run = async () => {
                let rewriteToken;
                for (;;) {
                    const path = `${this.path()}/rewriteTo${to.path().replace("/storage/v1", "")}`;
                    const answer = await this.client.request({
                        method: "POST",
                        path,
                        query: { rewriteToken },
                        json: {},
                    });
                    if (answer.done !== false) return [to, answer];
                    ({ rewriteToken } = answer);
                }
            };
            return settle(run(), last(rest));
        }
        move(target, ...rest) {
            const run = async () => {
                const [to, answer] = await this.copy(target);
                await this.delete();
                return [to, answer];
            };
            return settle(run(), last(rest));
        }
    }

    class Bucket extends Resource {
        constructor(storage, name) {
            super();
            Object.assign(this, { storage, name, id: name, client: storage.client, metadata: {} });
        }
        path() {
            return `/storage/v1/b/${encodeURIComponent(this.name)}`;
        }
        file(name) {
            if (!name) throw new Error("A file name must be specified.");
            return new File(this, name);
        }
        create(...rest) {
            const callback = last(rest);
            return settle(this.storage.createBucket(this.name, rest[0]), callback);
        }
        getFiles(...rest) {
            const callback = last(rest);
            const [{ autoPaginate = true, maxApiCalls = Infinity, ...query } = {}] = rest;
            const run = async () => {
                const found = [];
                let { pageToken } = query;
                for (let calls = 0; calls < maxApiCalls; calls += 1) {
                    const answer = await this.client.request({
                        path: `${this.path()}/o`,
                        query: { ...query, pageToken },
                    });
                    for (const metadata of answer.items ?? [])
                        found.push(Object.assign(this.file(metadata.name), { metadata }));
                    pageToken = answer.nextPageToken;
                    if (!pageToken || !autoPaginate) break;
                }
                return [found];
            };
            return settle(run(), callback);
        }
        upload() {
            noFiles("bucket.upload", "use bucket.file(name).save(data)");
        }
    }

    class Storage {
        constructor(options = {}) {
            this.client = new GoogleClient(options, { host: "storage.googleapis.com", scopes });
            this.projectId = this.client.projectId;
        }
        bucket(name) {
            if (!name) throw new Error("A bucket name is needed to use Cloud Storage.");
            return new Bucket(this, name.replace(/^gs:\/\//, "").replace(/\/+$/, ""));
        }
        createBucket(name, ...rest) {
            const callback = last(rest);
            const run = async () => {
                const bucket = this.bucket(name);
                const query = { project: this.client.project() };
                bucket.metadata = await this.client.request({
                    method: "POST",
                    path: "/storage/v1/b",
                    query,
                    json: { ...rest[0], name },
                });
                return [bucket, bucket.metadata];
            };
            return settle(run(), callback);
        }
        getBuckets(...rest) {
            const callback = last(rest);
            const run = async () => {
                const found = [];
                let pageToken;
                do {
                    const query = { ...rest[0], project: this.client.project(), pageToken };
                    const answer = await this.client.request({ path: "/storage/v1/b", query });
                    for (const metadata of answer.items ?? [])
                        found.push(Object.assign(this.bucket(metadata.name), { metadata }));
                    pageToken = answer.nextPageToken;
                } while (pageToken);
                return [found];
            };
            return settle(run(), callback);
        }
    }
    Object.assign(exports, { Storage, Bucket, File, ApiError });
}
