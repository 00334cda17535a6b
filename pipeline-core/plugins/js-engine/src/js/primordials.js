// What the engine needs of the language, taken before plugin code runs.
//
// A plugin may replace or pollute anything it can reach: `JSON`, `Promise.prototype.then`, setters on
// `Object.prototype`. Its own calls then do what it asked for; that each event is reported must not depend
// on it. So the code that reports uses what is kept here, writes fields only where they exist already, walks
// lists by index, and gives property descriptors and tables no prototype.
(engine) => {
    const { Map, Object, Reflect, String, WeakMap, WeakRef } = globalThis;
    const { defineProperty, setPrototypeOf } = Object;
    // f.call as a function of (self, ...values) that looks nothing up.
    const uncurried = Function.prototype.bind.bind(Function.prototype.call);
    const wellFormed = uncurried(String.prototype.toWellFormed);
    const slice = uncurried(String.prototype.slice);

    engine.parse = JSON.parse;
    engine.stringify = JSON.stringify;
    engine.text = (value) => wellFormed(String(value));
    // For messages, which go into logs and traces.
    engine.clipped = (text, length) => (text.length > length ? `${slice(text, 0, length)}…` : text);

    const isInstance = uncurried(Function.prototype[Symbol.hasInstance]);
    const mapMethods = ["get", "set", "has", "delete", "clear", "forEach"];
    const kept = {
        __proto__: null,
        apply: Reflect.apply,
        defineProperty,
        getPrototypeOf: Object.getPrototypeOf,
        hasOwn: Object.hasOwn,
        isArray: Array.isArray,
        keys: Object.keys,
        values: Object.values,
        objectPrototype: Object.prototype,
        Date,
        Error,
        InternalError,
        String,
        TypeError,
        WeakRef,
        weakMap: () => new WeakMap(),
        weakGet: uncurried(WeakMap.prototype.get),
        weakHas: uncurried(WeakMap.prototype.has),
        weakSet: uncurried(WeakMap.prototype.set),
        deref: uncurried(WeakRef.prototype.deref),
        // Also of values that are proxies and of classes whose Symbol.hasInstance was replaced.
        isInstance(value, type) {
            try {
                return isInstance(type, value);
            } catch {
                return false;
            }
        },
        // A list whose places are its own.
        list: () => setPrototypeOf([], null),
        // A map whose methods are its own.
        map: () => {
            const map = new Map();
            for (let at = 0; at < mapMethods.length; at++) {
                const name = mapMethods[at];
                defineProperty(map, name, { __proto__: null, value: methods[name] });
            }
            return map;
        },
        sizeOf: uncurried(Object.getOwnPropertyDescriptor(Map.prototype, "size").get),
    };
    const methods = { __proto__: null };
    for (const name of mapMethods) methods[name] = Map.prototype[name];
    engine.kept = kept;
}
