// `stream`. The module is the old `Stream` class, as in Node.
(engine, require) => {
    const { coded, needFunction } = require("internal/errors");
    const { Stream, Readable } = require("internal/readable");
    const { Writable } = require("internal/writable");
    const later = (work) => queueMicrotask(work);
    const extend = (Type, Parent) => {
        Type.prototype = Object.create(Parent.prototype, {
            constructor: { value: Type, writable: true, configurable: true },
        });
        Object.setPrototypeOf(Type, Parent);
    };

    function Duplex(options = {}) {
        if (!(this instanceof Duplex)) return new Duplex(options);
        Readable.call(this, options);
        Writable.init.call(this, options);
        this.allowHalfOpen = options.allowHalfOpen !== false;
    }
    extend(Duplex, Readable);
    for (const name of Object.getOwnPropertyNames(Writable.prototype)) {
        if (name in Duplex.prototype) continue;
        Object.defineProperty(
            Duplex.prototype,
            name,
            Object.getOwnPropertyDescriptor(Writable.prototype, name),
        );
    }
    Object.defineProperty(Writable, Symbol.hasInstance, {
        value(object) {
            return (
                Function.prototype[Symbol.hasInstance].call(this, object) ||
                (this === Writable && object?._writableState !== undefined && object instanceof Duplex)
            );
        },
    });

    function Transform(options = {}) {
        if (!(this instanceof Transform)) return new Transform(options);
        Duplex.call(this, options);
        if (typeof options.transform === "function") this._transform = options.transform;
        if (typeof options.flush === "function") this._flush = options.flush;
    }
    extend(Transform, Duplex);
    Transform.prototype._transform = () => {
        throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _transform() method is not implemented");
    };
    Transform.prototype._write = function (chunk, encoding, callback) {
        this._transform(chunk, encoding, (error, result) => {
            if (error) return callback(error);
            if (result !== undefined && result !== null) this.push(result);
            // The reader has to catch up before more is taken.
            if (this._readableState.length < this._readableState.highWaterMark) callback();
            else this._held = callback;
        });
    };
    Transform.prototype._read = function () {
        this._readableState.reading = false;
        const held = this._held;
        this._held = undefined;
        held?.();
    };
    Transform.prototype._final = function (callback) {
        const done = (error, result) => {
            if (error) return callback(error);
            if (result !== undefined && result !== null) this.push(result);
            this.push(null);
            callback();
        };
        if (typeof this._flush === "function") this._flush(done);
        else done();
    };
    function PassThrough(options) {
        if (!(this instanceof PassThrough)) return new PassThrough(options);
        Transform.call(this, options);
    }
    extend(PassThrough, Transform);
    PassThrough.prototype._transform = (chunk, encoding, callback) => callback(null, chunk);

    // Calls back once when the stream is over, one way or the other.
    const finished = (stream, options, callback) => {
        if (typeof options === "function") [options, callback] = [{}, options];
        needFunction(callback);
        let over = false;
        const done = (error) => {
            if (over) return;
            over = true;
            callback.call(stream, error);
        };
        const state = () => [
            options?.readable === false || !stream._readableState || stream._readableState.endEmitted,
            options?.writable === false || !stream._writableState || stream._writableState.finished,
        ];
        const check = () => {
            if (state().every(Boolean)) done();
        };
        const listeners = {
            end: check,
            finish: check,
            error: done,
            close: () =>
                state().every(Boolean)
                    ? done()
                    : done(stream.errored ?? coded(Error, "ERR_STREAM_PREMATURE_CLOSE", "Premature close")),
        };
        for (const [name, listener] of Object.entries(listeners)) stream.on(name, listener);
        if (stream.closed) later(listeners.close);
        else later(check);
        return () => {
            for (const [name, listener] of Object.entries(listeners)) stream.removeListener(name, listener);
        };
    };
    const asStream = (part, before) => {
        if (typeof part === "function") return Readable.from(part(before ?? undefined));
        return typeof part?.pipe === "function" || typeof part?.write === "function"
            ? part
            : Readable.from(part);
    };
    const pipeline = (...parts) => {
        const callback = needFunction(parts.pop(), "streams[stream.length - 1]");
        if (parts.length === 1 && Array.isArray(parts[0])) parts = parts[0];
        if (parts.length < 2)
            throw coded(TypeError, "ERR_MISSING_ARGS", 'The "streams" argument must be specified');
        let over = false;
        let remaining = parts.length;
        let value;
        const streams = [];
        const done = (error) => {
            if (over) return;
            if (error) {
                over = true;
                for (const stream of streams) {
                    stream.on("error", () => {});
                    stream.destroy(error);
                }
                return callback(error);
            }
            if (--remaining === 0) {
                over = true;
                callback(undefined, value);
            }
        };
        for (const [index, part] of parts.entries()) {
            const last = index === parts.length - 1;
            if (typeof part === "function" && last) {
                Promise.resolve(part(streams.at(-1))).then((result) => {
                    value = result;
                    done();
                }, done);
                break;
            }
            const stream = asStream(part, streams.at(-1));
            if (index > 0 && typeof part !== "function") streams.at(-1).pipe(stream);
            streams.push(stream);
            finished(stream, { readable: !last, writable: index > 0 }, done);
        }
        return streams.at(-1);
    };
    const addAbortSignal = (signal, stream) => {
        signal.addEventListener("abort", () => stream.destroy(signal.reason));
        return stream;
    };
    Object.assign(Stream, {
        Stream,
        Readable,
        Writable,
        Duplex,
        Transform,
        PassThrough,
        finished,
        pipeline,
        addAbortSignal,
    });
    const custom = Symbol.for("nodejs.util.promisify.custom");
    for (const name of ["finished", "pipeline"])
        Object.defineProperty(Stream[name], custom, { get: () => require("stream/promises")[name] });
    Object.defineProperty(Stream, "promises", { enumerable: true, get: () => require("stream/promises") });
    return Stream;
}
