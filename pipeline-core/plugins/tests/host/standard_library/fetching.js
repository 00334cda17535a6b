const fetch = require("node-fetch");
const { Headers, Request, Response, FetchError } = fetch;
const read = async (r) => [r.status, r.ok, r.statusText, r.headers.get("content-type"), await r.text()];
module.exports = {
    forms: () => [fetch.default === fetch, typeof fetch, Headers === fetch.Headers, new FetchError("m", "t") instanceof Error, new FetchError("m", "t").type],
    headers: () => { const h = new Headers({ "Content-Type": "a", X: "1" }); h.append("x", "2"); h.set("Y", " 3 "); h.delete("content-type"); return [h.get("X"), h.get("none"), h.has("y"), [...h], [...h.keys()], [...h.values()]]; },
    headersFrom: () => [[...new Headers([["b", "1"], ["a", "2"], ["b", "3"]])], [...new Headers(new Headers({ q: "1" }))], [...new Headers()]],
    raw: () => new Headers([["a", "1"], ["a", "2"]]).raw(),
    response: async () => [await read(new Response("hi")), await read(new Response("x", { status: 404, statusText: "No", headers: { "content-type": "t" } })), await read(new Response(Buffer.from("b"))), await read(new Response(new URLSearchParams({ a: "1 2" }))), await read(new Response())],
    bodies: async () => [await new Response('{"a":1}').json(), (await new Response("ab").buffer()).toString("hex"), (await new Response("ab").arrayBuffer()).byteLength, await (await new Response("blob", { headers: { "content-type": "x/y" } }).blob()).text()],
    clone: async () => { const r = new Response("twice"); const c = r.clone(); return [await r.text(), await c.text(), r.bodyUsed]; },
    request: () => { const r = new Request("https://h/p?q", { method: "post", body: "x", headers: { A: "b" } }); return [r.method, r.url, r.headers.get("a"), r.headers.get("content-type"), r.redirect, new Request("https://h").method, new Request(r).method, new Request(r, { method: "PUT" }).url]; },
    requestText: async () => new Request("https://h", { method: "POST", body: new URLSearchParams("a=b") }).text(),
    isRedirect: () => [fetch.isRedirect(301), fetch.isRedirect(200)],
    errBodyOnGet: () => new Request("https://h", { body: "x" }),
    errTwice: async () => { const r = new Response("a"); await r.text(); return r.text(); },
    errJson: async () => new Response("{", { url: "https://h/x" }).json().catch((e) => [e.name, e.type, e.message.startsWith("invalid json response body at https://h/x reason:")]),
    errCloneUsed: async () => { const r = new Response("a"); await r.text(); return r.clone(); },
    errHeaderName: () => new Headers({ "a b": "1" }),
    errHeaderValue: () => new Headers({ a: "é\u0100" }),
    errRelative: () => fetch("/relative"),
    errScheme: () => fetch("ftp://h/x"),
    errAborted: () => { const c = new AbortController(); c.abort(); return fetch("https://h", { signal: c.signal }); },
};
