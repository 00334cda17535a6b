// The bodies that clients accept, brought into one piece of bytes.
(require, module, exports) => {
    const isStream = (value) => typeof value?.pipe === "function" && typeof value?.on === "function";

    const drain = (stream) =>
        new Promise((resolve, reject) => {
            const chunks = [];
            stream.on("data", (chunk) => chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
            stream.on("end", () => resolve(Buffer.concat(chunks)));
            stream.on("error", reject);
        });

    exports.isStream = isStream;
    exports.collect = async (value, name) => {
        if (typeof value === "string") return Buffer.from(value, "utf8");
        if (Buffer.isBuffer(value)) return value;
        if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        if (value instanceof ArrayBuffer) return Buffer.from(value);
        if (isStream(value)) return drain(value);
        throw new TypeError(
            `Expected ${name} to be a string, Buffer, Stream or typed array, got ${value === null ? "null" : typeof value}`,
        );
    };
}
