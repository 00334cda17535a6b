// Deep equality, strict and loose, for `util` and `assert`.
() => {
    const keysOf = (value) =>
        Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
    const primitive = (a, b, strict) => (strict ? Object.is(a, b) : a == b || (a !== a && b !== b));
    const equal = (a, b, strict, seen) => {
        if (a === b) return a !== 0 || !strict || Object.is(a, b);
        if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
            const boxed = (typeof a === "object" && a !== null) || (typeof b === "object" && b !== null);
            return boxed ? false : primitive(a, b, strict);
        }
        if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
        if (
            Object.prototype.toString.call(a) !== Object.prototype.toString.call(b) ||
            Array.isArray(a) !== Array.isArray(b)
        )
            return false;
        if (seen.get(a) === b) return true;
        seen.set(a, b);
        if (a instanceof Date && !(a.getTime() === b.getTime())) return false;
        if (a instanceof RegExp && (String(a) !== String(b) || a.lastIndex !== b.lastIndex)) return false;
        if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
        for (const Type of [Number, String, Boolean, BigInt, Symbol]) {
            if (a instanceof Type && !primitive(a.valueOf(), b.valueOf(), true)) return false;
        }
        if (ArrayBuffer.isView(a))
            return a.byteLength === b.byteLength && bytes(a).every((byte, at) => byte === bytes(b)[at]);
        if (a instanceof ArrayBuffer) return equal(new Uint8Array(a), new Uint8Array(b), strict, seen);
        if (a instanceof Set)
            return (
                a.size === b.size &&
                [...a].every((one) => b.has(one) || [...b].some((other) => equal(one, other, strict, seen)))
            );
        if (a instanceof Map) {
            const same = ([key, value]) =>
                b.has(key)
                    ? equal(value, b.get(key), strict, seen)
                    : [...b].some(
                          ([other, held]) =>
                              equal(key, other, strict, seen) && equal(value, held, strict, seen),
                      );
            return a.size === b.size && [...a].every(same);
        }
        if (Array.isArray(a) && a.length !== b.length) return false;
        const keys = strict ? keysOf(a) : Object.keys(a);
        const others = strict ? keysOf(b) : Object.keys(b);
        return (
            keys.length === others.length &&
            keys.every(
                (key) => Object.prototype.hasOwnProperty.call(b, key) && equal(a[key], b[key], strict, seen),
            )
        );
    };
    const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return { isDeepEqual: (a, b, strict = true) => equal(a, b, strict, new Map()) };
}
