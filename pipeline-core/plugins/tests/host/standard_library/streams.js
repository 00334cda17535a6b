const stream = require("stream");
const { Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished } = stream;
const { StringDecoder } = require("string_decoder");
const promises = require("stream/promises");
const collect = async (source) => { const out = []; for await (const c of source) out.push(typeof c === "string" ? c : Buffer.isBuffer(c) ? c.toString() : c); return out; };
const log = (emitter, names, out = []) => { for (const n of names) emitter.on(n, (v) => out.push(v === undefined ? n : `${n}:${v instanceof Error ? v.message : v}`)); return out; };
const over = (s) => new Promise((resolve) => s.on("close", resolve));
const sink = (out, options) => new Writable({ ...options, write(c, e, done) { out.push(String(c)); done(); } });
const upper = () => new Transform({ transform(c, e, done) { done(null, String(c).toUpperCase()); } });
module.exports = {
    from: () => collect(Readable.from(["a", "b", { c: 1 }])),
    fromAsync: () => collect(Readable.from((async function* () { yield 1; yield 2; })())),
    fromString: () => collect(Readable.from("abc")),
    push: async () => { const r = new Readable({ read() {} }); r.push("a"); r.push(Buffer.from("b")); r.push(null); return collect(r); },
    pull: async () => { let n = 0; const r = new Readable({ read() { this.push(n < 3 ? String(n++) : null); } }); return collect(r); },
    events: async () => { const r = Readable.from(["a", "b"]); const out = log(r, ["data", "end", "close"]); await over(r); return out; },
    pauseResume: async () => {
        const r = Readable.from(["a", "b", "c"]);
        const out = [];
        r.on("data", (c) => { out.push(c); if (c === "a") { r.pause(); setTimeoutOrMicrotask(() => { out.push("resume"); r.resume(); }); } });
        await over(r);
        return out;
    },
    readableEvent: async () => {
        const r = new Readable({ read() {} });
        r.push("hello");
        r.push(null);
        const out = [];
        r.on("readable", () => { let c; while ((c = r.read(2)) !== null) out.push(c.toString()); });
        await new Promise((resolve) => r.on("end", resolve));
        return out;
    },
    setEncoding: async () => { const r = new Readable({ read() {} }); r.setEncoding("utf8"); const b = Buffer.from("a€b"); r.push(b.subarray(0, 2)); r.push(b.subarray(2)); r.push(null); return (await collect(r)).join(""); },
    write: async () => { const out = []; const w = sink(out); const seen = log(w, ["finish", "close"]); w.write("a"); w.write(Buffer.from("b"), () => out.push("cb")); w.end("c", () => out.push("ended")); await over(w); return [out, seen]; },
    backpressure: async () => { const w = new Writable({ highWaterMark: 3, write(c, e, done) { Promise.resolve().then(() => done()); } }); const first = w.write("ab"); const second = w.write("cd"); await new Promise((resolve) => w.once("drain", resolve)); return [first, second, w.writableLength]; },
    final: async () => { const out = []; const w = new Writable({ write(c, e, d) { d(); }, final(d) { out.push("final"); d(); } }); w.on("finish", () => out.push("finish")); w.end("x"); await over(w); return out; },
    objectMode: async () => { const out = []; const w = new Writable({ objectMode: true, write(c, e, d) { out.push(c); d(); } }); w.write({ a: 1 }); w.end([2]); await over(w); return out; },
    subclass: async () => {
        class Lines extends Transform {
            constructor() { super({ readableObjectMode: true }); this.rest = ""; }
            _transform(c, e, done) { const parts = (this.rest + c).split("\n"); this.rest = parts.pop(); for (const p of parts) this.push(p); done(); }
            _flush(done) { if (this.rest) this.push(this.rest); done(); }
        }
        const l = new Lines();
        l.write("a\nb");
        l.end("c\nd");
        return collect(l);
    },
    pipe: async () => { const out = []; const w = sink(out); Readable.from(["a", "b"]).pipe(upper()).pipe(w); await over(w); return out; },
    pipeMany: async () => { const out = []; const w = sink(out, { highWaterMark: 1 }); Readable.from(Array.from({ length: 50 }, (_, i) => `${i},`)).pipe(new PassThrough({ highWaterMark: 2 })).pipe(w); await over(w); return out.join(""); },
    passThrough: async () => { const p = new PassThrough(); p.end(Buffer.from("body")); return collect(p); },
    pipeline: async () => { const out = []; await new Promise((resolve, reject) => pipeline(Readable.from(["x", "y"]), upper(), sink(out), (e) => (e ? reject(e) : resolve()))); return out; },
    pipelineAsync: async () => { const out = []; await promises.pipeline(Readable.from(["x"]), async function* (source) { for await (const c of source) yield `${c}!`; }, sink(out)); return out; },
    pipelineError: async () => promises.pipeline(Readable.from(["x"]), new Transform({ transform(c, e, d) { d(new Error("broken")); } }), sink([])),
    finished: async () => { const r = Readable.from(["a"]); r.resume(); await promises.finished(r); const bad = new PassThrough(); const p = promises.finished(bad); bad.destroy(); return p.catch((e) => e.code); },
    destroy: async () => { const r = new Readable({ read() {} }); const out = log(r, ["error", "close", "end"]); r.destroy(new Error("gone")); await over(r); return [out, r.destroyed, r.readable]; },
    iterateError: async () => { const r = new Readable({ read() { this.destroy(new Error("half way")); } }); return collect(r); },
    breakDestroys: async () => { const r = Readable.from(["a", "b"]); for await (const c of r) break; return r.destroyed; },
    duplex: async () => { const out = []; const d = new Duplex({ read() { this.push("r"); this.push(null); }, write(c, e, done) { out.push(String(c)); done(); } }); d.end("w"); out.push(...(await collect(d))); return [out.sort(), d instanceof Readable, d instanceof Writable, d instanceof stream]; },
    writeAfterEnd: async () => { const w = sink([]); const out = log(w, ["error"]); w.end(); w.write("x", (e) => out.push(`cb ${e.code}`)); await over(w); return out.sort(); },
    writeError: async () => { const w = new Writable({ write(c, e, d) { d(new Error("full")); } }); const out = log(w, ["error", "close"]); w.write("x", (e) => out.push(`cb ${e.message}`)); await over(w); return out; },
    cork: async () => { const out = []; const w = new Writable({ writev(list, d) { out.push(list.map((x) => String(x.chunk))); d(); } }); w.cork(); w.write("a"); w.write("b"); w.uncork(); w.end("c"); await over(w); return out; },
    names: () => [Object.keys(stream).filter((k) => ["Readable", "Writable", "Duplex", "Transform", "PassThrough", "pipeline", "finished", "promises", "Stream"].includes(k)).sort(), typeof stream, stream === stream.Stream],
    decoder: () => { const d = new StringDecoder("utf8"); const b = Buffer.from("€uro😀"); return [d.write(b.subarray(0, 2)), d.write(b.subarray(2, 8)), d.end(b.subarray(8)), new StringDecoder("base64").write(Buffer.from("abcd")), new StringDecoder("hex").end(Buffer.from("a")), new StringDecoder("utf8").end(Buffer.from([0xe2]))]; },
    decoder16: () => { const d = new StringDecoder("utf16le"); const b = Buffer.from("a😀", "utf16le"); return [d.write(b.subarray(0, 1)), d.write(b.subarray(1, 3)), d.end(b.subarray(3))]; },
    errNull: () => sink([]).write(null),
    errChunk: () => sink([]).write(5),
    errFrom: () => Readable.from(5),
    errPipeline: () => pipeline(Readable.from([])),
    errEncoding: () => new StringDecoder("nope"),
};
function setTimeoutOrMicrotask(work) { Promise.resolve().then(() => {}).then(() => {}).then(work); }
