// `stream/promises`.
(engine, require) => {
    const stream = require("stream");
    return {
        finished: (one, options = {}) =>
            new Promise((resolve, reject) =>
                stream.finished(one, options, (error) => (error ? reject(error) : resolve())),
            ),
        pipeline: (...parts) => {
            // Options may come last.
            const last = parts.at(-1);
            if (parts.length > 2 && last?.constructor === Object && !(Symbol.iterator in last)) parts.pop();
            return new Promise((resolve, reject) =>
                stream.pipeline(...parts, (error, value) => (error ? reject(error) : resolve(value))),
            );
        },
    };
}
