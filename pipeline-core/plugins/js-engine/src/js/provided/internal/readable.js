// `stream.Readable`: what is pushed waits in a queue until somebody flows, reads or iterates.
(engine, require) => {
    const EventEmitter = require("events");
    const { Buffer } = require("buffer");
    const { coded, argumentType } = require("internal/errors");
    const later = (work) => queueMicrotask(work);

    function Stream(options) {
        EventEmitter.call(this, options);
    }
    Stream.prototype = Object.create(EventEmitter.prototype, {
        constructor: { value: Stream, writable: true, configurable: true },
    });
    Object.setPrototypeOf(Stream, EventEmitter);

    // Errors and the end of a stream, shared by both directions.
    const destroy = function (error, callback) {
        if (this.destroyed) return this;
        this.destroyed = true;
        this.errored = error ?? null;
        this._destroy(error ?? null, (failure) => {
            const final = failure ?? error;
            later(() => {
                callback?.(final);
                if (final) this.emit("error", final);
                if (!this.closed) {
                    this.closed = true;
                    this.emit("close");
                }
            });
        });
        return this;
    };
    const closeLater = (stream) => {
        const readDone = !stream._readableState || stream._readableState.endEmitted;
        const writeDone = !stream._writableState || stream._writableState.finished;
        if (readDone && writeDone && !stream.destroyed && stream._autoDestroy !== false) destroy.call(stream);
    };

    function Readable(options) {
        if (!(this instanceof Readable)) return new Readable(options);
        Stream.call(this, options);
        Readable.init.call(this, options);
    }
    Readable.init = function (options = {}) {
        const objectMode = Boolean(options.objectMode || options.readableObjectMode);
        this._readableState = {
            objectMode,
            queue: [],
            length: 0,
            flowing: null,
            ended: false,
            ending: false,
            endEmitted: false,
            reading: false,
            decoder: null,
            pipes: [],
            scheduled: false,
            highWaterMark:
                options.readableHighWaterMark ?? options.highWaterMark ?? (objectMode ? 16 : 16384),
        };
        this.destroyed ??= false;
        this.closed ??= false;
        this._autoDestroy = options.autoDestroy;
        if (typeof options.read === "function") this._read = options.read;
        if (typeof options.destroy === "function") this._destroy = options.destroy;
        if (options.encoding) this.setEncoding(options.encoding);
        options.signal?.addEventListener("abort", () => this.destroy(options.signal.reason));
    };
    Readable.prototype = Object.create(Stream.prototype, {
        constructor: { value: Readable, writable: true, configurable: true },
    });
    Object.setPrototypeOf(Readable, Stream);

    const size = (state, chunk) => (state.objectMode ? 1 : chunk.length);
    const want = (stream) => {
        const state = stream._readableState;
        if (
            state.reading ||
            state.ended ||
            stream.destroyed ||
            state.length >= Math.max(state.highWaterMark, 1)
        )
            return;
        state.reading = true;
        try {
            stream._read(state.highWaterMark);
        } catch (error) {
            stream.destroy(error);
        }
    };
    const finish = (stream) => {
        const state = stream._readableState;
        if (!state.ended || state.length > 0 || state.ending || stream.destroyed) return;
        state.ending = true;
        later(() => {
            if (stream.destroyed) return;
            state.endEmitted = true;
            stream.emit("end");
            if (stream._writableState && stream.allowHalfOpen === false) stream.end();
            closeLater(stream);
        });
    };
    const flow = (stream) => {
        const state = stream._readableState;
        if (state.scheduled) return;
        state.scheduled = true;
        later(() => {
            state.scheduled = false;
            while (state.flowing && state.queue.length > 0 && !stream.destroyed) stream.read();
            if (state.flowing && !stream.destroyed) {
                want(stream);
                finish(stream);
            }
        });
    };
    const arrived = (stream) => {
        const state = stream._readableState;
        if (state.flowing) flow(stream);
        else if (stream.listenerCount("readable") > 0) later(() => stream.emit("readable"));
    };
    const add = (stream, chunk, encoding, front) => {
        const state = stream._readableState;
        state.reading = false;
        if (chunk === null) {
            if (state.ended) return false;
            state.ended = true;
            const rest = state.decoder?.end();
            if (rest) {
                state.queue.push(rest);
                state.length += size(state, rest);
            }
            arrived(stream);
            if (!state.flowing && state.length === 0 && stream.listenerCount("readable") > 0) finish(stream);
            return false;
        }
        if (state.ended && !front) {
            stream.destroy(coded(Error, "ERR_STREAM_PUSH_AFTER_EOF", "stream.push() after EOF"));
            return false;
        }
        if (!state.objectMode) {
            if (typeof chunk === "string")
                chunk =
                    state.decoder && encoding === state.decoder.encoding
                        ? chunk
                        : Buffer.from(chunk, encoding);
            else if (chunk instanceof Uint8Array)
                chunk = Buffer.isBuffer(chunk) ? chunk : engine.bytes.wrap(chunk);
            else {
                stream.destroy(
                    argumentType(
                        "chunk",
                        "of type string or an instance of Buffer, TypedArray, or DataView",
                        chunk,
                    ),
                );
                return false;
            }
            if (state.decoder && typeof chunk !== "string") chunk = state.decoder.write(chunk);
            if (chunk.length === 0) {
                if (state.flowing) flow(stream);
                return true;
            }
        }
        if (front) state.queue.unshift(chunk);
        else state.queue.push(chunk);
        state.length += size(state, chunk);
        arrived(stream);
        return state.length < state.highWaterMark;
    };
    const methods = {
        destroy,
        _destroy: (error, callback) => callback(error),
        _read() {
            throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _read() method is not implemented");
        },
        push(chunk, encoding) {
            return add(this, chunk, encoding, false);
        },
        unshift(chunk, encoding) {
            return add(this, chunk, encoding, true);
        },
        read(count) {
            const state = this._readableState;
            if (state.queue.length === 0) {
                want(this);
                if (state.queue.length === 0) {
                    finish(this);
                    return null;
                }
            }
            let chunk;
            if (state.objectMode || (state.flowing && count === undefined)) chunk = state.queue.shift();
            else {
                const whole = state.decoder ? state.queue.join("") : Buffer.concat(state.queue);
                if (count !== undefined && count < whole.length) {
                    chunk = whole.slice(0, count);
                    state.queue = [whole.slice(count)];
                } else if (count !== undefined && count > whole.length && !state.ended) {
                    want(this);
                    return null;
                } else {
                    chunk = whole;
                    state.queue = [];
                }
            }
            state.length -= size(state, chunk);
            this.emit("data", chunk);
            finish(this);
            return chunk;
        },
        on(name, listener) {
            EventEmitter.prototype.on.call(this, name, listener);
            const state = this._readableState;
            if (name === "data" && state.flowing !== false && this.listenerCount("readable") === 0)
                this.resume();
            if (name === "readable") {
                state.flowing = false;
                if (state.length > 0) later(() => this.emit("readable"));
                else if (state.ended) finish(this);
                else later(() => want(this));
            }
            return this;
        },
        resume() {
            const state = this._readableState;
            if (!state.flowing) {
                state.flowing = true;
                later(() => this.emit("resume"));
                flow(this);
            }
            return this;
        },
        pause() {
            if (this._readableState.flowing !== false) {
                this._readableState.flowing = false;
                this.emit("pause");
            }
            return this;
        },
        isPaused() {
            return this._readableState.flowing === false;
        },
        setEncoding(encoding) {
            const { StringDecoder } = require("string_decoder");
            const state = this._readableState;
            state.decoder = new StringDecoder(encoding);
            state.queue = state.queue.map((chunk) => state.decoder.write(chunk));
            state.length = state.queue.reduce((sum, chunk) => sum + chunk.length, 0);
            return this;
        },
        pipe(target, { end = true } = {}) {
            const data = (chunk) => {
                if (target.write(chunk) === false) {
                    this.pause();
                    target.once("drain", () => this.resume());
                }
            };
            const ended = () => target.end();
            this.on("data", data);
            if (end) this.once("end", ended);
            this._readableState.pipes.push({ target, data, ended });
            target.emit("pipe", this);
            this.resume();
            return target;
        },
        unpipe(target) {
            const state = this._readableState;
            for (const pipe of state.pipes.filter((one) => target === undefined || one.target === target)) {
                this.removeListener("data", pipe.data);
                this.removeListener("end", pipe.ended);
                pipe.target.emit("unpipe", this);
            }
            state.pipes = target === undefined ? [] : state.pipes.filter((one) => one.target !== target);
            if (state.pipes.length === 0) this.pause();
            return this;
        },
        async *[Symbol.asyncIterator]() {
            let [wake, failure, done] = [() => {}, undefined, false];
            const settle = (change) => (value) => {
                change(value);
                wake();
            };
            this.on(
                "readable",
                settle(() => {}),
            );
            this.once(
                "end",
                settle(() => (done = true)),
            );
            this.once(
                "error",
                settle((error) => ([failure, done] = [error, true])),
            );
            this.once(
                "close",
                settle(() => (done = true)),
            );
            if (this.destroyed) done = true;
            failure = this.errored ?? undefined;
            try {
                while (true) {
                    const chunk = this.destroyed ? null : this.read();
                    if (chunk !== null) yield chunk;
                    else if (failure) throw failure;
                    else if (done) {
                        if (!this._readableState.endEmitted)
                            throw coded(Error, "ERR_STREAM_PREMATURE_CLOSE", "Premature close");
                        return;
                    } else await new Promise((resolve) => (wake = resolve));
                }
            } finally {
                this.destroy();
            }
        },
    };
    methods.addListener = methods.on;
    for (const [name, value] of [
        ...Object.entries(methods),
        [Symbol.asyncIterator, methods[Symbol.asyncIterator]],
    ]) {
        Object.defineProperty(Readable.prototype, name, { value, writable: true, configurable: true });
    }
    const property = (name, get) =>
        Object.defineProperty(Readable.prototype, name, { get, configurable: true });
    property("readable", function () {
        return !this.destroyed && !this._readableState.endEmitted;
    });
    property("readableEnded", function () {
        return this._readableState.endEmitted;
    });
    property("readableFlowing", function () {
        return this._readableState.flowing;
    });
    property("readableLength", function () {
        return this._readableState.length;
    });
    property("readableHighWaterMark", function () {
        return this._readableState.highWaterMark;
    });
    property("readableObjectMode", function () {
        return this._readableState.objectMode;
    });
    property("readableEncoding", function () {
        return this._readableState.decoder?.encoding ?? null;
    });

    Readable.from = (source, options) => {
        const text = typeof source === "string" || source instanceof Uint8Array;
        const iterator = text
            ? [source][Symbol.iterator]()
            : (source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.());
        if (iterator === undefined) throw argumentType("iterable", "an instance of Iterable", source);
        return new Readable({
            objectMode: !text,
            highWaterMark: 1,
            ...options,
            read() {
                Promise.resolve(iterator.next())
                    .then(({ value, done }) =>
                        Promise.resolve(value).then((chunk) => this.push(done ? null : chunk)),
                    )
                    .catch((error) => this.destroy(error));
            },
            destroy(error, callback) {
                Promise.resolve(iterator.return?.()).then(() => callback(error), callback);
            },
        });
    };
    Stream.Readable = Readable;
    return { Stream, Readable, destroy, closeLater };
}
