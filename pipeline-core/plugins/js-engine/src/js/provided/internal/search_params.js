// `URLSearchParams`, after the WHATWG standard.
(engine, require) => {
    const { text } = engine;
    const { coded } = require("internal/errors");
    // What is not percent-encoding stays; what is not UTF-8 becomes U+FFFD.
    const decode = (value) => {
        const spaced = value.replaceAll("+", " ");
        if (!spaced.includes("%")) return spaced;
        try {
            return decodeURIComponent(spaced);
        } catch {
            return spaced.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) =>
                engine.host.bytesToText(engine.host.textToBytes(run.replaceAll("%", ""), "hex"), "utf8"),
            );
        }
    };
    const encode = (value) =>
        encodeURIComponent(value)
            .replaceAll("%20", "+")
            .replace(/[!'()~]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());

    class URLSearchParams {
        #pairs = [];
        #changed = () => {};

        constructor(init = "", changed) {
            if (changed) this.#changed = changed;
            if (typeof init === "object" && init !== null) {
                const entries =
                    typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
                this.#pairs = entries.map((pair) => {
                    const [key, value, ...more] = pair;
                    if (
                        typeof pair !== "object" ||
                        (value === undefined && pair.length < 2) ||
                        more.length > 0
                    ) {
                        throw coded(
                            TypeError,
                            "ERR_INVALID_TUPLE",
                            "Each query pair must be an iterable [name, value] tuple",
                        );
                    }
                    return [text(key), text(value)];
                });
                return;
            }
            for (const part of text(init).replace(/^\?/, "").split("&")) {
                if (part === "") continue;
                const at = part.indexOf("=");
                const [key, value] = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
                this.#pairs.push([decode(key), decode(value)]);
            }
        }
        get size() {
            return this.#pairs.length;
        }
        get(key) {
            return this.#pairs.find((pair) => pair[0] === key)?.[1] ?? null;
        }
        getAll(key) {
            return this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1]);
        }
        has(key, value) {
            return this.#pairs.some(
                (pair) => pair[0] === key && (value === undefined || pair[1] === text(value)),
            );
        }
        append(key, value) {
            this.#pairs.push([text(key), text(value)]);
            this.#changed();
        }
        delete(key, value) {
            this.#pairs = this.#pairs.filter(
                (pair) => pair[0] !== key || (value !== undefined && pair[1] !== text(value)),
            );
            this.#changed();
        }
        set(key, value) {
            const at = this.#pairs.findIndex((pair) => pair[0] === key);
            const kept = this.#pairs.filter((pair, index) => pair[0] !== key || index === at);
            if (at < 0) kept.push([text(key), text(value)]);
            else kept.find((pair) => pair[0] === key)[1] = text(value);
            this.#pairs = kept;
            this.#changed();
        }
        sort() {
            this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
            this.#changed();
        }
        forEach(callback, self) {
            for (const [key, value] of this.#pairs) callback.call(self, value, key, this);
        }
        *keys() {
            for (const [key] of this.#pairs) yield key;
        }
        *values() {
            for (const [, value] of this.#pairs) yield value;
        }
        *entries() {
            for (const [key, value] of this.#pairs) yield [key, value];
        }
        get [Symbol.toStringTag]() {
            return "URLSearchParams";
        }
        [Symbol.iterator]() {
            return this.entries();
        }
        toString() {
            return this.#pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&");
        }
    }

    return { URLSearchParams };
}
