// `URL` and `URLSearchParams` over the parser of the engine, which follows the WHATWG standard.
(engine) => {
    const { host, text } = engine;
    const decode = (value) => {
        const spaced = value.replaceAll("+", " ");
        try {
            return decodeURIComponent(spaced);
        } catch {
            return spaced;
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
                const entries = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
                this.#pairs = entries.map(([key, value]) => [text(key), text(value)]);
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
        has(key) {
            return this.#pairs.some((pair) => pair[0] === key);
        }
        append(key, value) {
            this.#pairs.push([text(key), text(value)]);
            this.#changed();
        }
        delete(key) {
            this.#pairs = this.#pairs.filter((pair) => pair[0] !== key);
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
        [Symbol.iterator]() {
            return this.entries();
        }
        toString() {
            return this.#pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&");
        }
    }

    const fields = [
        "href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash",
    ];
    class URL {
        #parts;
        #params;

        constructor(href, base) {
            this.#parts = host.urlParse(text(href), base === undefined ? undefined : text(base));
            if (this.#parts === undefined) throw new TypeError(`Invalid URL: ${href}`);
        }
        static canParse(href, base) {
            return host.urlParse(text(href), base === undefined ? undefined : text(base)) !== undefined;
        }
        get origin() {
            return this.#parts[fields.length];
        }
        get searchParams() {
            this.#params ??= new URLSearchParams(this.search, () => this.#write("search", this.#params.toString()));
            return this.#params;
        }
        toString() {
            return this.href;
        }
        toJSON() {
            return this.href;
        }
        #write(field, value) {
            const parts = host.urlSet(this.href, field, text(value));
            if (parts !== undefined) this.#parts = parts;
            else if (field === "href") throw new TypeError(`Invalid URL: ${value}`);
        }
        static {
            fields.forEach((field, index) => {
                Object.defineProperty(URL.prototype, field, {
                    enumerable: true,
                    configurable: true,
                    get() {
                        return this.#parts[index];
                    },
                    set(value) {
                        this.#write(field, value);
                        if (field === "href" || field === "search") this.#params = undefined;
                    },
                });
            });
        }
    }
    globalThis.URL = URL;
    globalThis.URLSearchParams = URLSearchParams;
}
