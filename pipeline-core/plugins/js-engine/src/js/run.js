// Calls plugin functions and reports what became of each event.
(engine) => {
    const { host, text, stringify } = engine;
    const isThenable = (value) => value !== null && typeof value === "object" && typeof value.then === "function";

    const describe = (error) => {
        if (error instanceof Error) {
            // A plugin may have put anything into these two; its mistake must not hide the error.
            let message = "Error";
            try {
                message = text(`${error.name}: ${error.message}`);
            } catch {}
            return [message, typeof error.stack === "string" ? text(error.stack) : "", error instanceof RetryError];
        }
        let message = "a value that cannot be shown";
        try {
            message = typeof error === "object" ? stringify(error) : String(error);
        } catch {}
        return [text(message ?? "undefined"), "", false];
    };
    // QuickJS throws this when the memory limit is met, or null when not even the error fits.
    const isOutOfMemory = (error) =>
        error === null || (error instanceof InternalError && error.message === "out of memory");

    // One pair of functions for each place in a batch; `this` is the event.
    const delayed = [];
    const accessor = (index) => ({
        get() {
            return open[index].settle(host.properties(index));
        },
        set(value) {
            open[index].settle(value);
        },
        enumerable: true,
        configurable: true,
    });

    // An event of the batch in the plugin's hands. Its properties are read from their text when the
    // plugin first asks for them, so an event that is only handed on is never taken apart.
    class Open {
        constructor(index, event) {
            this.index = index;
            this.event = event;
            this.team = event.team_id;
            this.isDone = false;
            this.isTouched = true;
            this.before = undefined;
        }
        delay() {
            const before = Object.values(this.event);
            // Only what cannot change without its place in the event changing.
            for (let place = 0; place < before.length; place++) {
                if (typeof before[place] === "object" && before[place] !== null) {
                    this.settle(host.properties(this.index));
                    return;
                }
            }
            this.before = before;
            this.isTouched = false;
            Object.defineProperty(this.event, "properties", (delayed[this.index] ??= accessor(this.index)));
        }
        settle(value) {
            this.isTouched = true;
            Object.defineProperty(this.event, "properties", {
                value,
                writable: true,
                enumerable: true,
                configurable: true,
            });
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
            const [message, stack, retry] = describe(error);
            let changed;
            try {
                this.event.team_id = this.team;
                changed = stringify(this.event);
            } catch {}
            host.failed(this.index, 0, message, stack, retry, changed);
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
                if (typeof result !== "object" || Array.isArray(result)) {
                    throw new TypeError("processEvent must return an event, or null to drop it");
                }
                const hasMoved = result.team_id !== this.team;
                if (hasMoved) result.team_id = this.team;
                const json = stringify(result);
                this.isDone = true;
                if (hasMoved) {
                    host.failed(this.index, 0, "Error: Plugin tried to change event.team_id", "", false, json);
                } else {
                    host.passed(this.index, json);
                }
            } catch (error) {
                this.isDone = false;
                this.fail(error);
            }
        }
    }

    let open = [];
    engine.begin = (index, event, isLazy) => {
        engine.owner = index;
        const entry = new Open(index, event);
        open[index] = entry;
        if (isLazy) entry.delay();
        let result;
        try {
            result = engine.methods.processEvent(event, engine.meta);
        } catch (error) {
            return entry.fail(error);
        }
        if (!isThenable(result)) return entry.finish(result);
        result.then(
            (value) => entry.finish(value),
            (error) => entry.fail(error),
        );
    };
    // Every event of the last batch has been reported.
    engine.endBatch = () => {
        // Work that goes on may still ask for properties.
        if (engine.isWaiting()) {
            for (const entry of open) {
                if (!entry.isTouched) entry.settle(host.properties(entry.index));
            }
        }
        open = [];
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
            own.outcome = [undefined, [isOutOfMemory(error) ? 1 : 0, ...describe(error)]];
        };
        const succeed = (value) => {
            try {
                own.outcome = [value === undefined || value === null ? undefined : stringify(value), undefined];
            } catch (error) {
                fail(error);
            }
        };
        if (typeof method !== "function") return succeed(undefined);
        try {
            const result = method.call(self, ...values, engine.meta);
            if (!isThenable(result)) succeed(result);
            else result.then(succeed, fail);
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
        const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
        if (typeof job !== "function") {
            call = { outcome: [undefined, [0, `Error: there is no job "${name}" in jobs`, "", false]] };
            return;
        }
        engine.call(job, jobs, [payload]);
    };
    engine.callOutcome = () => call.outcome;
    engine.describe = (error) => [isOutOfMemory(error) ? 1 : 0, ...describe(error)];
}
