// `structuredClone`.
() => {
    const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
    const refuse = (value) => {
        const shown =
            typeof value === "symbol"
                ? value.toString()
                : typeof value === "function"
                  ? Function.prototype.toString.call(value)
                  : `#<${value.constructor?.name ?? "Object"}>`;
        throw new DOMException(`${shown} could not be cloned.`, "DataCloneError");
    };
    const copy = (value, seen) => {
        if (typeof value === "function" || typeof value === "symbol") refuse(value);
        if (typeof value !== "object" || value === null) return value;
        if (seen.has(value)) return seen.get(value);
        const keep = (made) => {
            seen.set(value, made);
            return made;
        };
        if (value instanceof Date) return keep(new Date(value.getTime()));
        if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
        for (const Type of [Number, String, Boolean, BigInt])
            if (value instanceof Type) return keep(Object(value.valueOf()));
        if (value instanceof ArrayBuffer) return keep(value.slice(0));
        if (ArrayBuffer.isView(value)) {
            const buffer = copy(value.buffer, seen);
            let Type = value.constructor;
            // Subclasses become what they extend, as a Buffer does.
            while (Object.getPrototypeOf(Type).name !== "TypedArray" && Type !== DataView)
                Type = Object.getPrototypeOf(Type);
            return keep(
                new Type(buffer, value.byteOffset, Type === DataView ? value.byteLength : value.length),
            );
        }
        if (value instanceof Map) {
            const made = keep(new Map());
            for (const [key, held] of [...value]) made.set(copy(key, seen), copy(held, seen));
            return made;
        }
        if (value instanceof Set) {
            const made = keep(new Set());
            for (const held of [...value]) made.add(copy(held, seen));
            return made;
        }
        if (value instanceof Error) {
            const Type = errors[value.name] ?? Error;
            const made = keep(Object.create(Type.prototype));
            for (const name of ["stack", "message", "cause"]) {
                if (Object.hasOwn(value, name))
                    Object.defineProperty(made, name, {
                        value: copy(value[name], seen),
                        writable: true,
                        configurable: true,
                    });
            }
            return made;
        }
        if (
            value instanceof Promise ||
            value instanceof WeakMap ||
            value instanceof WeakSet ||
            value instanceof WeakRef
        )
            refuse(value);
        const made = keep(Array.isArray(value) ? new Array(value.length) : {});
        for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
        return made;
    };
    return {
        structuredClone(...values) {
            if (values.length === 0) throw new TypeError('The "value" argument must be specified');
            return copy(values[0], new Map());
        },
    };
}
