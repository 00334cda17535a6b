const path = require("path");
const util = require("util");
const assert = require("assert");
const os = require("os");
class Named { constructor() { this.a = 1; } }
const caught = (f) => { try { f(); return "no error"; } catch (e) { return [e.name, e.code, e.message.split("\n")[0]]; } };
module.exports = {
    pathJoin: () => [path.join("a", "..", "b", "./c/"), path.join("/a", "../../b"), path.join(""), path.join("a//b", ""), path.join("..", "x")],
    pathNormalize: () => ["", ".", "./", "/a/./b/../c/", "a/../..", "//a", "/..", "a/.."].map(path.normalize),
    pathResolve: () => [path.resolve("/a", "b", "../c"), path.resolve("/a", "/b"), path.resolve("/a/", "./")],
    pathParts: () => ["/a/b.txt", "b.tar.gz", ".hidden", "/a/", "/", "", "a.", "..", "/a.b/c"].map((p) => [path.dirname(p), path.basename(p), path.extname(p), path.parse(p)]),
    pathMore: () => [path.basename("/a/b.txt", ".txt"), path.relative("/a/b/c", "/a/d"), path.relative("/a", "/a"), path.isAbsolute("a"), path.format({ dir: "/x", name: "f", ext: ".e" }), path.format({ root: "/", base: "b" }), path.sep, path.delimiter, path.posix === path],
    inspect: () => [1, -0, "it's", 'a"b\'c', "line\n", null, undefined, true, 5n, Symbol("s"), [1, 2, 3], [], {}, { a: 1, "b-c": "x" }, [undefined, null], [1, , 3], new Map([["a", { b: 1 }]]), new Set([1, "2"]), new Date(0), /a/g, function f() {}, () => {}, class A {}, class B extends Named {}, new Named(), Object.create(null), Buffer.from("hi"), new Uint8Array([1, 2]), { a: { b: { c: { d: 1 } } } }, [[[[1]]]], { f() {}, get g() { return 1; }, set h(v) {} }, Object(5), Object("s"), { [Symbol("k")]: 1 }].map((v) => util.inspect(v)),
    inspectLong: () => [util.inspect(Array.from({ length: 120 }, (_, i) => i)), util.inspect({ aaaaaaaaaaaaaaaaaaaa: "bbbbbbbbbbbbbbbbbbbbbbbbbb", cccccccccccccccccccccc: "dddddddddddddddddddddddd", e: [1] }), util.inspect(["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "c"]), util.inspect({ a: [{ b: 1 }, { c: [1, 2, { d: 3 }] }] }, { depth: 5 })],
    inspectOptions: () => [util.inspect({ a: { b: { c: {} } } }, { depth: 0 }), util.inspect({ a: { b: { c: { d: 1 } } } }, false, null), util.inspect({ b: 1, a: 2 }, { sorted: true }), util.inspect("x".repeat(20), { maxStringLength: 5 }), util.inspect([1, 2, 3], { maxArrayLength: 1 }), util.inspect({ [util.inspect.custom]: () => "mine" })],
    format: () => [util.format("%s is %d and %i, %f %j %O%%", "x", "4.5", 7.9, "1.5", { a: 1 }, [1]), util.format("a", "b", { c: 1 }), util.format(1, 2), util.format("%s"), util.format("%s %s", "a"), util.format("%d", 5n), util.format("%x", 1), util.format("%s", null, undefined), util.format("100%", 1), util.format("%O", { a: { b: 1 } }), util.format("%s", { a: 1 }), util.format("%s", [1, 2])],
    promisify: async () => [await util.promisify((a, cb) => cb(null, a + 1))(1), await util.promisify((cb) => cb(new Error("no")))().catch((e) => e.message)],
    callbackify: () => new Promise((resolve) => util.callbackify(async (a) => a * 2)(4, (e, v) => resolve([e, v]))),
    deepEqual: () => [[{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }], [[1], ["1"]], [NaN, NaN], [0, -0], [new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])], [new Set([{ a: 1 }]), new Set([{ a: 1 }])], [new Date(1), new Date(1)], [/a/, /a/g], [new Named(), { a: 1 }], [Buffer.from("a"), Buffer.from("a")], [{ a: undefined }, {}], [[1, , 2], [1, undefined, 2]], [new Error("a"), new Error("b")]].map(([a, b]) => util.isDeepStrictEqual(a, b)),
    types: () => [util.types.isDate(new Date()), util.types.isPromise(Promise.resolve()), util.types.isRegExp({}), util.types.isUint8Array(Buffer.alloc(1)), util.types.isAsyncFunction(async () => {}), util.types.isGeneratorFunction(function* () {}), util.types.isNativeError(new TypeError()), util.types.isBoxedPrimitive(Object(1)), util.types.isArrayBuffer(new ArrayBuffer(1))],
    utilMore: () => [util.isArray([]), util.isBuffer?.(Buffer.alloc(0)), util.inherits.length, util.stripVTControlCharacters("\u001b[31mred\u001b[0m"), typeof util.TextEncoder, util.deprecate((x) => x, "old")(5)],
    assertPasses: () => { assert(true); assert.ok(1); assert.equal(1, "1"); assert.strictEqual("a", "a"); assert.deepEqual([1], ["1"]); assert.deepStrictEqual({ a: 1 }, { a: 1 }); assert.notStrictEqual(1, "1"); assert.throws(() => { throw new TypeError("x"); }, TypeError); assert.throws(() => { throw new Error("abc"); }, /b/); assert.throws(() => { throw new Error("abc"); }, { message: "abc" }); assert.match("abc", /b/); assert.ifError(null); assert.doesNotThrow(() => {}); return "passed"; },
    assertFails: () => [() => assert(0, "said"), () => assert.strictEqual(1, 2), () => assert.deepStrictEqual({ a: 1 }, { a: 2 }), () => assert.equal(1, 2, "msg"), () => assert.fail("f"), () => assert.throws(() => {}), () => assert.ifError(new Error("was")), () => assert.notStrictEqual(1, 1, "same")].map(caught),
    assertRejects: async () => { await assert.rejects(Promise.reject(new Error("r")), /r/); return assert.rejects(async () => {}).catch((e) => e.code); },
    assertActual: () => { try { assert.strictEqual(1, 2); } catch (e) { return [e.actual, e.expected, e.operator, e.generatedMessage, e instanceof assert.AssertionError]; } },
    os: () => [os.EOL, typeof os.platform(), os.endianness()],
    errPath: () => path.join(5),
    errPromisify: () => util.promisify(5),
};
