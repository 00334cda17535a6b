// Values on their way to Snowflake and back. Everything travels as text; the column's type says what it is.
(require, module, exports) => {
    const typeOf = (value) => {
        if (typeof value === "boolean") return "BOOLEAN";
        if (typeof value === "number") return Number.isInteger(value) ? "FIXED" : "REAL";
        if (typeof value === "object" && value !== null && !(value instanceof Date)) return "VARIANT";
        return "TEXT";
    };
    const textOf = (value) => {
        if (value === null || typeof value === "string") return value;
        return value instanceof Date ? value.toJSON() : JSON.stringify(value);
    };

    // `[1, "a"]` binds one row, `[[1, "a"], [2, "b"]]` several.
    exports.bindings = (binds) => {
        const isMany = Array.isArray(binds[0]);
        const first = isMany ? binds[0] : binds;
        return Object.fromEntries(
            first.map((value, index) => {
                const text = isMany ? binds.map((row) => textOf(row[index])) : textOf(value);
                return [index + 1, { type: typeOf(value), value: text }];
            }),
        );
    };

    const seconds = (text) => new Date(Math.round(Number(text) * 1000));
    const time = (text) => new Date(Number(text) * 1000).toISOString().slice(11, 19);
    const variant = (text) => {
        try {
            return JSON.parse(text, (key, value) => value);
        } catch {
            return text;
        }
    };
    const readers = {
        fixed: Number,
        real: Number,
        boolean: (text) => text === "1" || text.toLowerCase() === "true",
        date: (text) => new Date(Number(text) * 86400000),
        time,
        timestamp_ltz: seconds,
        timestamp_ntz: seconds,
        timestamp_tz: (text) => seconds(text.split(" ")[0]),
        variant,
        object: variant,
        array: variant,
        binary: (text) => Buffer.from(text, "hex"),
    };
    const families = {
        Number: ["fixed", "real"],
        Date: ["date", "time", "timestamp_ltz", "timestamp_ntz", "timestamp_tz"],
        Boolean: ["boolean"],
        JSON: ["variant", "object", "array"],
        Buffer: ["binary"],
    };

    exports.rowReader = (rowtype, asString = []) => {
        const kept = new Set(asString.flatMap((family) => families[family] ?? []));
        const columns = rowtype.map(({ name, type }) => {
            const lower = type.toLowerCase();
            return [name, kept.has(lower) ? String : (readers[lower] ?? String)];
        });
        return (row) =>
            Object.fromEntries(
                columns.map(([name, read], index) => [name, row[index] === null ? null : read(row[index])]),
            );
    };
}
