// Errors as Node makes them, with a `code`.
() => {
    const coded = (Type, code, message) => {
        const error = new Type(message);
        error.code = code;
        return error;
    };
    // "Received ..." as Node's messages end.
    const received = (value) => {
        if (value === null || value === undefined) return `Received ${value}`;
        if (typeof value === "function") return `Received function ${value.name}`;
        if (typeof value === "object") {
            const name = value.constructor?.name;
            return name ? `Received an instance of ${name}` : "Received [Object: null prototype] {}";
        }
        let shown = typeof value === "string" ? `'${value}'` : String(value);
        if (shown.length > 28) shown = `${shown.slice(0, 25)}...${typeof value === "string" ? "'" : ""}`;
        if (typeof value === "bigint") shown += "n";
        return `Received type ${typeof value} (${shown})`;
    };
    const argumentType = (name, expected, value) =>
        coded(
            TypeError,
            "ERR_INVALID_ARG_TYPE",
            `The "${name}" ${name.includes(".") ? "property" : "argument"} must be ${expected}. ${received(value)}`,
        );
    const outOfRange = (name, range, value) =>
        coded(
            RangeError,
            "ERR_OUT_OF_RANGE",
            `The value of "${name}" is out of range. It must be ${range}. Received ${value}`,
        );
    const needFunction = (value, name = "callback") => {
        if (typeof value !== "function") throw argumentType(name, "of type function", value);
        return value;
    };
    const systemError = (Type, name, message) => {
        const error = new Type(message);
        error.name = name;
        return error;
    };
    return { coded, received, argumentType, outOfRange, needFunction, systemError };
}
