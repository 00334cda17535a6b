// `EventTarget` and what aborts.
() => {
    class Event {
        constructor(type, { cancelable = false, bubbles = false } = {}) {
            Object.assign(this, {
                type: String(type),
                cancelable,
                bubbles,
                defaultPrevented: false,
                target: null,
                currentTarget: null,
            });
            Object.defineProperty(this, "timeStamp", { value: Date.now(), enumerable: true });
        }
        preventDefault() {
            if (this.cancelable) this.defaultPrevented = true;
        }
        stopPropagation() {}
        stopImmediatePropagation() {
            this.stopped = true;
        }
    }
    class EventTarget {
        #listeners = [];
        addEventListener(type, listener, options) {
            const once = typeof options === "object" && options !== null && Boolean(options.once);
            if (
                listener === null ||
                this.#listeners.some((held) => held.type === type && held.listener === listener)
            )
                return;
            this.#listeners.push({ type, listener, once });
        }
        removeEventListener(type, listener) {
            this.#listeners = this.#listeners.filter(
                (held) => held.type !== type || held.listener !== listener,
            );
        }
        dispatchEvent(event) {
            event.target = event.currentTarget = this;
            for (const { type, listener, once } of this.#listeners.filter(
                (held) => held.type === event.type,
            )) {
                if (once) this.removeEventListener(type, listener);
                if (typeof listener === "function") listener.call(this, event);
                else listener.handleEvent(event);
                if (event.stopped) break;
            }
            return !event.defaultPrevented;
        }
    }

    const key = Symbol("signal");
    class AbortSignal extends EventTarget {
        #aborted = false;
        #reason;
        onabort = null;
        constructor(token) {
            if (token !== key)
                throw Object.assign(new TypeError("Illegal constructor"), {
                    code: "ERR_ILLEGAL_CONSTRUCTOR",
                });
            super();
        }
        get aborted() {
            return this.#aborted;
        }
        get reason() {
            return this.#reason;
        }
        throwIfAborted() {
            if (this.#aborted) throw this.#reason;
        }
        static fire(signal, reason = new DOMException("This operation was aborted", "AbortError")) {
            if (signal.#aborted) return;
            signal.#aborted = true;
            signal.#reason = reason;
            const event = new Event("abort");
            signal.onabort?.(event);
            signal.dispatchEvent(event);
        }
        static abort(reason) {
            const signal = new AbortSignal(key);
            fire(signal, reason);
            return signal;
        }
        static timeout(ms) {
            const signal = new AbortSignal(key);
            setTimeout(
                () =>
                    fire(
                        signal,
                        new DOMException("The operation was aborted due to timeout", "TimeoutError"),
                    ),
                ms,
            );
            return signal;
        }
        static any(signals) {
            const joined = new AbortSignal(key);
            for (const signal of signals) {
                if (signal.aborted) fire(joined, signal.reason);
                else signal.addEventListener("abort", () => fire(joined, signal.reason), { once: true });
            }
            return joined;
        }
    }
    const { fire } = AbortSignal;
    delete AbortSignal.fire;
    class AbortController {
        #signal = new AbortSignal(key);
        get signal() {
            return this.#signal;
        }
        abort(reason) {
            fire(this.#signal, reason);
        }
    }
    return { AbortController, AbortSignal, Event, EventTarget };
}
