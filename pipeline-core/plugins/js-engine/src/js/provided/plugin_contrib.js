// `@posthog/plugin-contrib`: `createBuffer`, which gathers objects until there are points enough or time
// has passed. A failing flush is logged, since nobody waits for one that the buffer starts itself.
() => {
    const createBuffer = (options = {}) => {
        let [held, points, timer] = [[], 0, null];
        const settings = { limit: 10, timeoutSeconds: 60, ...options };
        const flush = async () => {
            if (timer !== null) clearTimeout(timer);
            timer = null;
            if (held.length === 0 && points === 0) return;
            const [objects, total] = [held, points];
            [held, points] = [[], 0];
            await settings.onFlush?.(objects, total);
        };
        const flushUnattended = () =>
            void flush().catch((error) => console.error("createBuffer: onFlush failed:", error));
        const add = (object, worth = 1) => {
            if (points > 0 && points + worth > settings.limit) flushUnattended();
            points += worth;
            held.push(object);
            if (points > settings.limit) flushUnattended();
            else timer ??= setTimeout(flushUnattended, settings.timeoutSeconds * 1000);
        };
        // Under the names that plugins have looked into.
        return {
            add,
            flush,
            get _buffer() {
                return held;
            },
            get _points() {
                return points;
            },
            get _timeout() {
                return timer;
            },
            get _options() {
                return settings;
            },
        };
    };
    return { createBuffer };
}
