// `stream.Writable`: one chunk at a time goes to `_write`, the others wait.
(engine, require) => {
    const { Buffer } = require("buffer");
    const { coded, argumentType } = require("internal/errors");
    const { Stream, destroy, closeLater } = require("internal/readable");
    const later = (work) => queueMicrotask(work);

    function Writable(options) {
        if (!(this instanceof Writable) && !this?._writableState) return new Writable(options);
        Stream.call(this, options);
        Writable.init.call(this, options);
    }
    Writable.init = function (options = {}) {
        const objectMode = Boolean(options.objectMode || options.writableObjectMode);
        this._writableState = {
            objectMode,
            queue: [],
            length: 0,
            writing: false,
            ending: false,
            finished: false,
            needDrain: false,
            corked: 0,
            sync: false,
            decodeStrings: options.decodeStrings !== false,
            defaultEncoding: options.defaultEncoding ?? "utf8",
            highWaterMark:
                options.writableHighWaterMark ?? options.highWaterMark ?? (objectMode ? 16 : 16384),
        };
        this.destroyed ??= false;
        this.closed ??= false;
        this._autoDestroy = options.autoDestroy;
        for (const name of ["write", "writev", "final", "destroy"])
            if (typeof options[name] === "function") this[`_${name}`] = options[name];
        options.signal?.addEventListener("abort", () => this.destroy(options.signal.reason));
    };
    Writable.prototype = Object.create(Stream.prototype, {
        constructor: { value: Writable, writable: true, configurable: true },
    });
    Object.setPrototypeOf(Writable, Stream);

    const finish = (stream) => {
        const state = stream._writableState;
        if (
            !state.ending ||
            state.finished ||
            state.writing ||
            state.queue.length > 0 ||
            state.finishing ||
            stream.destroyed
        )
            return;
        state.finishing = true;
        const done = (error) => {
            if (error) return stream.destroy(error);
            later(() => {
                if (stream.destroyed) return;
                state.finished = true;
                for (const callback of state.endCallbacks ?? []) callback();
                stream.emit("finish");
                closeLater(stream);
            });
        };
        later(() => {
            if (stream.destroyed) return;
            if (typeof stream._final !== "function") return done();
            try {
                stream._final(done);
            } catch (error) {
                done(error);
            }
        });
    };
    const next = (stream) => {
        const state = stream._writableState;
        if (state.writing || state.corked > 0 || stream.destroyed) return;
        if (state.queue.length === 0) {
            if (state.needDrain && !state.ending) {
                state.needDrain = false;
                stream.emit("drain");
            }
            finish(stream);
            return;
        }
        state.writing = true;
        const many = typeof stream._writev === "function" && state.queue.length > 1;
        const batch = many ? state.queue.splice(0) : [state.queue.shift()];
        let called = false;
        const done = (error) => {
            if (called)
                return stream.destroy(
                    coded(Error, "ERR_MULTIPLE_CALLBACK", "Callback called multiple times"),
                );
            called = true;
            state.writing = false;
            for (const { size } of batch) state.length -= size;
            if (error) {
                for (const { callback } of batch) callback?.(error);
                stream.destroy(error);
                return;
            }
            later(() => {
                for (const { callback } of batch) callback?.(null);
                next(stream);
            });
        };
        try {
            if (many) stream._writev(batch, done);
            else stream._write(batch[0].chunk, batch[0].encoding, done);
        } catch (error) {
            done(error);
        }
    };
    const methods = {
        destroy,
        _destroy: (error, callback) => callback(error),
        _write(chunk, encoding, callback) {
            if (typeof this._writev === "function") this._writev([{ chunk, encoding }], callback);
            else throw coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _write() method is not implemented");
        },
        write(chunk, encoding, callback) {
            const state = this._writableState;
            if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
            encoding ??= state.defaultEncoding;
            if (chunk === null)
                throw coded(TypeError, "ERR_STREAM_NULL_VALUES", "May not write null values to stream");
            if (!state.objectMode) {
                if (typeof chunk === "string") {
                    if (state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding), "buffer"];
                } else if (chunk instanceof Uint8Array)
                    [chunk, encoding] = [Buffer.isBuffer(chunk) ? chunk : engine.bytes.wrap(chunk), "buffer"];
                else
                    throw argumentType(
                        "chunk",
                        "of type string or an instance of Buffer, TypedArray, or DataView",
                        chunk,
                    );
            }
            let problem;
            if (state.ending) problem = coded(Error, "ERR_STREAM_WRITE_AFTER_END", "write after end");
            else if (this.destroyed)
                problem = coded(
                    Error,
                    "ERR_STREAM_DESTROYED",
                    "Cannot call write after a stream was destroyed",
                );
            if (problem) {
                later(() => {
                    callback?.(problem);
                    if (!this.destroyed) this.destroy(problem);
                });
                return false;
            }
            const size = state.objectMode ? 1 : chunk.length;
            state.length += size;
            const room = state.length < state.highWaterMark;
            if (!room) state.needDrain = true;
            state.queue.push({ chunk, encoding, callback, size });
            next(this);
            return room;
        },
        end(chunk, encoding, callback) {
            const state = this._writableState;
            if (typeof chunk === "function") [chunk, callback] = [undefined, chunk];
            else if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
            if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
            state.corked = 0;
            if (callback) {
                if (state.finished) later(callback);
                else (state.endCallbacks ??= []).push(callback);
            }
            state.ending = true;
            next(this);
            return this;
        },
        cork() {
            this._writableState.corked++;
        },
        uncork() {
            if (this._writableState.corked > 0) this._writableState.corked--;
            next(this);
        },
        setDefaultEncoding(encoding) {
            this._writableState.defaultEncoding = encoding;
            return this;
        },
    };
    for (const [name, value] of Object.entries(methods))
        Object.defineProperty(Writable.prototype, name, { value, writable: true, configurable: true });
    const properties = {
        writable() {
            return !this.destroyed && !this._writableState.ending;
        },
        writableEnded() {
            return this._writableState.ending;
        },
        writableFinished() {
            return this._writableState.finished;
        },
        writableLength() {
            return this._writableState.length;
        },
        writableNeedDrain() {
            return this._writableState.needDrain;
        },
        writableHighWaterMark() {
            return this._writableState.highWaterMark;
        },
        writableObjectMode() {
            return this._writableState.objectMode;
        },
        writableCorked() {
            return this._writableState.corked;
        },
    };
    for (const [name, get] of Object.entries(properties))
        Object.defineProperty(Writable.prototype, name, { get, configurable: true });
    return { Writable };
}
