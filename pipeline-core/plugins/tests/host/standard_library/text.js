const bytes = (a) => Buffer.from(a).toString("hex");
const { setTimeout: _unused, ...timers } = require("timers");
module.exports = {
    encode: () => { const e = new TextEncoder(); return [bytes(e.encode("aé€😀\ud800")), e.encoding, bytes(e.encode()), e.encode("a") instanceof Uint8Array, Buffer.isBuffer(e.encode("a"))]; },
    encodeInto: () => { const t = new Uint8Array(4); return [new TextEncoder().encodeInto("é€a", t), bytes(t)]; },
    decode: () => [new TextDecoder().decode(Buffer.from("efbbbf61c3a9", "hex")), new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from("efbbbf61", "hex")), new TextDecoder("utf-16le").decode(Buffer.from("a😀", "utf16le")), new TextDecoder("latin1").decode(Buffer.from("41e9ff", "hex")), new TextDecoder().decode(), new TextDecoder().decode(new Uint8Array([0xff, 65]).buffer), new TextDecoder("UTF8").encoding, new TextDecoder("ascii").encoding],
    decodeStream: () => { const d = new TextDecoder(); const b = Buffer.from("a€b"); return [d.decode(b.subarray(0, 2), { stream: true }), d.decode(b.subarray(2, 3), { stream: true }), d.decode(b.subarray(3)), d.decode(b.subarray(0, 2)), new TextDecoder("utf-8", { fatal: true }).fatal]; },
    clone: () => { const a = { d: new Date(5), m: new Map([[1, { x: 2 }]]), s: new Set([1]), n: null, u: undefined, r: /a/gi, l: [1, , 3], b: new Uint8Array([1, 2]), e: new RangeError("bad"), f: BigInt(5) > 4n }; a.self = a; const c = structuredClone(a); return [c.self === c, c !== a, c.d.getTime(), c.m.get(1), c.m.get(1) !== a.m.get(1), [...c.s], "u" in c, c.r.flags, 1 in c.l, bytes(c.b), c.e instanceof RangeError, c.e.message, c.f]; },
    cloneTypes: () => [structuredClone(new Float64Array([1.5]))[0], structuredClone(Buffer.from("a")) instanceof Uint8Array, Buffer.isBuffer(structuredClone(Buffer.from("a"))), structuredClone(new ArrayBuffer(3)).byteLength, typeof structuredClone(Object(5)), structuredClone(Object.create({ a: 1 })).a === undefined],
    abort: () => { const c = new AbortController(); const out = []; c.signal.addEventListener("abort", (e) => out.push(e.type)); c.signal.onabort = () => out.push("on"); c.abort(); c.abort(); return [out.sort(), c.signal.aborted, c.signal.reason.name, c.signal.reason.message, AbortSignal.abort("why").reason, AbortSignal.any([AbortSignal.abort(1)]).reason]; },
    target: () => { const t = new EventTarget(); const out = []; const f = (e) => out.push(e.type); t.addEventListener("a", f); t.addEventListener("a", f); t.addEventListener("a", { handleEvent: (e) => out.push(`o${e.type}`) }, { once: true }); t.dispatchEvent(new Event("a")); t.removeEventListener("a", f); t.dispatchEvent(new Event("a")); return out; },
    global: () => [global === globalThis, typeof process.nextTick, process.platform, typeof process.env, typeof performance.now(), process.hrtime().length, typeof process.hrtime.bigint(), process.version.startsWith("v")],
    nextTick: () => new Promise((resolve) => process.nextTick((a, b) => resolve([a, b]), 1, 2)),
    timers: () => [typeof timers.setInterval, typeof require("timers/promises").setTimeout],
    domException: () => { const e = new DOMException("m", "AbortError"); return [e.name, e.message, e.code, e instanceof Error]; },
    normalize: () => ["\u0041\u030a".normalize("NFC"), "ﬁ".normalize("NFKC"), "é".normalize("NFD").length],
    errDecode: () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])),
    errLabel: () => new TextDecoder("klingon"),
    errClone: () => structuredClone({ f() {} }),
    errCloneSymbol: () => structuredClone(Symbol("s")),
    errThrowIfAborted: () => AbortSignal.abort(new Error("stop")).throwIfAborted(),
    errSignal: () => new AbortSignal(),
    errInput: () => new TextDecoder().decode("text"),
};
