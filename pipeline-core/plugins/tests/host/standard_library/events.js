const EventEmitter = require("events");
const { once, on } = EventEmitter;
module.exports = {
    forms: () => [EventEmitter === EventEmitter.EventEmitter, new EventEmitter() instanceof EventEmitter, EventEmitter.defaultMaxListeners],
    order: () => { const e = new EventEmitter(); const out = []; e.on("a", (...v) => out.push(v)); e.prependListener("a", () => out.push("first")); e.once("a", () => out.push("once")); return [e.emit("a", 1, 2), e.emit("a"), e.emit("b"), out, e.listenerCount("a")]; },
    remove: () => { const e = new EventEmitter(); const f = () => {}; e.on("a", f).once("a", f).on("b", f); e.off("a", f); const left = e.listeners("a").length; e.removeAllListeners("a"); return [left, e.eventNames(), e.rawListeners("b").length, e.removeAllListeners().eventNames()]; },
    duringEmit: () => { const e = new EventEmitter(); const out = []; const g = () => out.push("g"); e.on("a", () => e.off("a", g)); e.on("a", g); e.emit("a"); e.emit("a"); return out; },
    selfIsEmitter: () => { const e = new EventEmitter(); let same; e.on("a", function () { same = this === e; }); e.emit("a"); return same; },
    newListener: () => { const e = new EventEmitter(); const out = []; e.on("newListener", (n) => out.push(n)); e.on("x", () => {}); return out; },
    subclass: () => { class Mine extends EventEmitter { constructor() { super(); this.x = 1; } } const m = new Mine(); let got; m.on("e", (v) => (got = v)); m.emit("e", 5); return [got, m.x, JSON.stringify(m.eventNames())]; },
    oldStyle: () => { function Old() { EventEmitter.call(this); } require("util").inherits(Old, EventEmitter); const o = new Old(); let n = 0; o.on("x", () => n++); o.emit("x"); return n; },
    noConstructorCall: () => { const o = Object.create(EventEmitter.prototype); let n = 0; o.on("x", () => n++); o.emit("x"); return n; },
    once: async () => { const e = new EventEmitter(); const p = once(e, "a"); e.emit("a", 1, 2); return p; },
    onceError: async () => { const e = new EventEmitter(); const p = once(e, "a"); e.emit("error", new Error("bad")); return p; },
    on: async () => { const e = new EventEmitter(); const out = []; const it = on(e, "a"); e.emit("a", 1); e.emit("a", 2); for await (const v of it) { out.push(v); if (out.length === 2) break; } return [out, e.listenerCount("a")]; },
    errUnhandled: () => new EventEmitter().emit("error", new TypeError("nobody listens")),
    errUnhandledValue: () => new EventEmitter().emit("error", 5),
    errListener: () => new EventEmitter().on("a", 5),
};
