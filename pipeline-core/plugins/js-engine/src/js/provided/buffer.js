// `Buffer`: a Uint8Array with Node's text encodings and binary fields.
(engine, require) => {
    const { host } = engine;
    const { coded, received, argumentType, outOfRange } = require("internal/errors");

    const encodings = {
        utf8: "utf8",
        "utf-8": "utf8",
        hex: "hex",
        base64: "base64",
        base64url: "base64url",
        latin1: "latin1",
        binary: "latin1",
        ascii: "ascii",
        utf16le: "utf16le",
        "utf-16le": "utf16le",
        ucs2: "utf16le",
        "ucs-2": "utf16le",
    };
    const known = (encoding) => encodings[encoding] ?? encodings[String(encoding).toLowerCase()];
    const encodingOf = (encoding) => {
        if (encoding === undefined || encoding === null || encoding === "") return "utf8";
        const name = known(encoding);
        if (name === undefined)
            throw coded(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
        return name;
    };
    const toBytes = (text, encoding) => {
        if (encoding === "utf16le") {
            const bytes = new Uint8Array(text.length * 2);
            for (let at = 0; at < text.length; at++) {
                const unit = text.charCodeAt(at);
                bytes[2 * at] = unit;
                bytes[2 * at + 1] = unit >> 8;
            }
            return bytes;
        }
        return host.textToBytes(text.toWellFormed(), encoding === "ascii" ? "latin1" : encoding);
    };
    const toText = (bytes, encoding) => {
        if (encoding !== "utf16le") return host.bytesToText(bytes, encoding);
        let text = "";
        for (let at = 0; at + 1 < bytes.length; at += 2)
            text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
        return text;
    };

    class FastBuffer extends Uint8Array {}
    const prototype = FastBuffer.prototype;
    const wrap = (bytes) => new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);

    const size = (value) => {
        if (typeof value !== "number") throw argumentType("size", "of type number", value);
        if (!(value >= 0 && value <= 0x1_0000_0000)) throw outOfRange("size", ">= 0 && <= 4294967296", value);
        return value;
    };
    const isView = ArrayBuffer.isView;
    const isArrayBuffer = (value) =>
        value instanceof ArrayBuffer ||
        (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer);

    function Buffer(value, encoding, length) {
        if (typeof value === "number") {
            if (typeof encoding === "string") throw argumentType("string", "of type string", value);
            return Buffer.alloc(value);
        }
        return Buffer.from(value, encoding, length);
    }
    Object.setPrototypeOf(Buffer, Uint8Array);
    Buffer.prototype = prototype;
    Object.defineProperty(prototype, "constructor", { value: Buffer, writable: true, configurable: true });
    Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer });

    const fromObject = (value) => {
        if (typeof value.length === "number" || isArrayBuffer(value.buffer))
            return FastBuffer.from(value.length > 0 ? value : []);
        if (value.type === "Buffer" && Array.isArray(value.data)) return FastBuffer.from(value.data);
    };
    Object.assign(Buffer, {
        poolSize: 8192,
        from(value, encoding, length) {
            if (typeof value === "string") return wrap(toBytes(value, encodingOf(encoding)));
            if (typeof value === "object" && value !== null) {
                if (isArrayBuffer(value)) return new FastBuffer(value, encoding, length);
                const own = value.valueOf?.();
                if (
                    own !== null &&
                    own !== undefined &&
                    own !== value &&
                    (typeof own === "string" || typeof own === "object")
                ) {
                    return Buffer.from(own, encoding, length);
                }
                const bytes = fromObject(value);
                if (bytes) return bytes;
                if (typeof value[Symbol.toPrimitive] === "function") {
                    const primitive = value[Symbol.toPrimitive]("string");
                    if (typeof primitive === "string") return Buffer.from(primitive, encoding);
                }
            }
            throw coded(
                TypeError,
                "ERR_INVALID_ARG_TYPE",
                "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array " +
                    `or an Array-like Object. ${received(value)}`,
            );
        },
        of: (...bytes) => FastBuffer.from(bytes),
        alloc(length, fill, encoding) {
            const buffer = new FastBuffer(size(length));
            return fill === undefined || fill === 0 || length === 0 ? buffer : buffer.fill(fill, encoding);
        },
        allocUnsafe: (length) => new FastBuffer(size(length)),
        allocUnsafeSlow: (length) => new FastBuffer(size(length)),
        concat(list, total) {
            if (!Array.isArray(list)) throw argumentType("list", "an instance of Array", list);
            list.forEach((part, index) => {
                if (!(part instanceof Uint8Array))
                    throw argumentType(`list[${index}]`, "an instance of Buffer or Uint8Array", part);
            });
            const whole = new FastBuffer(total ?? list.reduce((sum, part) => sum + part.length, 0));
            let at = 0;
            for (const part of list) {
                if (at >= whole.length) break;
                whole.set(at + part.length > whole.length ? part.subarray(0, whole.length - at) : part, at);
                at += part.length;
            }
            return whole;
        },
        byteLength(value, encoding) {
            if (typeof value !== "string") {
                if (isView(value) || isArrayBuffer(value)) return value.byteLength;
                throw argumentType("string", "of type string or an instance of Buffer or ArrayBuffer", value);
            }
            switch (known(encoding) ?? "utf8") {
                case "utf8":
                    return host.utf8Length(value.toWellFormed());
                case "hex":
                    return value.length >>> 1;
                case "utf16le":
                    return value.length * 2;
                case "base64":
                case "base64url":
                    return (value.replace(/=+$/, "").length * 3) >>> 2;
                default:
                    return value.length;
            }
        },
        isBuffer: (value) => value instanceof Buffer,
        isEncoding: (encoding) => typeof encoding === "string" && known(encoding) !== undefined,
        compare(a, b) {
            if (!(a instanceof Uint8Array))
                throw argumentType("buf1", "an instance of Buffer or Uint8Array", a);
            if (!(b instanceof Uint8Array))
                throw argumentType("buf2", "an instance of Buffer or Uint8Array", b);
            for (let at = 0; at < a.length && at < b.length; at++)
                if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
            return Math.sign(a.length - b.length);
        },
    });

    const clamp = (value, fallback, most) => {
        if (value === undefined) return fallback;
        const at = Math.trunc(Number(value)) || 0;
        return at <= 0 ? 0 : Math.min(at, most);
    };
    const relative = (value, fallback, length) => {
        const at = value === undefined ? fallback : Math.trunc(Number(value)) || 0;
        return at < 0 ? Math.max(at + length, 0) : Math.min(at, length);
    };
    const needle = (value, encoding) => {
        if (typeof value === "number") return Uint8Array.of(value);
        if (typeof value === "string") return toBytes(value, encodingOf(encoding));
        if (value instanceof Uint8Array) return value;
        throw argumentType(
            "value",
            "one of type number or string or an instance of Buffer or Uint8Array",
            value,
        );
    };
    const search = (buffer, value, offset, encoding, backwards) => {
        if (typeof offset === "string") [offset, encoding] = [undefined, offset];
        const wanted = needle(value, encoding);
        const last = buffer.length - wanted.length;
        const asked = Number(offset);
        let at = offset === undefined || Number.isNaN(asked) ? (backwards ? last : 0) : Math.trunc(asked);
        if (at < 0) at += buffer.length;
        if (backwards) at = Math.min(at, last);
        else at = Math.max(at, 0);
        for (; backwards ? at >= 0 : at <= last; at += backwards ? -1 : 1) {
            let same = 0;
            while (same < wanted.length && buffer[at + same] === wanted[same]) same++;
            if (same === wanted.length) return at;
        }
        return -1;
    };

    const methods = {
        toString(encoding, start, end) {
            if (arguments.length === 0) return host.bytesToText(this, "utf8");
            const [from, to] = [clamp(start, 0, this.length), clamp(end, this.length, this.length)];
            const name = encodingOf(encoding);
            return to <= from
                ? ""
                : toText(from === 0 && to === this.length ? this : this.subarray(from, to), name);
        },
        toJSON() {
            return { type: "Buffer", data: Array.from(this) };
        },
        equals(other) {
            if (!(other instanceof Uint8Array))
                throw argumentType("otherBuffer", "an instance of Buffer or Uint8Array", other);
            return this.length === other.length && Buffer.compare(this, other) === 0;
        },
        compare(other, start, end, ownStart, ownEnd) {
            if (!(other instanceof Uint8Array))
                throw argumentType("target", "an instance of Buffer or Uint8Array", other);
            return Buffer.compare(
                this.subarray(ownStart ?? 0, ownEnd ?? this.length),
                other.subarray(start ?? 0, end ?? other.length),
            );
        },
        slice(start, end) {
            const [from, to] = [relative(start, 0, this.length), relative(end, this.length, this.length)];
            return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(to - from, 0));
        },
        copy(target, targetStart = 0, start = 0, end = this.length) {
            const part = this.subarray(
                start,
                Math.min(end, start + Math.max(target.length - targetStart, 0)),
            );
            target.set(part, targetStart);
            return part.length;
        },
        indexOf(value, offset, encoding) {
            return search(this, value, offset, encoding, false);
        },
        lastIndexOf(value, offset, encoding) {
            return search(this, value, offset, encoding, true);
        },
        includes(value, offset, encoding) {
            return search(this, value, offset, encoding, false) !== -1;
        },
        fill(value, start, end, encoding) {
            if (typeof start === "string") [start, end, encoding] = [undefined, undefined, start];
            else if (typeof end === "string") [end, encoding] = [undefined, end];
            const [from, to] = [clamp(start, 0, this.length), clamp(end, this.length, this.length)];
            if (typeof value === "number" || typeof value === "boolean")
                return Uint8Array.prototype.fill.call(this, value, from, to);
            const pattern = needle(value, encoding);
            if (pattern.length === 0) {
                if (typeof value === "string" && value.length > 0)
                    throw coded(
                        TypeError,
                        "ERR_INVALID_ARG_VALUE",
                        `The argument 'value' is invalid. Received '${value}'`,
                    );
                return Uint8Array.prototype.fill.call(this, 0, from, to);
            }
            for (let at = from; at < to; at++) this[at] = pattern[(at - from) % pattern.length];
            return this;
        },
        write(text, offset, length, encoding) {
            if (typeof text !== "string") throw argumentType("string", "of type string", text);
            if (typeof offset === "string") [offset, length, encoding] = [0, undefined, offset];
            else if (typeof length === "string") [length, encoding] = [undefined, length];
            offset ??= 0;
            if (offset < 0 || offset > this.length)
                throw outOfRange("offset", `>= 0 && <= ${this.length}`, offset);
            const name = encodingOf(encoding);
            const bytes = toBytes(text, name);
            let fits = Math.min(bytes.length, length ?? Infinity, this.length - offset);
            // Never half a character.
            if (name === "utf8")
                while (fits > 0 && fits < bytes.length && (bytes[fits] & 0xc0) === 0x80) fits--;
            if (name === "utf16le") fits &= ~1;
            this.set(bytes.subarray(0, fits), offset);
            return fits;
        },
        swap16() {
            if (this.length % 2 !== 0)
                throw coded(
                    RangeError,
                    "ERR_INVALID_BUFFER_SIZE",
                    "Buffer size must be a multiple of 16-bits",
                );
            for (let at = 0; at < this.length; at += 2) [this[at], this[at + 1]] = [this[at + 1], this[at]];
            return this;
        },
    };
    methods.toLocaleString = methods.toString;

    const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const place = (buffer, offset, bytes) => {
        if (typeof offset !== "number") throw argumentType("offset", "of type number", offset);
        if (!Number.isInteger(offset)) throw outOfRange("offset", "an integer", offset);
        if (bytes > buffer.length)
            throw coded(
                RangeError,
                "ERR_BUFFER_OUT_OF_BOUNDS",
                "Attempt to access memory outside buffer bounds",
            );
        if (offset < 0 || offset + bytes > buffer.length)
            throw outOfRange("offset", `>= 0 and <= ${buffer.length - bytes}`, offset);
        return offset;
    };
    // Names, DataView's name, width, and the range a value has to be in.
    const fields = [
        [["UInt8", "Uint8"], "Uint8", 1, 0, 255],
        [["Int8"], "Int8", 1, -128, 127],
        [["UInt16", "Uint16"], "Uint16", 2, 0, 65535],
        [["Int16"], "Int16", 2, -32768, 32767],
        [["UInt32", "Uint32"], "Uint32", 4, 0, 4294967295],
        [["Int32"], "Int32", 4, -2147483648, 2147483647],
        [["Float"], "Float32", 4],
        [["Double"], "Float64", 8],
        [["BigUInt64", "BigUint64"], "BigUint64", 8, 0n, (1n << 64n) - 1n],
        [["BigInt64"], "BigInt64", 8, -(1n << 63n), (1n << 63n) - 1n],
    ];
    for (const [names, field, bytes, least, most] of fields) {
        const [get, set] = [DataView.prototype[`get${field}`], DataView.prototype[`set${field}`]];
        for (const order of bytes === 1 ? [""] : ["LE", "BE"]) {
            const little = order !== "BE";
            const read = function (offset = 0) {
                return get.call(view(this), place(this, offset, bytes), little);
            };
            const write = function (value, offset = 0) {
                if (typeof least === "number") value = Number(value);
                if (least !== undefined && !Number.isNaN(value) && (value < least || value > most))
                    throw outOfRange("value", `>= ${least} and <= ${most}`, value);
                set.call(view(this), place(this, offset, bytes), value, little);
                return offset + bytes;
            };
            for (const name of names) {
                methods[`read${name}${order}`] = read;
                methods[`write${name}${order}`] = write;
            }
        }
    }
    for (const [sign, name] of [
        [false, "UInt"],
        [false, "Uint"],
        [true, "Int"],
    ]) {
        methods[`read${name}BE`] = function (offset, bytes) {
            place(this, offset, bytes);
            let value = 0;
            for (let at = 0; at < bytes; at++) value = value * 256 + this[offset + at];
            return sign && this[offset] & 0x80 ? value - 2 ** (8 * bytes) : value;
        };
        methods[`read${name}LE`] = function (offset, bytes) {
            place(this, offset, bytes);
            let value = 0;
            for (let at = bytes - 1; at >= 0; at--) value = value * 256 + this[offset + at];
            return sign && this[offset + bytes - 1] & 0x80 ? value - 2 ** (8 * bytes) : value;
        };
        const writer = (index) =>
            function (value, offset, bytes) {
                place(this, offset, bytes);
                let rest = value < 0 ? value + 2 ** (8 * bytes) : value;
                for (let at = 0; at < bytes; at++, rest = Math.floor(rest / 256))
                    this[offset + index(at, bytes)] = rest % 256;
                return offset + bytes;
            };
        methods[`write${name}LE`] = writer((at) => at);
        methods[`write${name}BE`] = writer((at, bytes) => bytes - 1 - at);
    }
    for (const [name, value] of Object.entries(methods)) {
        Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
    }
    Object.defineProperties(prototype, {
        parent: {
            get() {
                return this.buffer;
            },
            configurable: true,
        },
        offset: {
            get() {
                return this.byteOffset;
            },
            configurable: true,
        },
    });

    const api = {
        Buffer,
        SlowBuffer: Buffer,
        kMaxLength: 0x7fffffff,
        INSPECT_MAX_BYTES: 50,
        constants: { MAX_LENGTH: 0x7fffffff, MAX_STRING_LENGTH: 0x1fffffe8 },
        atob: globalThis.atob,
        btoa: globalThis.btoa,
        isUtf8: (bytes) => host.isUtf8(wrap(bytes)),
    };
    Object.defineProperty(api, "Blob", { enumerable: true, get: () => require("internal/bodies").Blob });
    engine.bytes = { toBytes, toText, encodingOf, wrap };
    return api;
}
