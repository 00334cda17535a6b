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

    // The promise a plugin returned; settled by the job loop outside.
    let waiting = false;

    // The event in hand, and the team it has to stay with.
    let event = null;
    let team;

    const failed = (error) => {
        if (isOutOfMemory(error)) return host.failed(true, "out of memory", "", false, undefined);
        const [message, stack, retry] = describe(error);
        let changed;
        try {
            event.team_id = team;
            changed = stringify(event);
        } catch {}
        host.failed(false, message, stack, retry, changed);
    };
    const finished = (result) => {
        if (!result) return host.dropped();
        try {
            if (typeof result !== "object" || Array.isArray(result)) {
                throw new TypeError("processEvent must return an event, or null to drop it");
            }
            const moved = result.team_id !== team;
            if (moved) result.team_id = team;
            const json = stringify(result);
            if (moved) host.failed(false, "Error: Plugin tried to change event.team_id", "", false, json);
            else host.passed(json);
        } catch (error) {
            failed(error);
        }
    };

    // Returns whether the event is done; if not, the caller runs jobs and asks `isWaiting`.
    engine.begin = (next) => {
        event = next;
        team = next.team_id;
        let result;
        try {
            result = engine.methods.processEvent(event, engine.meta);
        } catch (error) {
            failed(error);
            return true;
        }
        if (!isThenable(result)) {
            finished(result);
            return true;
        }
        waiting = true;
        const own = next;
        const settle = (report) => (value) => {
            if (!waiting || event !== own) return;
            waiting = false;
            report(value);
        };
        result.then(settle(finished), settle(failed));
        return false;
    };
    engine.isWaiting = () => waiting;
    engine.abandon = () => {
        waiting = false;
        failed(new Error("processEvent returned a promise that nothing can settle"));
    };

    // For all but processEvent: the outcome as [done, error?]. `meta` follows the argument, if there is one.
    let call = null;
    engine.call = (name, argument) => {
        const own = { done: false, error: undefined };
        call = own;
        const method = engine.methods[name];
        if (typeof method !== "function") {
            own.done = true;
            return;
        }
        const fail = (error) => {
            own.done = true;
            own.error = [isOutOfMemory(error), ...describe(error)];
        };
        try {
            const result = argument === undefined ? method(engine.meta) : method(argument, engine.meta);
            if (!isThenable(result)) own.done = true;
            else result.then(() => { own.done = true; }, fail);
        } catch (error) {
            fail(error);
        }
    };
    engine.callError = () =>
        call.done ? call.error : [false, "Error: returned a promise that nothing can settle", "", false];
    engine.describe = (error) => [isOutOfMemory(error), ...describe(error)];
}
