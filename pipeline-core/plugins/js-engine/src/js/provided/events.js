// `events`. The module is the class itself, as in Node.
(engine, require) => {
    const { coded, argumentType } = require("internal/errors");
    const check = (listener) => {
        if (typeof listener !== "function") throw argumentType("listener", "of type function", listener);
    };

    function EventEmitter() {
        EventEmitter.init.call(this);
    }
    EventEmitter.init = function () {
        if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events)
            this._events = Object.create(null);
        this._maxListeners ??= undefined;
    };
    EventEmitter.prototype._events = undefined;
    EventEmitter.prototype._maxListeners = undefined;
    const listeners = (emitter, name) => {
        if (emitter._events === undefined) EventEmitter.init.call(emitter);
        return emitter._events[name];
    };
    const add = (emitter, name, listener, first) => {
        check(listener);
        const held = listeners(emitter, name);
        if (emitter._events.newListener !== undefined)
            emitter.emit("newListener", name, listener.listener ?? listener);
        if (held === undefined) emitter._events[name] = [listener];
        else emitter._events[name] = first ? [listener, ...held] : [...held, listener];
        return emitter;
    };
    const onceOf = (emitter, name, listener) => {
        check(listener);
        const wrapper = function (...values) {
            emitter.removeListener(name, wrapper);
            return listener.apply(emitter, values);
        };
        wrapper.listener = listener;
        return wrapper;
    };
    const methods = {
        on(name, listener) {
            return add(this, name, listener, false);
        },
        prependListener(name, listener) {
            return add(this, name, listener, true);
        },
        once(name, listener) {
            return add(this, name, onceOf(this, name, listener), false);
        },
        prependOnceListener(name, listener) {
            return add(this, name, onceOf(this, name, listener), true);
        },
        removeListener(name, listener) {
            check(listener);
            const held = listeners(this, name);
            if (held === undefined) return this;
            const at = held.findLastIndex((one) => one === listener || one.listener === listener);
            if (at < 0) return this;
            const rest = held.toSpliced(at, 1);
            if (rest.length > 0) this._events[name] = rest;
            else delete this._events[name];
            if (this._events.removeListener !== undefined) this.emit("removeListener", name, listener);
            return this;
        },
        removeAllListeners(name) {
            if (this._events === undefined || name === undefined) this._events = Object.create(null);
            else delete this._events[name];
            return this;
        },
        emit(name, ...values) {
            const held = listeners(this, name);
            if (held === undefined) {
                if (name !== "error") return false;
                if (values[0] instanceof Error) throw values[0];
                const error = coded(
                    Error,
                    "ERR_UNHANDLED_ERROR",
                    `Unhandled error. (${require("internal/inspect").inspect(values[0])})`,
                );
                error.context = values[0];
                throw error;
            }
            for (const listener of held) listener.apply(this, values);
            return true;
        },
        listeners(name) {
            return (listeners(this, name) ?? []).map((one) => one.listener ?? one);
        },
        rawListeners(name) {
            return [...(listeners(this, name) ?? [])];
        },
        listenerCount(name) {
            return listeners(this, name)?.length ?? 0;
        },
        eventNames() {
            return this._events === undefined ? [] : Reflect.ownKeys(this._events);
        },
        setMaxListeners(count) {
            this._maxListeners = count;
            return this;
        },
        getMaxListeners() {
            return this._maxListeners ?? EventEmitter.defaultMaxListeners;
        },
    };
    methods.addListener = methods.on;
    methods.off = methods.removeListener;
    for (const [name, value] of Object.entries(methods)) {
        Object.defineProperty(EventEmitter.prototype, name, {
            value,
            writable: true,
            configurable: true,
            enumerable: true,
        });
    }

    // The next occurrence as a promise of its values; works for emitters and event targets.
    const once = (emitter, name, { signal } = {}) =>
        new Promise((resolve, reject) => {
            if (signal?.aborted) return reject(signal.reason);
            if (typeof emitter.addEventListener === "function") {
                emitter.addEventListener(name, (event) => resolve([event]), { once: true });
                return;
            }
            const failed = (error) => {
                emitter.removeListener(name, happened);
                reject(error);
            };
            const happened = (...values) => {
                emitter.removeListener("error", failed);
                resolve(values);
            };
            emitter.once(name, happened);
            if (name !== "error") emitter.once("error", failed);
            signal?.addEventListener("abort", () => {
                emitter.removeListener(name, happened);
                emitter.removeListener("error", failed);
                reject(signal.reason);
            });
        });
    // All occurrences, as an endless async iterator.
    const on = (emitter, name) => {
        const [waiting, ready] = [[], []];
        let failure;
        const happened = (...values) =>
            waiting.length > 0 ? waiting.shift().resolve({ value: values, done: false }) : ready.push(values);
        const failed = (error) => (waiting.length > 0 ? waiting.shift().reject(error) : (failure = error));
        emitter.on(name, happened);
        if (name !== "error") emitter.on("error", failed);
        return {
            next() {
                if (ready.length > 0) return Promise.resolve({ value: ready.shift(), done: false });
                if (failure !== undefined) return Promise.reject(failure);
                return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
            },
            return() {
                emitter.removeListener(name, happened);
                emitter.removeListener("error", failed);
                for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
                return Promise.resolve({ value: undefined, done: true });
            },
            [Symbol.asyncIterator]() {
                return this;
            },
        };
    };
    return Object.assign(EventEmitter, {
        EventEmitter,
        once,
        on,
        defaultMaxListeners: 10,
        errorMonitor: Symbol("events.errorMonitor"),
        captureRejectionSymbol: Symbol.for("nodejs.rejection"),
        listenerCount: (emitter, name) => emitter.listenerCount(name),
    });
}
