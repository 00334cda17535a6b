const url = require("url");
const qs = require("querystring");
const shown = (u) => ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"].map((k) => u[k]);
module.exports = {
    same: () => [url.URL === URL, url.URLSearchParams === URLSearchParams],
    parts: () => ["https://user:p%40ss@Example.com:8080/a/../b/./c?x=1&y#frag", "http://[::1]:80/", "file:///etc/passwd", "mailto:a@b.c", "https://münchen.de/ü?ü#ü", "https://a.b/%7Efoo/?q=a b", "data:text/plain,hi"].map((u) => shown(new URL(u))),
    base: () => [["b", "https://x.y/a/c"], ["/b", "https://x.y/a/c"], ["?q", "https://x.y/a"], ["//h/p", "https://x.y"], ["../..", "https://x.y/a/b/c/d"]].map(([a, b]) => new URL(a, b).href),
    set: () => { const u = new URL("https://x.y/a?b#c"); u.protocol = "http"; u.host = "h:9"; u.pathname = "/p q"; u.search = "r=s"; u.hash = ""; u.username = "me"; u.port = "80"; u.hostname = "bad host"; return [u.href, JSON.stringify({ u }), String(u)]; },
    params: () => { const u = new URL("https://x.y/?a=1&b=2&a=3"); const p = u.searchParams; p.append("c", "d e&"); p.delete("b"); p.set("a", "9"); return [u.href, p.getAll("a"), p.get("zz"), p.has("c"), [...p], p.size, p.toString()]; },
    paramsFrom: () => [new URLSearchParams("?a=1&b=%F0%9F%98%80&c").toString(), new URLSearchParams({ a: "x y", b: 2 }).toString(), new URLSearchParams([["q", "1"], ["q", "2"]]).toString(), new URLSearchParams(new URLSearchParams("z=1")).toString(), new URLSearchParams("a=%zz&b=%ff&c=1+1").get("a"), new URLSearchParams("b=%ff").get("b")],
    paramsEncode: () => new URLSearchParams({ "a~!*()'": "-._é/?:@" }).toString(),
    paramsSort: () => { const p = new URLSearchParams("c=1&a=2&b=3&a=1"); p.sort(); const out = []; p.forEach((v, k) => out.push(k + v)); return [out, [...p.keys()], [...p.values()], Object.prototype.toString.call(p), p.has("a", "2"), p.has("a", "5")]; },
    canParse: () => [URL.canParse("https://a"), URL.canParse("a"), URL.canParse("a", "https://b")],
    legacyParse: () => ["https://user:pass@host.com:8080/p/a/t/h?query=string#hash", "/a/b?c=d#e", "HTTP://HOST/Path", "mailto:a@b.c", "//host/path", "http://x.com", "x.com/path", "http://h?q", "http://a b/c d", "ws://h:1/x?y=z", "https://h/{x}|y", ""].map((u) => ({ ...url.parse(u) })),
    legacyQuery: () => [{ ...url.parse("http://h/?a=1&a=2&b=", true).query }, { ...url.parse("http://h/", true).query }, url.parse("//h/p", false, true).host],
    legacyFormat: () => [url.format({ protocol: "https", hostname: "h", port: 1, pathname: "p", query: { a: 1, b: ["x", "y"] }, hash: "z" }), url.format({ host: "h:2", pathname: "/x", search: "?q#" }), url.format(new URL("https://u:p@h/x?y#z"), { auth: false, fragment: false }), url.format("HTTP://h"), url.format({ pathname: "/a", query: {} }), url.format({ protocol: "mailto", auth: "a", host: "b.c" })],
    legacyResolve: () => [["/one/two/three", "four"], ["http://example.com/", "/one"], ["http://example.com/one", "/two"], ["http://a/b/c?d", "../e"], ["/one", "https://x.y/z"], ["one/two", "three"]].map(([a, b]) => url.resolve(a, b)),
    paths: () => [url.fileURLToPath("file:///a%20b/c"), url.pathToFileURL("/a b#c").href, url.urlToHttpOptions(new URL("https://a:b@h:1/p?q")).path, url.domainToASCII("español.com")],
    qs: () => [qs.stringify({ a: 1, b: ["x", "y z"], c: true, d: null, e: "é&=" }), { ...qs.parse("a=1&b=x&b=y%20z&c&d=+&%zz=1") }, qs.stringify({ a: "b" }, ";", ":"), { ...qs.parse("a:b;c:d", ";", ":") }, qs.escape("a b/ü!'()*"), qs.unescape("%41%zz"), { ...qs.parse("a=%ff") }],
    errInvalid: () => new URL("nothing"),
    errBase: () => new URL("a", "b"),
    errHref: () => { const u = new URL("https://a"); u.href = "b"; },
    errTuple: () => new URLSearchParams([["a"]]),
    errLegacy: () => url.parse(5),
    errFile: () => url.fileURLToPath("https://a/b"),
};
