// One case played against a client: the answers are scripted, the requests and the outcome written down as
// plain data. Both the real packages (when recording) and the shims (when testing) go through here.
const { Readable } = require("stream");

exports.now = Date.UTC(2023, 4, 17, 12, 30, 15);

// Headers that say nothing about the client's work: they differ by version, machine and HTTP library.
const ignored =
    /^(user-agent|x-goog-api-client|x-goog-gcs-idempotency-token|gccl-.*|connection|accept-encoding|host|content-length|expect|accept|keep-alive|transfer-encoding|x-goog-user-project|date|sec-.*|priority|cache-control|x-cloud-trace-context)$/i;

exports.requestOf = (method, url, headers, body) => ({
    method,
    url,
    headers: Object.fromEntries(
        Object.entries(headers)
            .map(([name, value]) => [name.toLowerCase(), String(value)])
            .filter(([name]) => !ignored.test(name))
            .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    ),
    body: /[^\t\n\r\x20-\x7e]/.test(body.toString("latin1"))
        ? { base64: body.toString("base64") }
        : body.toString("latin1"),
});

// Values as JSON can hold them, and the same for both kinds of client.
const plain = (value) => {
    if (value instanceof Error) {
        const { code, message, name, statusCode, retryable, errors } = value;
        return plain({ error: { code, message, name, statusCode, retryable, errors } });
    }
    if (value instanceof Date) return { date: value.toISOString() };
    if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value).toString("base64") };
    if (value instanceof Set) return { set: [...value].map(plain) };
    if (value instanceof Readable) return "a stream";
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "function") return undefined;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
        Object.entries(value)
            .filter(([, member]) => member !== undefined && typeof member !== "function")
            .sort((a, b) => (a[0] < b[0] ? -1 : 1))
            .map(([name, member]) => [name, plain(member)]),
    );
};

exports.outcome = async (run) => {
    try {
        return JSON.parse(JSON.stringify({ value: plain(await run()) }));
    } catch (error) {
        return JSON.parse(JSON.stringify({ thrown: plain(error) }));
    }
};

// The scripted answer to the nth request.
exports.answerAt = (answers, index) => {
    const { status = 200, headers = {}, body = "", json } = answers[Math.min(index, answers.length - 1)] ?? {};
    return {
        status,
        headers: json === undefined ? headers : { "content-type": "application/json; charset=utf-8", ...headers },
        body: Buffer.from(json === undefined ? body : JSON.stringify(json)),
    };
};
