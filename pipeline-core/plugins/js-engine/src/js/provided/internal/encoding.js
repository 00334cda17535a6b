// `TextEncoder` and `TextDecoder`.
(engine, require) => {
    const { host } = engine;
    const { coded } = require("internal/errors");

    class TextEncoder {
        get encoding() {
            return "utf-8";
        }
        encode(text = "") {
            return host.textToBytes(engine.text(text), "utf8");
        }
        encodeInto(source, target) {
            let [read, written] = [0, 0];
            for (const character of engine.text(source)) {
                const bytes = host.textToBytes(character, "utf8");
                if (written + bytes.length > target.length) break;
                target.set(bytes, written);
                written += bytes.length;
                read += character.length;
            }
            return { read, written };
        }
    }

    const labels = {
        "utf-8": "utf-8",
        utf8: "utf-8",
        "unicode-1-1-utf-8": "utf-8",
        "utf-16le": "utf-16le",
        "utf-16": "utf-16le",
        latin1: "windows-1252",
        "iso-8859-1": "windows-1252",
        ascii: "windows-1252",
        "us-ascii": "windows-1252",
        "windows-1252": "windows-1252",
    };
    // Where windows-1252 differs from Latin-1.
    const upper =
        "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";
    const bytesOf = (input) => {
        if (input === undefined) return new Uint8Array(0);
        if (input instanceof ArrayBuffer) return new Uint8Array(input);
        if (ArrayBuffer.isView(input))
            return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
        throw coded(
            TypeError,
            "ERR_INVALID_ARG_TYPE",
            'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.',
        );
    };
    // How many bytes at the end are the beginning of a character.
    const unfinished = (bytes) => {
        for (let back = 1; back <= 3 && back <= bytes.length; back++) {
            const byte = bytes[bytes.length - back];
            if ((byte & 0xc0) === 0x80) continue;
            const needed = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
            return byte < 0xf5 && needed > back ? back : 0;
        }
        return 0;
    };
    class TextDecoder {
        #encoding;
        #rest = new Uint8Array(0);
        #begun = false;
        constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
            this.#encoding = labels[String(label).trim().toLowerCase()];
            if (this.#encoding === undefined)
                throw coded(
                    RangeError,
                    "ERR_ENCODING_NOT_SUPPORTED",
                    `The "${label}" encoding is not supported`,
                );
            Object.defineProperties(this, {
                fatal: { value: Boolean(fatal) },
                ignoreBOM: { value: Boolean(ignoreBOM) },
            });
        }
        get encoding() {
            return this.#encoding;
        }
        decode(input, { stream = false } = {}) {
            let bytes = bytesOf(input);
            if (this.#rest.length > 0) {
                const joined = new Uint8Array(this.#rest.length + bytes.length);
                joined.set(this.#rest);
                joined.set(bytes, this.#rest.length);
                bytes = joined;
            }
            let kept = 0;
            if (stream)
                kept =
                    this.#encoding === "utf-8"
                        ? unfinished(bytes)
                        : this.#encoding === "utf-16le"
                          ? bytes.length % 2
                          : 0;
            this.#rest = bytes.slice(bytes.length - kept);
            bytes = bytes.subarray(0, bytes.length - kept);
            const invalid = () =>
                coded(
                    TypeError,
                    "ERR_ENCODING_INVALID_ENCODED_DATA",
                    `The encoded data was not valid for encoding ${this.#encoding}`,
                );
            let text;
            if (this.#encoding === "utf-8") {
                if (this.fatal && !host.isUtf8(bytes)) {
                    this.#rest = new Uint8Array(0);
                    throw invalid();
                }
                text = host.bytesToText(bytes, "utf8");
            } else if (this.#encoding === "utf-16le") {
                require("buffer");
                text = engine.bytes.toText(bytes, "utf16le");
                if (bytes.length % 2 !== 0) text += "\ufffd";
                if (this.fatal && (!text.isWellFormed() || bytes.length % 2 !== 0)) throw invalid();
                if (!stream) text = text.toWellFormed();
            } else {
                text = host
                    .bytesToText(bytes, "latin1")
                    .replace(/[\x80-\x9f]/g, (c) => upper[c.charCodeAt(0) - 0x80]);
            }
            if (
                !this.#begun &&
                !this.ignoreBOM &&
                this.#encoding !== "windows-1252" &&
                text.charCodeAt(0) === 0xfeff
            )
                text = text.slice(1);
            this.#begun = stream && (this.#begun || bytes.length > 0);
            return text;
        }
    }
    return { TextEncoder, TextDecoder, unfinished };
}
