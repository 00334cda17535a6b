// `zlib` without Brotli.
(engine, require) => {
    const { host } = engine;
    const { Buffer, kMaxLength } = require("buffer");
    const { coded, argumentType, needFunction, outOfRange } = require("internal/errors");

    const constants = {
        Z_NO_FLUSH: 0,
        Z_PARTIAL_FLUSH: 1,
        Z_SYNC_FLUSH: 2,
        Z_FULL_FLUSH: 3,
        Z_FINISH: 4,
        Z_BLOCK: 5,
        Z_OK: 0,
        Z_STREAM_END: 1,
        Z_NEED_DICT: 2,
        Z_ERRNO: -1,
        Z_STREAM_ERROR: -2,
        Z_DATA_ERROR: -3,
        Z_MEM_ERROR: -4,
        Z_BUF_ERROR: -5,
        Z_NO_COMPRESSION: 0,
        Z_BEST_SPEED: 1,
        Z_BEST_COMPRESSION: 9,
        Z_DEFAULT_COMPRESSION: -1,
        Z_FILTERED: 1,
        Z_HUFFMAN_ONLY: 2,
        Z_RLE: 3,
        Z_FIXED: 4,
        Z_DEFAULT_STRATEGY: 0,
        Z_DEFAULT_LEVEL: -1,
    };
    const bytesOf = (data) => {
        if (typeof data === "string") return Buffer.from(data);
        if (data instanceof ArrayBuffer) return Buffer.from(data);
        if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        throw argumentType(
            "buffer",
            "of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer",
            data,
        );
    };
    const compressor =
        (format) =>
        (data, { level = -1 } = {}) => {
            const bytes = bytesOf(data);
            if (!(level >= -1 && level <= 9)) throw outOfRange("options.level", ">= -1 and <= 9", level);
            return engine.bytes.wrap(host.deflate(format, level === -1 ? 6 : level, bytes));
        };
    const expander =
        (format) =>
        (data, { maxOutputLength = kMaxLength } = {}) => {
            const bytes = bytesOf(data);
            const kind =
                format === "any" ? (bytes[0] === 0x1f && bytes[1] === 0x8b ? "gzip" : "zlib") : format;
            let expanded;
            try {
                expanded = host.inflate(kind, maxOutputLength, bytes);
            } catch ({ message }) {
                if (message === "too large")
                    throw coded(
                        RangeError,
                        "ERR_BUFFER_TOO_LARGE",
                        `Cannot create a Buffer larger than ${maxOutputLength} bytes`,
                    );
                const code = message === "unexpected end of file" ? "Z_BUF_ERROR" : "Z_DATA_ERROR";
                throw Object.assign(new Error(message), { errno: constants[code], code });
            }
            return engine.bytes.wrap(expanded);
        };
    const kinds = {
        gzip: ["Gzip", compressor("gzip")],
        deflate: ["Deflate", compressor("zlib")],
        deflateRaw: ["DeflateRaw", compressor("raw")],
        gunzip: ["Gunzip", expander("gzip")],
        inflate: ["Inflate", expander("zlib")],
        inflateRaw: ["InflateRaw", expander("raw")],
        unzip: ["Unzip", expander("any")],
    };
    const zlib = { constants, ...constants };
    for (const [name, [type, convert]] of Object.entries(kinds)) {
        zlib[`${name}Sync`] = convert;
        zlib[name] = (data, options, callback) => {
            if (typeof options === "function") [options, callback] = [undefined, options];
            needFunction(callback);
            const bytes = Buffer.from(bytesOf(data));
            queueMicrotask(() => {
                let result;
                try {
                    result = [null, convert(bytes, options)];
                } catch (error) {
                    result = [error];
                }
                callback(...result);
            });
        };
        // The whole is converted at the end: a plugin's data fits in its memory.
        zlib[`create${type}`] = (options) => {
            const { Transform } = require("stream");
            const chunks = [];
            const stream = new Transform({
                transform(chunk, encoding, done) {
                    chunks.push(Buffer.from(chunk));
                    stream.bytesWritten += chunk.length;
                    done();
                },
                flush(done) {
                    try {
                        done(null, convert(Buffer.concat(chunks), options));
                    } catch (error) {
                        done(error);
                    }
                },
            });
            return Object.assign(stream, {
                bytesWritten: 0,
                close: () => stream.destroy(),
                flush: (callback) => queueMicrotask(callback ?? (() => {})),
            });
        };
    }
    for (const name of ["brotliCompress", "brotliDecompress"]) {
        const refuse = () => {
            throw new Error(`zlib.${name} is not available to plugins; use gzip or deflate`);
        };
        zlib[name] = refuse;
        zlib[`${name}Sync`] = refuse;
    }
    return zlib;
}
