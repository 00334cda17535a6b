// `string_decoder`: text from bytes that arrive in pieces, with no character cut.
(engine, require) => {
    const { Buffer } = require("buffer");
    const { unfinished } = require("internal/encoding");
    class StringDecoder {
        #rest = Buffer.alloc(0);
        constructor(encoding) {
            this.encoding = engine.bytes.encodingOf(encoding);
        }
        get lastNeed() {
            return this.#rest.length;
        }
        write(bytes) {
            if (typeof bytes === "string") return bytes;
            const whole = Buffer.concat([this.#rest, bytes]);
            let kept = 0;
            if (this.encoding === "utf8") kept = unfinished(whole);
            else if (this.encoding === "base64" || this.encoding === "base64url") kept = whole.length % 3;
            else if (this.encoding === "utf16le") {
                kept = whole.length % 2;
                const unit = whole[whole.length - kept - 1];
                if (whole.length - kept >= 2 && unit >= 0xd8 && unit <= 0xdb) kept += 2;
            }
            this.#rest = whole.subarray(whole.length - kept);
            return whole.toString(this.encoding, 0, whole.length - kept);
        }
        end(bytes) {
            const text = bytes === undefined ? "" : this.write(bytes);
            const rest = this.#rest;
            this.#rest = Buffer.alloc(0);
            return text + rest.toString(this.encoding);
        }
    }
    return { StringDecoder };
}
