// `querystring`.
(engine, require) => {
    const escape = (value) => encodeURIComponent(typeof value === "string" ? value.toWellFormed() : value);
    const unescape = (value) => {
        try {
            return decodeURIComponent(value);
        } catch {
            const { Buffer } = require("buffer");
            return value.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) =>
                Buffer.from(run.replaceAll("%", ""), "hex").toString(),
            );
        }
    };
    const shown = (value) => {
        if (typeof value === "string") return value;
        if (typeof value === "number" && Number.isFinite(value)) return String(value);
        return typeof value === "bigint" || typeof value === "boolean" ? String(value) : "";
    };
    const querystring = {
        escape,
        unescape,
        stringify(
            object,
            separator = "&",
            equals = "=",
            { encodeURIComponent: encode = querystring.escape } = {},
        ) {
            if (object === null || typeof object !== "object") return "";
            return Object.entries(object)
                .flatMap(([key, value]) =>
                    (Array.isArray(value) ? value : [value]).map(
                        (one) => `${encode(key)}${equals}${encode(shown(one))}`,
                    ),
                )
                .join(separator);
        },
        parse(
            query,
            separator = "&",
            equals = "=",
            { maxKeys = 1000, decodeURIComponent: decode = querystring.unescape } = {},
        ) {
            const parsed = Object.create(null);
            if (typeof query !== "string" || query === "") return parsed;
            let parts = query.split(separator);
            if (maxKeys > 0) parts = parts.slice(0, maxKeys);
            for (const part of parts) {
                if (part === "") continue;
                const at = part.indexOf(equals);
                const [key, value] = (
                    at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + equals.length)]
                ).map((one) => decode(one.replaceAll("+", " ")));
                if (!(key in parsed)) parsed[key] = value;
                else if (Array.isArray(parsed[key])) parsed[key].push(value);
                else parsed[key] = [parsed[key], value];
            }
            return parsed;
        },
    };
    querystring.encode = querystring.stringify;
    querystring.decode = querystring.parse;
    return querystring;
}
