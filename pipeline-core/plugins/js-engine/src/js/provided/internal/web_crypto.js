// Web Crypto, as far as plugins need it: random values, digests, HMAC and AES.
(engine, require) => {
    const { host } = engine;
    const { Buffer } = require("buffer");
    const node = () => require("crypto");
    const failure = (name, message) => new DOMException(message, name);
    const bytesOf = (data) => {
        if (data instanceof ArrayBuffer) return Buffer.from(data);
        if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        throw new TypeError("expected an ArrayBuffer or a view of one");
    };
    const memory = (buffer) => buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
    const nameOf = (algorithm) =>
        String(typeof algorithm === "object" ? algorithm.name : algorithm).toUpperCase();
    const digestOf = (algorithm) => {
        const name = nameOf(algorithm);
        if (!/^SHA-(1|256|384|512)$/.test(name))
            throw failure("NotSupportedError", `Unrecognized algorithm name: ${name}`);
        return name.replace("-", "").toLowerCase();
    };
    class CryptoKey {
        #bytes;
        constructor(bytes, algorithm, extractable, usages) {
            this.#bytes = bytes;
            Object.assign(this, { type: "secret", algorithm, extractable, usages });
        }
        static bytes(key) {
            return key.#bytes;
        }
    }
    const cipher = (mode, { iv, counter, additionalData }, key, data) => {
        const name = nameOf(key.algorithm);
        if (!["AES-CBC", "AES-CTR", "AES-GCM"].includes(name))
            throw failure("NotSupportedError", `Unrecognized algorithm name: ${name}`);
        const bytes = CryptoKey.bytes(key);
        const made = node()[mode](
            `aes-${bytes.length * 8}-${name.slice(4).toLowerCase()}`,
            bytes,
            bytesOf(iv ?? counter),
        );
        if (additionalData !== undefined) made.setAAD(bytesOf(additionalData));
        let input = bytesOf(data);
        if (name === "AES-GCM" && mode === "createDecipheriv") {
            made.setAuthTag(input.subarray(input.length - 16));
            input = input.subarray(0, input.length - 16);
        }
        try {
            const parts = [made.update(input), made.final()];
            if (name === "AES-GCM" && mode === "createCipheriv") parts.push(made.getAuthTag());
            return memory(Buffer.concat(parts));
        } catch (error) {
            throw failure("OperationError", error.message);
        }
    };
    const subtle = {
        digest: async (algorithm, data) =>
            memory(engine.bytes.wrap(host.digest(digestOf(algorithm), bytesOf(data)))),
        async importKey(format, data, algorithm, extractable, usages) {
            if (format !== "raw")
                throw failure("NotSupportedError", `importKey takes raw keys only, not ${format}`);
            const given = typeof algorithm === "string" ? { name: algorithm } : algorithm;
            return new CryptoKey(Buffer.from(bytesOf(data)), given, extractable, usages);
        },
        async exportKey(format, key) {
            if (!key.extractable) throw failure("InvalidAccessError", "key is not extractable");
            return memory(Buffer.from(CryptoKey.bytes(key)));
        },
        sign: async (algorithm, key, data) =>
            memory(
                engine.bytes.wrap(
                    host.hmac(digestOf(key.algorithm.hash), CryptoKey.bytes(key), bytesOf(data)),
                ),
            ),
        verify: async (algorithm, key, signature, data) =>
            engine.bytes
                .wrap(host.hmac(digestOf(key.algorithm.hash), CryptoKey.bytes(key), bytesOf(data)))
                .equals(bytesOf(signature)),
        encrypt: async (algorithm, key, data) => cipher("createCipheriv", algorithm, key, data),
        decrypt: async (algorithm, key, data) => cipher("createDecipheriv", algorithm, key, data),
    };
    const crypto = {
        subtle,
        randomUUID: () => node().randomUUID(),
        getRandomValues(target) {
            if (
                !ArrayBuffer.isView(target) ||
                target instanceof Float32Array ||
                target instanceof Float64Array ||
                target instanceof DataView
            ) {
                throw failure("TypeMismatchError", "The data argument must be an integer-type TypedArray");
            }
            if (target.byteLength > 65536)
                throw failure("QuotaExceededError", `The requested length exceeds 65,536 bytes`);
            new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(
                host.randomBytes(target.byteLength),
            );
            return target;
        },
        CryptoKey,
    };
    Object.defineProperty(crypto, Symbol.toStringTag, { value: "Crypto" });
    return { crypto };
}
