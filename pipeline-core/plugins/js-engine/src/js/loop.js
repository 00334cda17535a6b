// The event loop: answers of the host, and timers.
//
// Each piece of waiting work remembers for which event it was begun, and that event is in hand again
// while the work goes on. What is left over from an earlier batch belongs to nobody.
(engine) => {
    const { host } = engine;
    const nobody = -1;
    const { map, sizeOf } = engine.kept;
    const waiting = map();

    engine.owner = nobody;
    engine.take = (owner) => {
        if (engine.owner === owner) return;
        engine.owner = owner;
        host.inHand(owner);
    };
    engine.newBatch = () => {
        waiting.forEach((work) => {
            work.owner = nobody;
        });
        engine.owner = nobody;
    };

    engine.isWaiting = () => sizeOf(waiting) > 0;

    // One answer of the host, for the number of a call.
    engine.complete = (number, kind, answer) => {
        const work = waiting.get(number);
        if (work === undefined) return;
        waiting.delete(number);
        // Waiting has put everything into the background.
        engine.owner = work.owner;
        host.inHand(work.owner);
        work.settle(kind, answer);
    };

    // Base of `fetch`: a promise of {status, statusText, url, redirected, headers, body}.
    engine.request = ({ method, url, headers, body, redirect = "follow" }) =>
        new Promise((resolve, reject) => {
            const number = host.httpStart(method, url, headers, body, redirect);
            const settle = (kind, answer) => {
                if (kind === "response") return resolve(answer);
                const error = new Error(answer.message);
                error.code = answer.code;
                reject(error);
            };
            waiting.set(number, { owner: engine.owner, settle });
        });
    // Promises of this request get no answer any more.
    engine.cancel = (number) => {
        if (waiting.delete(number)) host.cancel(number);
    };

    class Timeout {
        constructor(callback, milliseconds, values, repeat) {
            if (typeof callback !== "function") {
                throw new TypeError('The "callback" argument must be of type function.');
            }
            this.milliseconds = Math.max(repeat ? 1 : 0, Number(milliseconds) || 0);
            this.callback = callback;
            this.values = values;
            this.repeats = repeat;
            this.#start();
        }
        #start() {
            this.number = host.sleep(this.milliseconds);
            waiting.set(this.number, { owner: engine.owner, settle: () => this.#run() });
        }
        #run() {
            this.number = undefined;
            if (this.repeats) this.#start();
            try {
                this.callback(...this.values);
            } catch (error) {
                // Nobody waits for this function, so its error can only be told.
                host.log(4, `A timer's function failed: ${engine.describe(error)[1]}`);
            }
        }
        close() {
            this.repeats = false;
            if (this.number !== undefined) engine.cancel(this.number);
            this.number = undefined;
            return this;
        }
        refresh() {
            if (this.number !== undefined) {
                engine.cancel(this.number);
                this.#start();
            }
            return this;
        }
        hasRef() {
            return true;
        }
        ref() {
            return this;
        }
        unref() {
            return this;
        }
        [Symbol.toPrimitive]() {
            return this.number ?? 0;
        }
    }
    const clear = (timer) => {
        if (timer instanceof Timeout) timer.close();
        else if (typeof timer === "number") engine.cancel(timer);
    };
    Object.assign(globalThis, {
        setTimeout: (callback, milliseconds, ...values) => new Timeout(callback, milliseconds, values, false),
        setInterval: (callback, milliseconds, ...values) => new Timeout(callback, milliseconds, values, true),
        setImmediate: (callback, ...values) => new Timeout(callback, 0, values, false),
        clearTimeout: clear,
        clearInterval: clear,
        clearImmediate: clear,
    });
    globalThis.queueMicrotask ??= (callback) => {
        Promise.resolve().then(callback);
    };
}
