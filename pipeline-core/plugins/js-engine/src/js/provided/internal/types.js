// `util.types`.
() => {
    const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
    const isTag = (name) => (value) => typeof value === "object" && value !== null && tag(value) === name;
    const isInstance = (Type) => (value) => value instanceof Type;
    const typed = Object.getPrototypeOf(Uint8Array);
    const types = {
        isDate: isInstance(Date),
        isRegExp: isInstance(RegExp),
        isMap: isInstance(Map),
        isSet: isInstance(Set),
        isWeakMap: isInstance(WeakMap),
        isWeakSet: isInstance(WeakSet),
        isPromise: isInstance(Promise),
        isNativeError: isInstance(Error),
        isArrayBuffer: isInstance(ArrayBuffer),
        isAnyArrayBuffer: isInstance(ArrayBuffer),
        isDataView: isInstance(DataView),
        isArrayBufferView: ArrayBuffer.isView,
        isTypedArray: isInstance(typed),
        isUint8Array: isInstance(Uint8Array),
        isGeneratorObject: isTag("Generator"),
        isArgumentsObject: isTag("Arguments"),
        isAsyncFunction: (value) => typeof value === "function" && tag(value) === "AsyncFunction",
        isGeneratorFunction: (value) => typeof value === "function" && /GeneratorFunction$/.test(tag(value)),
        isBoxedPrimitive: (value) =>
            [Number, String, Boolean, Symbol, BigInt].some((Type) => value instanceof Type),
        isStringObject: isInstance(String),
        isNumberObject: isInstance(Number),
        isBooleanObject: isInstance(Boolean),
        isProxy: () => false,
        isExternal: () => false,
        isModuleNamespaceObject: isTag("Module"),
        isMapIterator: isTag("Map Iterator"),
        isSetIterator: isTag("Set Iterator"),
    };
    for (const Type of [
        Int8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        BigUint64Array,
    ]) {
        types[`is${Type.name}`] = isInstance(Type);
    }
    return types;
}
