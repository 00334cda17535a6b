// What goes with a request or comes with a response: `Headers`, `Blob`, `FormData`, and bodies as bytes.
(engine, require) => {
    const { host, text } = engine;
    const { Buffer } = require("buffer");

    class Headers {
        #pairs = [];
        constructor(init) {
            if (init === undefined || init === null) return;
            if (typeof init !== "object") throw new TypeError("Provided initializer must be an object");
            if (init instanceof Headers) this.#pairs = init.#pairs.map((pair) => [...pair]);
            else if (typeof init[Symbol.iterator] === "function") {
                for (const pair of init) {
                    const [name, value, ...more] = pair;
                    if (value === undefined || more.length > 0)
                        throw new TypeError("Each header pair must be a name/value tuple");
                    this.append(name, value);
                }
            } else
                for (const [name, value] of Object.entries(init))
                    for (const one of Array.isArray(value) ? value : [value]) this.append(name, one);
        }
        static name(name) {
            const known = text(name).toLowerCase();
            if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(known))
                throw new TypeError(`${name} is not a legal HTTP header name`);
            return known;
        }
        static value(value) {
            const known = text(value);
            if (/[^\t\x20-\x7e\x80-\xff]/.test(known))
                throw new TypeError(`${known} is not a legal HTTP header value`);
            return known;
        }
        get(name) {
            const key = Headers.name(name);
            const values = this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1]);
            return values.length === 0 ? null : values.join(", ");
        }
        getSetCookie() {
            return this.#pairs.filter((pair) => pair[0] === "set-cookie").map((pair) => pair[1]);
        }
        has(name) {
            const key = Headers.name(name);
            return this.#pairs.some((pair) => pair[0] === key);
        }
        set(name, value) {
            const pair = [Headers.name(name), Headers.value(value)];
            const at = this.#pairs.findIndex((held) => held[0] === pair[0]);
            this.#pairs = this.#pairs.filter((held) => held[0] !== pair[0]);
            this.#pairs.splice(at < 0 ? this.#pairs.length : at, 0, pair);
        }
        append(name, value) {
            this.#pairs.push([Headers.name(name), Headers.value(value)]);
        }
        delete(name) {
            const key = Headers.name(name);
            this.#pairs = this.#pairs.filter((pair) => pair[0] !== key);
        }
        raw() {
            const lists = {};
            for (const [name, value] of this.#pairs) (lists[name] ??= []).push(value);
            return lists;
        }
        forEach(callback, self) {
            for (const [name, value] of this) callback.call(self, value, name, this);
        }
        *entries() {
            for (const name of [...new Set(this.#pairs.map((pair) => pair[0]))].sort())
                yield [name, this.get(name)];
        }
        *keys() {
            for (const [name] of this.entries()) yield name;
        }
        *values() {
            for (const [, value] of this.entries()) yield value;
        }
        [Symbol.iterator]() {
            return this.entries();
        }
        get [Symbol.toStringTag]() {
            return "Headers";
        }
        static pairs(headers) {
            return headers.#pairs.map((pair) => [...pair]);
        }
    }

    const memory = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    class Blob {
        #bytes;
        constructor(parts = [], { type = "" } = {}) {
            this.#bytes = Buffer.concat(
                [...parts].map((part) => {
                    if (part instanceof Blob) return part.#bytes;
                    if (part instanceof ArrayBuffer) return Buffer.from(part);
                    if (ArrayBuffer.isView(part))
                        return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
                    return Buffer.from(text(part));
                }),
            );
            this.#type = /[^\x20-\x7e]/.test(type) ? "" : text(type).toLowerCase();
        }
        #type;
        get size() {
            return this.#bytes.length;
        }
        get type() {
            return this.#type;
        }
        slice(start, end, type = "") {
            return new Blob([this.#bytes.slice(start, end)], { type });
        }
        async text() {
            return this.#bytes.toString();
        }
        async arrayBuffer() {
            return memory(this.#bytes);
        }
        async bytes() {
            return new Uint8Array(memory(this.#bytes));
        }
        stream() {
            return require("stream").Readable.from([this.#bytes]);
        }
        get [Symbol.toStringTag]() {
            return "Blob";
        }
        static bytes(blob) {
            return blob.#bytes;
        }
    }
    class File extends Blob {
        #name;
        constructor(parts, name, options = {}) {
            super(parts, options);
            this.#name = text(name);
            this.lastModified = options.lastModified ?? Date.now();
        }
        get name() {
            return this.#name;
        }
        get [Symbol.toStringTag]() {
            return "File";
        }
    }
    const bytesOfBlob = Blob.bytes;
    const pairsOf = Headers.pairs;
    for (const [Type, names] of [
        [Blob, ["bytes"]],
        [Headers, ["pairs"]],
    ])
        for (const name of names) delete Type[name];

    class FormData {
        #pairs = [];
        #entry(name, value, filename) {
            if (!(value instanceof Blob)) return [text(name), text(value)];
            const file =
                filename === undefined && value instanceof File
                    ? value
                    : new File([value], filename ?? value.name ?? "blob", { type: value.type });
            return [text(name), file];
        }
        append(...values) {
            this.#pairs.push(this.#entry(...values));
        }
        set(name, ...values) {
            const pair = this.#entry(name, ...values);
            const at = this.#pairs.findIndex((held) => held[0] === pair[0]);
            this.#pairs = this.#pairs.filter((held) => held[0] !== pair[0]);
            this.#pairs.splice(at < 0 ? this.#pairs.length : at, 0, pair);
        }
        get(name) {
            return this.#pairs.find((pair) => pair[0] === String(name))?.[1] ?? null;
        }
        getAll(name) {
            return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
        }
        has(name) {
            return this.#pairs.some((pair) => pair[0] === String(name));
        }
        delete(name) {
            this.#pairs = this.#pairs.filter((pair) => pair[0] !== String(name));
        }
        forEach(callback, self) {
            for (const [name, value] of this) callback.call(self, value, name, this);
        }
        *entries() {
            for (const [name, value] of this.#pairs) yield [name, value];
        }
        *keys() {
            for (const [name] of this.#pairs) yield name;
        }
        *values() {
            for (const [, value] of this.#pairs) yield value;
        }
        [Symbol.iterator]() {
            return this.entries();
        }
        get [Symbol.toStringTag]() {
            return "FormData";
        }
    }
    const multipart = (form) => {
        const boundary = `----formdata-${host.bytesToText(host.randomBytes(12), "hex")}`;
        const escape = (name) => name.replace(/\r?\n|\r/g, "%0D%0A").replaceAll('"', "%22");
        const parts = [];
        for (const [name, value] of form) {
            let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`;
            if (value instanceof Blob)
                head += `; filename="${escape(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}`;
            parts.push(
                Buffer.from(`${head}\r\n\r\n`),
                value instanceof Blob ? bytesOfBlob(value) : Buffer.from(value.replace(/\r?\n|\r/g, "\r\n")),
                Buffer.from("\r\n"),
            );
        }
        parts.push(Buffer.from(`--${boundary}--\r\n`));
        return { bytes: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
    };

    // The bytes of anything that may be a body, or a promise of them for streams, and the content type
    // it brings along.
    const bodyOf = (body) => {
        if (body === undefined || body === null) return { bytes: null, type: null };
        if (body instanceof URLSearchParams)
            return {
                bytes: Buffer.from(String(body)),
                type: "application/x-www-form-urlencoded;charset=UTF-8",
            };
        if (body instanceof Blob) return { bytes: bytesOfBlob(body), type: body.type || null };
        if (body instanceof FormData) return multipart(body);
        if (body instanceof ArrayBuffer) return { bytes: Buffer.from(body), type: null };
        if (ArrayBuffer.isView(body))
            return { bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength), type: null };
        if (typeof body === "object" && typeof body[Symbol.asyncIterator] === "function") {
            const type =
                typeof body.getBoundary === "function"
                    ? `multipart/form-data;boundary=${body.getBoundary()}`
                    : null;
            return { stream: body, type };
        }
        return { bytes: Buffer.from(text(body)), type: "text/plain;charset=UTF-8" };
    };
    const collected = async (stream) => {
        const chunks = [];
        for await (const chunk of stream) chunks.push(Buffer.from(chunk));
        return Buffer.concat(chunks);
    };

    class Body {
        #bytes;
        #stream;
        #used = false;
        constructor(bytes, stream) {
            this.#bytes = bytes;
            this.#stream = stream;
        }
        get body() {
            if (this.#bytes === null && this.#stream === undefined) return null;
            this.#stream ??= require("stream").Readable.from([this.#bytes], { objectMode: false });
            return this.#stream;
        }
        get bodyUsed() {
            return this.#used;
        }
        async #take() {
            if (this.#used) throw new TypeError(`body used already for: ${this.url}`);
            this.#used = true;
            if (this.#bytes === undefined || this.#bytes === null)
                this.#bytes = this.#stream === undefined ? Buffer.alloc(0) : await collected(this.#stream);
            return this.#bytes;
        }
        async text() {
            const whole = await this.#take();
            return new TextDecoder().decode(whole);
        }
        async json() {
            const whole = await this.text();
            try {
                return engine.parse(whole);
            } catch (error) {
                throw new FetchError(
                    `invalid json response body at ${this.url} reason: ${error.message}`,
                    "invalid-json",
                );
            }
        }
        async buffer() {
            return this.#take();
        }
        async arrayBuffer() {
            return memory(await this.#take());
        }
        async blob() {
            return new Blob([await this.#take()], { type: this.headers.get("content-type") ?? "" });
        }
        async formData() {
            return new FormDataOf(await this.text(), this.headers.get("content-type") ?? "");
        }
        static of(owner) {
            if (owner.#used) throw new Error("cannot clone body after it is used");
            return { bytes: owner.#bytes, stream: owner.#stream };
        }
    }
    // Only the form that is plain text.
    function FormDataOf(body, type) {
        if (!type.startsWith("application/x-www-form-urlencoded"))
            throw new TypeError("formData() reads application/x-www-form-urlencoded only");
        const form = new FormData();
        for (const [name, value] of new URLSearchParams(body)) form.append(name, value);
        return form;
    }
    class FetchError extends Error {
        constructor(message, type, cause) {
            super(message);
            this.name = "FetchError";
            this.type = type;
            if (cause?.code !== undefined) this.code = this.errno = cause.code;
        }
    }
    const partsOf = Body.of;
    delete Body.of;
    return { Headers, Blob, File, FormData, Body, FetchError, bodyOf, collected, pairsOf, partsOf };
}
