// `util`.
(engine, require) => {
    const { coded, argumentType, needFunction } = require("internal/errors");
    const { inspect, format } = require("internal/inspect");
    const { isDeepEqual } = require("internal/equality");
    const types = require("util/types");
    const promisified = Symbol.for("nodejs.util.promisify.custom");

    const promisify = (original) => {
        needFunction(original, "original");
        if (typeof original[promisified] === "function") return original[promisified];
        const wrapped = function (...values) {
            return new Promise((resolve, reject) => {
                original.call(this, ...values, (error, value) => (error ? reject(error) : resolve(value)));
            });
        };
        Object.defineProperty(wrapped, promisified, { value: wrapped, configurable: true });
        return Object.setPrototypeOf(wrapped, Object.getPrototypeOf(original));
    };
    promisify.custom = promisified;
    const callbackify = (original) =>
        function (...values) {
            const callback = needFunction(values.pop(), "last argument");
            original.apply(this, values).then(
                (value) => queueMicrotask(() => callback(null, value)),
                (error) =>
                    queueMicrotask(() =>
                        callback(
                            error ??
                                Object.assign(new Error("Promise was rejected with a falsy value"), {
                                    reason: error,
                                }),
                        ),
                    ),
            );
        };
    const inherits = (child, parent) => {
        needFunction(child, "ctor");
        needFunction(parent, "superCtor");
        Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
        Object.setPrototypeOf(child.prototype, parent.prototype);
    };
    const warned = new Set();
    const deprecate = (work, message, code) =>
        function (...values) {
            const key = code ?? message;
            if (!warned.has(key)) {
                warned.add(key);
                console.warn(`DeprecationWarning: ${message}`);
            }
            return new.target ? Reflect.construct(work, values, new.target) : work.apply(this, values);
        };
    const is = (type) => (value) => typeof value === type;
    const util = {
        promisify,
        callbackify,
        inherits,
        deprecate,
        inspect,
        format,
        types,
        formatWithOptions: (options, ...values) => format(...values),
        isDeepStrictEqual: (a, b) => isDeepEqual(a, b, true),
        debuglog: () => Object.assign(() => {}, { enabled: false }),
        debug: () => Object.assign(() => {}, { enabled: false }),
        stripVTControlCharacters: (text) => {
            if (typeof text !== "string") throw argumentType("str", "of type string", text);
            return text.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007]*\u0007)/g, "");
        },
        toUSVString: (text) => String(text).toWellFormed(),
        getSystemErrorName: (code) => {
            throw coded(RangeError, "ERR_OUT_OF_RANGE", `No name is known for the system error ${code}`);
        },
        isArray: Array.isArray,
        isBoolean: is("boolean"),
        isNumber: is("number"),
        isString: is("string"),
        isSymbol: is("symbol"),
        isUndefined: is("undefined"),
        isFunction: is("function"),
        isNull: (value) => value === null,
        isNullOrUndefined: (value) => value === null || value === undefined,
        isRegExp: types.isRegExp,
        isDate: types.isDate,
        isError: (value) => value instanceof Error,
        isObject: (value) => value !== null && typeof value === "object",
        isPrimitive: (value) => value === null || (typeof value !== "object" && typeof value !== "function"),
        isBuffer: (value) => require("buffer").Buffer.isBuffer(value),
    };
    for (const name of ["TextEncoder", "TextDecoder"]) {
        Object.defineProperty(util, name, {
            enumerable: true,
            get: () => require("internal/encoding")[name],
        });
    }
    return util;
}
