// `createCipheriv` and `createDecipheriv`. The position, what is left of a block and what the tag is
// made of are kept here; the engine only transforms.
(engine, require) => {
    const { host } = engine;
    const { Buffer } = require("buffer");
    const { coded, argumentType } = require("internal/errors");
    const { wrap } = engine.bytes;

    const bytesOf = (data, encoding, name) => {
        if (typeof data === "string") return Buffer.from(data, encoding);
        if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        if (typeof data?.export === "function") return data.export();
        throw argumentType(name, "of type string or an instance of Buffer, TypedArray, or DataView", data);
    };
    class Cipher {
        #mode;
        #key;
        #iv;
        #encrypts;
        #rest = Buffer.alloc(0);
        #padded = true;
        #at = 0;
        #plain = [];
        #extra = [];
        #tag;
        #done = false;

        constructor(encrypts, name, key, iv) {
            const [, bits, mode] =
                /^aes-?(128|192|256)-(cbc|ctr|gcm)$/.exec(String(name).toLowerCase()) ?? [];
            if (bits === undefined) throw coded(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
            [this.#encrypts, this.#mode] = [encrypts, mode];
            this.#key = Buffer.from(bytesOf(key, undefined, "key"));
            this.#iv = Buffer.from(bytesOf(iv, undefined, "iv"));
            if (this.#key.length * 8 !== Number(bits))
                throw coded(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
            const needed = mode === "gcm" ? 12 : 16;
            if (this.#iv.length !== needed)
                throw coded(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
        }
        #transform(data) {
            if (this.#mode === "cbc") {
                if (data.length === 0) return data;
                const out = host.aesCbc(this.#encrypts, this.#key, this.#iv, data);
                this.#iv = Buffer.from((this.#encrypts ? wrap(out) : data).subarray(data.length - 16));
                return wrap(out);
            }
            const gcm = this.#mode === "gcm";
            // In GCM the first counter is for the tag.
            const iv = gcm ? Buffer.concat([this.#iv, Buffer.from([0, 0, 0, 2])]) : this.#iv;
            const out = wrap(host.aesCtr(gcm, this.#key, iv, this.#at, data));
            this.#at += data.length;
            if (gcm) this.#plain.push(this.#encrypts ? Buffer.from(data) : out);
            return out;
        }
        #open() {
            if (this.#done)
                throw coded(
                    Error,
                    "ERR_CRYPTO_INVALID_STATE",
                    "Unsupported state or unable to authenticate data",
                );
        }
        #out(bytes, encoding) {
            return encoding === undefined || encoding === null || encoding === "buffer"
                ? bytes
                : bytes.toString(encoding);
        }
        update(data, inputEncoding, outputEncoding) {
            this.#open();
            let bytes = Buffer.from(bytesOf(data, inputEncoding, "data"));
            if (this.#mode === "cbc") {
                bytes = Buffer.concat([this.#rest, bytes]);
                let whole = bytes.length - (bytes.length % 16);
                // The last block may hold the padding.
                if (!this.#encrypts && this.#padded && whole === bytes.length && whole > 0) whole -= 16;
                this.#rest = bytes.subarray(whole);
                bytes = bytes.subarray(0, whole);
            }
            return this.#out(this.#transform(bytes), outputEncoding);
        }
        final(encoding) {
            this.#open();
            this.#done = true;
            if (this.#mode === "cbc")
                return this.#out(this.#encrypts ? this.#pad() : this.#unpad(), encoding);
            if (this.#mode === "gcm") {
                const tag = host.aesGcmTag(
                    this.#key,
                    this.#iv,
                    Buffer.concat(this.#extra),
                    Buffer.concat(this.#plain),
                );
                if (this.#encrypts) this.#tag = wrap(tag);
                else if (
                    this.#tag === undefined ||
                    !this.#tag.equals(wrap(tag).subarray(0, this.#tag.length))
                ) {
                    throw new Error("Unsupported state or unable to authenticate data");
                }
            }
            return this.#out(Buffer.alloc(0), encoding);
        }
        #pad() {
            if (!this.#padded) {
                if (this.#rest.length !== 0)
                    throw coded(
                        Error,
                        "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
                        "error:1C80006B:Provider routines::wrong final block length",
                    );
                return this.#rest;
            }
            const missing = 16 - this.#rest.length;
            return this.#transform(Buffer.concat([this.#rest, Buffer.alloc(missing, missing)]));
        }
        #unpad() {
            if (this.#rest.length === 0 && !this.#padded) return this.#rest;
            if (this.#rest.length !== 16)
                throw coded(
                    Error,
                    "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
                    "error:1C80006B:Provider routines::wrong final block length",
                );
            const plain = this.#transform(this.#rest);
            if (!this.#padded) return plain;
            const padding = plain[15];
            if (
                padding < 1 ||
                padding > 16 ||
                !plain.subarray(16 - padding).every((byte) => byte === padding)
            ) {
                throw coded(Error, "ERR_OSSL_BAD_DECRYPT", "error:1C800064:Provider routines::bad decrypt");
            }
            return plain.subarray(0, 16 - padding);
        }
        setAutoPadding(padded = true) {
            this.#padded = Boolean(padded);
            return this;
        }
        setAAD(data, { encoding } = {}) {
            this.#extra.push(Buffer.from(bytesOf(data, encoding, "buffer")));
            return this;
        }
        getAuthTag() {
            if (this.#tag === undefined || !this.#encrypts)
                throw coded(Error, "ERR_CRYPTO_INVALID_STATE", "Invalid state for operation getAuthTag");
            return this.#tag;
        }
        setAuthTag(tag, encoding) {
            this.#tag = Buffer.from(bytesOf(tag, encoding, "buffer"));
            if (![4, 8, 12, 13, 14, 15, 16].includes(this.#tag.length))
                throw coded(
                    TypeError,
                    "ERR_CRYPTO_INVALID_AUTH_TAG",
                    `Invalid authentication tag length: ${this.#tag.length}`,
                );
            return this;
        }
    }
    return {
        createCipheriv: (name, key, iv) => new Cipher(true, name, key, iv),
        createDecipheriv: (name, key, iv) => new Cipher(false, name, key, iv),
    };
}
