// `URL` over the parser of the engine, which follows the WHATWG standard.
(engine, require) => {
    const { host, text } = engine;
    const { URLSearchParams } = require("internal/search_params");
    const { coded } = require("internal/errors");
    const invalid = (input, base) => {
        const error = coded(TypeError, "ERR_INVALID_URL", "Invalid URL");
        error.input = input;
        if (base !== undefined) error.base = base;
        return error;
    };

    const fields = [
        "href",
        "protocol",
        "username",
        "password",
        "host",
        "hostname",
        "port",
        "pathname",
        "search",
        "hash",
    ];
    class URL {
        #parts;
        #params;

        constructor(href, base) {
            this.#parts = host.urlParse(text(href), base === undefined ? undefined : text(base));
            if (this.#parts === undefined)
                throw invalid(text(href), base === undefined ? undefined : text(base));
        }
        static canParse(href, base) {
            return host.urlParse(text(href), base === undefined ? undefined : text(base)) !== undefined;
        }
        get origin() {
            return this.#parts[fields.length];
        }
        get searchParams() {
            this.#params ??= new URLSearchParams(this.search, () =>
                this.#write("search", this.#params.toString()),
            );
            return this.#params;
        }
        get [Symbol.toStringTag]() {
            return "URL";
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
            else if (field === "href") throw invalid(text(value));
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
    return { URL };
}
