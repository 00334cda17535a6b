// `crypto` over the digests and ciphers of the engine. Randomness is the host's, so that a run can be
// repeated: it is not for secrets.
(engine, require) => {
    const { host } = engine;
    const { Buffer } = require("buffer");
    const { coded, argumentType, outOfRange, needFunction } = require("internal/errors");

    const bytesOf = (data, encoding, name = "data") => {
        if (typeof data === "string") return Buffer.from(data, encoding === "buffer" ? undefined : encoding);
        if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        if (data instanceof ArrayBuffer) return Buffer.from(data);
        throw argumentType(name, "of type string or an instance of Buffer, TypedArray, or DataView", data);
    };
    const encoded = (bytes, encoding) => {
        const buffer = engine.bytes.wrap(bytes);
        return encoding === undefined || encoding === null || encoding === "buffer"
            ? buffer
            : buffer.toString(encoding);
    };

    const sizes = { md5: 16, sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };
    const digestName = (name) => {
        const plain = String(name).toLowerCase().replace(/^rsa-/, "").replace(/^sha-/, "sha");
        return Object.hasOwn(sizes, plain) ? plain : undefined;
    };

    // Also a stream, as in Node, but only for those who treat it as one: streams are a module of their own.
    const streaming = (Type) => {
        for (const name of ["write", "end", "read", "pipe", "on", "once", "setEncoding"]) {
            Type.prototype[name] = function (...values) {
                if (this.stream === undefined) {
                    const { Transform } = require("stream");
                    const hash = this;
                    this.stream = new Transform({
                        transform(chunk, encoding, done) {
                            hash.update(chunk, encoding);
                            done();
                        },
                        flush(done) {
                            this.push(hash.digest());
                            done();
                        },
                    });
                }
                const result = this.stream[name](...values);
                return result === this.stream ? this : result;
            };
        }
    };
    class Hash {
        #name;
        #parts;
        #done = false;
        constructor(name, parts = []) {
            this.#name = digestName(name);
            if (this.#name === undefined) throw new Error("Digest method not supported");
            this.#parts = parts;
        }
        update(data, encoding) {
            if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
            this.#parts.push(Buffer.from(bytesOf(data, encoding)));
            return this;
        }
        digest(encoding) {
            if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
            this.#done = true;
            const data = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
            this.#parts = [];
            return encoded(host.digest(this.#name, data), encoding);
        }
        copy() {
            if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
            return new Hash(this.#name, [...this.#parts]);
        }
    }
    class Hmac {
        #name;
        #key;
        #parts = [];
        #done = false;
        constructor(name, key) {
            if (typeof name !== "string") throw argumentType("hmac", "of type string", name);
            this.#name = digestName(name);
            if (this.#name === undefined)
                throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
            this.#key = key instanceof KeyObject ? key.export() : Buffer.from(bytesOf(key, undefined, "key"));
        }
        update(data, encoding) {
            if (this.#done) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
            this.#parts.push(Buffer.from(bytesOf(data, encoding)));
            return this;
        }
        digest(encoding) {
            if (this.#done) return encoded(new Uint8Array(0), encoding);
            this.#done = true;
            return encoded(host.hmac(this.#name, this.#key, Buffer.concat(this.#parts)), encoding);
        }
    }
    streaming(Hash);
    streaming(Hmac);

    // Keys are PEM text or bytes; objects of them exist for those who want one.
    class KeyObject {
        #material;
        constructor(type, material) {
            this.type = type;
            this.#material = material;
        }
        get symmetricKeySize() {
            return this.type === "secret" ? this.#material.length : undefined;
        }
        get asymmetricKeyType() {
            return this.type === "secret" ? undefined : "rsa";
        }
        export() {
            return this.#material;
        }
    }
    const pem = (key) => {
        if (key instanceof KeyObject) return key.export();
        const material = typeof key === "object" && key !== null && !ArrayBuffer.isView(key) ? key.key : key;
        if (material instanceof KeyObject) return material.export();
        if (typeof key === "object" && key?.passphrase !== undefined) {
            throw new Error(
                "encrypted private keys are not supported; store the key decrypted, in a secret field",
            );
        }
        return typeof material === "string"
            ? material
            : Buffer.from(bytesOf(material, undefined, "key")).toString();
    };
    const signatureDigest = (name) => {
        const known = digestName(name);
        if (known === undefined || known === "md5")
            throw coded(Error, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
        return known;
    };
    class Sign {
        #name;
        #parts = [];
        constructor(name) {
            this.#name = signatureDigest(name);
        }
        update(data, encoding) {
            this.#parts.push(Buffer.from(bytesOf(data, encoding)));
            return this;
        }
        write(data, encoding) {
            this.update(data, encoding);
            return true;
        }
        end(data, encoding) {
            if (data !== undefined) this.update(data, encoding);
            return this;
        }
        sign(key, encoding) {
            return encoded(host.rsaSign(this.#name, pem(key), Buffer.concat(this.#parts)), encoding);
        }
        verify(key, signature, encoding) {
            return host.rsaVerify(
                this.#name,
                pem(key),
                Buffer.concat(this.#parts),
                bytesOf(signature, encoding, "signature"),
            );
        }
    }

    const randomInt = (least, most, callback) => {
        if (most === undefined || typeof most === "function") [least, most, callback] = [0, least, most];
        if (!Number.isSafeInteger(least)) throw argumentType("min", "a safe integer", least);
        if (!Number.isSafeInteger(most)) throw argumentType("max", "a safe integer", most);
        if (most <= least) throw outOfRange("max", `greater than the value of "min" (${least})`, most);
        const value = least + Math.floor(host.random() * (most - least));
        if (callback === undefined) return value;
        queueMicrotask(() => callback(undefined, value));
    };
    const randomBytes = (size, callback) => {
        if (typeof size !== "number") throw argumentType("size", "of type number", size);
        if (!(size >= 0 && size <= 2147483647)) throw outOfRange("size", ">= 0 && <= 2147483647", size);
        const bytes = engine.bytes.wrap(host.randomBytes(size));
        if (callback === undefined) return bytes;
        queueMicrotask(() => callback(null, bytes));
    };
    const randomFillSync = (target, offset = 0, size = target.byteLength - offset) => {
        const bytes = new Uint8Array(target.buffer ?? target, target.byteOffset ?? 0, target.byteLength);
        bytes.set(host.randomBytes(size), offset);
        return target;
    };
    const randomUUID = () => {
        const bytes = host.randomBytes(16);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        return host.bytesToText(bytes, "hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    };
    const timingSafeEqual = (a, b) => {
        const [left, right] = [bytesOf(a, undefined, "buf1"), bytesOf(b, undefined, "buf2")];
        if (left.length !== right.length)
            throw coded(
                RangeError,
                "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH",
                "Input buffers must have the same byte length",
            );
        let difference = 0;
        for (let at = 0; at < left.length; at++) difference |= left[at] ^ right[at];
        return difference === 0;
    };
    const pbkdf2Sync = (password, salt, rounds, length, digest) => {
        if (typeof digest !== "string") throw argumentType("digest", "of type string", digest);
        const name = digestName(digest);
        if (name === undefined)
            throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${digest}`);
        if (!Number.isInteger(rounds) || rounds < 1)
            throw outOfRange("iterations", ">= 1 && <= 2147483647", rounds);
        return engine.bytes.wrap(
            host.pbkdf2(
                name,
                bytesOf(password, undefined, "password"),
                bytesOf(salt, undefined, "salt"),
                rounds,
                length,
            ),
        );
    };
    const answered =
        (work) =>
        (...values) => {
            const callback = needFunction(values.pop());
            let result;
            try {
                result = [null, work(...values)];
            } catch (error) {
                result = [error];
            }
            queueMicrotask(() => callback(...result));
        };
    const unavailable = (name, instead) => () => {
        throw new Error(`crypto.${name} is not available to plugins; ${instead}`);
    };

    const crypto = {
        createHash: (name) => new Hash(name),
        createHmac: (name, key) => new Hmac(name, key),
        hash: (name, data, encoding = "hex") => new Hash(name).update(data).digest(encoding),
        createSign: (name) => new Sign(name),
        createVerify: (name) => new Sign(name),
        sign: (name, data, key) => new Sign(name ?? "sha256").update(data).sign(key),
        verify: (name, data, key, signature) =>
            new Sign(name ?? "sha256").update(data).verify(key, signature),
        createPrivateKey: (key) => new KeyObject("private", pem(key)),
        createPublicKey: (key) => new KeyObject("public", pem(key)),
        createSecretKey: (key, encoding) =>
            new KeyObject("secret", Buffer.from(bytesOf(key, encoding, "key"))),
        randomBytes,
        pseudoRandomBytes: randomBytes,
        randomInt,
        randomUUID,
        randomFillSync,
        timingSafeEqual,
        randomFill: answered(randomFillSync),
        pbkdf2Sync,
        pbkdf2: answered(pbkdf2Sync),
        getHashes: () => Object.keys(sizes),
        getCiphers: () => [
            "aes-128-cbc",
            "aes-128-ctr",
            "aes-128-gcm",
            "aes-192-cbc",
            "aes-192-ctr",
            "aes-192-gcm",
            "aes-256-cbc",
            "aes-256-ctr",
            "aes-256-gcm",
        ],
        getRandomValues: (target) => require("internal/web_crypto").crypto.getRandomValues(target),
        scryptSync: unavailable("scryptSync", "use pbkdf2Sync"),
        generateKeyPairSync: unavailable(
            "generateKeyPairSync",
            "make the key outside and give it to the plugin as a secret field",
        ),
        createECDH: unavailable("createECDH", "only AES, RSA signatures, digests and HMAC are"),
        createDiffieHellman: unavailable(
            "createDiffieHellman",
            "only AES, RSA signatures, digests and HMAC are",
        ),
        constants: { RSA_PKCS1_PADDING: 1 },
        Hash,
        Hmac,
        KeyObject,
        Sign,
        Verify: Sign,
    };
    for (const name of ["createCipheriv", "createDecipheriv"])
        crypto[name] = (...values) => require("internal/cipher")[name](...values);
    for (const [name, pick] of [
        ["webcrypto", (web) => web.crypto],
        ["subtle", (web) => web.crypto.subtle],
    ]) {
        Object.defineProperty(crypto, name, {
            enumerable: true,
            get: () => pick(require("internal/web_crypto")),
        });
    }
    return crypto;
}
