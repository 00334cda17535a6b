// Calls plugin functions and reports what became of each event.
(engine) => {
    const { host, text, stringify, clipped } = engine;
    const { apply, defineProperty, deref, hasOwn, isArray, isInstance, list, values, Date, Error, InternalError } =
        engine.kept;
    const { String, TypeError, WeakRef, weakGet, weakHas, weakMap, weakSet } = engine.kept;
    const { RetryError } = globalThis;
    const longestMessage = 10_000;
    const longestStack = 20_000;
    // May throw: `then` may be a getter of the plugin's.
    const isThenable = (value) => value !== null && typeof value === "object" && typeof value.then === "function";

    // A plugin may have put anything into an error; its mistake must not hide the error. Never throws.
    const shown = (make) => {
        try {
            return text(make());
        } catch {
            return "";
        }
    };
    const describe = (error) => {
        if (isInstance(error, Error)) {
            const name = shown(() => error.name) || "Error";
            const message = shown(() => error.message);
            const stack = shown(() => (typeof error.stack === "string" ? error.stack : ""));
            const whole = message === "" ? name : `${name}: ${message}`;
            return [clipped(whole, longestMessage), clipped(stack, longestStack), isInstance(error, RetryError)];
        }
        const message = shown(() => (typeof error === "object" ? stringify(error) : String(error)));
        return [clipped(message, longestMessage) || "a value that cannot be shown was thrown", "", false];
    };
    // QuickJS throws this when the memory limit is met, or null when not even the error fits. A plugin may
    // throw null as well, and then there is room.
    const isOutOfMemory = (error) => {
        if (error !== null) {
            return isInstance(error, InternalError) && shown(() => error.message) === "out of memory";
        }
        return !host.hasRoom();
    };

    // One pair of functions for each place in a batch; `this` is the event.
    const delayed = list();
    // Properties of events that were frozen with their accessor.
    const frozen = weakMap();
    const accessor = (index) => ({
        __proto__: null,
        get() {
            const entry = open[index];
            // Another event may have this place by now.
            if (entry?.event !== this && weakHas(frozen, this)) return weakGet(frozen, this);
            return entry?.read();
        },
        set(value) {
            open[index]?.settle(value);
        },
        enumerable: true,
        configurable: true,
    });

    const noEvent = "processEvent must return an event, or null to drop it";
    // An event of the batch in the plugin's hands. Its properties are read from their text when the
    // plugin first asks for them, so an event that is only handed on is never taken apart.
    class Open {
        index;
        event;
        isDone;
        isTouched;
        // A promise will finish it, perhaps after its batch.
        isAwaited = false;
        before = undefined;
        // What a frozen event cannot hold.
        settled = undefined;
        constructor(index) {
            this.index = index;
        }
        take(event) {
            this.event = event;
            this.isDone = false;
            this.isTouched = true;
        }
        delay() {
            const before = values(this.event);
            // Only what cannot change without its place in the event changing.
            for (let place = 0; place < before.length; place++) {
                if (typeof before[place] === "object" && before[place] !== null) {
                    this.settle(host.properties(this.index));
                    return;
                }
            }
            this.before = before;
            this.isTouched = false;
            defineProperty(this.event, "properties", (delayed[this.index] ??= accessor(this.index)));
        }
        read() {
            return this.isTouched ? this.settled : this.settle(host.properties(this.index));
        }
        settle(value) {
            this.isTouched = true;
            this.settled = value;
            try {
                defineProperty(this.event, "properties", {
                    __proto__: null,
                    value,
                    writable: true,
                    enumerable: true,
                    configurable: true,
                });
            } catch {
                // Frozen: the accessor stays and gives what was read.
                weakSet(frozen, this.event, value);
            }
            return value;
        }
        isUnchanged() {
            if (this.isTouched) return false;
            const { event, before } = this;
            let place = 0;
            for (const key in event) {
                if (key !== "properties" && event[key] !== before[place]) return false;
                place++;
            }
            return !this.isTouched && place === before.length;
        }
        fail(error) {
            if (this.isDone) return;
            this.isDone = true;
            if (isOutOfMemory(error)) return host.failed(this.index, 1, "out of memory", "", false, undefined);
            const told = describe(error);
            let changed;
            try {
                changed = stringify(this.event);
            } catch {}
            if (typeof changed !== "string") changed = undefined;
            host.failed(this.index, 0, told[0], told[1], told[2], changed);
        }
        finish(result) {
            if (this.isDone) return;
            if (!result) {
                this.isDone = true;
                return host.dropped(this.index);
            }
            if (result === this.event && this.isUnchanged()) {
                this.isDone = true;
                return host.unchanged(this.index);
            }
            try {
                if (typeof result !== "object" || isArray(result)) throw new TypeError(noEvent);
                const json = stringify(result);
                if (typeof json !== "string" || json[0] !== "{") throw new TypeError(noEvent);
                this.isDone = true;
                // Whether it is still the same team's is for the host to see.
                host.passed(this.index, json);
            } catch (error) {
                this.isDone = false;
                this.fail(error);
            }
        }
    }

    // Whatever the plugin made of promises, this waits: `await` asks nobody.
    const finishLater = async (entry, result) => {
        try {
            entry.finish(await result);
        } catch (error) {
            entry.fail(error);
        }
    };

    // By place in the batch. Entries serve batch after batch, unless a promise holds them.
    const open = list();
    engine.begin = (index, event, isLazy) => {
        engine.owner = index;
        const entry = (open[index] ??= new Open(index));
        entry.take(event);
        if (isLazy) entry.delay();
        let result;
        try {
            result = engine.methods.processEvent(event, engine.meta);
            if (isThenable(result)) {
                entry.isAwaited = true;
                finishLater(entry, result);
                return;
            }
        } catch (error) {
            return entry.fail(error);
        }
        entry.finish(result);
    };
    // Every event of the last batch has been reported.
    engine.endBatch = () => {
        // An event that somebody still holds may be asked for its properties later, when its text is gone.
        for (let at = 0; at < open.length; at++) {
            const entry = open[at];
            if (entry === undefined || entry.event === undefined) continue;
            if (!entry.isTouched) {
                const held = new WeakRef(entry.event);
                entry.event = undefined;
                entry.event = deref(held);
                if (entry.event !== undefined) entry.settle(host.properties(at));
            }
            entry.event = entry.before = entry.settled = undefined;
            if (entry.isAwaited) open[at] = undefined;
        }
    };
    engine.abandon = (index) => {
        engine.take(index);
        open[index]?.fail(new Error("processEvent returned a promise that nothing can settle"));
    };
    engine.overdue = (index) => {
        const entry = open[index];
        if (entry === undefined || entry.isDone) return;
        entry.isDone = true;
        host.failed(index, 2, "", "", true, undefined);
    };

    // For all but processEvent. The outcome: undefined while it runs, then [value?, error?].
    let call = null;
    engine.call = (method, self, values) => {
        const own = { outcome: undefined };
        call = own;
        engine.take(0);
        const fail = (error) => {
            own.outcome = [undefined, engine.describe(error)];
        };
        const succeed = (value) => {
            try {
                const json = value === undefined || value === null ? undefined : stringify(value);
                own.outcome = [json, undefined];
            } catch (error) {
                fail(error);
            }
        };
        if (typeof method !== "function") return succeed(undefined);
        try {
            const result = apply(method, self, values.length > 0 ? [values[0], engine.meta] : [engine.meta]);
            if (!isThenable(result)) return succeed(result);
            (async () => {
                try {
                    succeed(await result);
                } catch (error) {
                    fail(error);
                }
            })();
        } catch (error) {
            fail(error);
        }
    };
    engine.callMethod = (name, values) => {
        // The one function whose event has a Date.
        if (name === "composeWebhook") values[0].timestamp = new Date(values[0].timestamp);
        engine.call(engine.methods[name], undefined, values);
    };
    engine.callJob = (name, payload) => {
        const jobs = engine.methods.jobs ?? {};
        const job = hasOwn(jobs, name) ? jobs[name] : undefined;
        if (typeof job !== "function") {
            call = { outcome: [undefined, [0, `Error: there is no job "${name}" in jobs`, "", false]] };
            return;
        }
        engine.call(job, jobs, [payload]);
    };
    engine.callOutcome = () => call.outcome;
    engine.describe = (error) => {
        const told = describe(error);
        return [isOutOfMemory(error) ? 1 : 0, told[0], told[1], told[2]];
    };
}
