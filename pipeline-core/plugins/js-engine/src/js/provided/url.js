// `url`: the WHATWG classes, and the older functions that plugins still call.
(engine, require) => {
    const { argumentType, coded } = require("internal/errors");
    const querystring = require("querystring");
    const slashed = new Set(["http:", "https:", "ftp:", "file:", "ws:", "wss:", "gopher:"]);

    class Url {
        constructor() {
            for (const name of [
                "protocol",
                "slashes",
                "auth",
                "host",
                "port",
                "hostname",
                "hash",
                "search",
                "query",
                "pathname",
                "path",
                "href",
            ])
                this[name] = null;
        }
        format() {
            return format(this);
        }
        resolve(target) {
            return resolve(this.href, target);
        }
    }
    const escape = (text) =>
        text.replace(/[\s<>"`{}|\\^']/g, (c) =>
            c === "\\"
                ? "/"
                : encodeURIComponent(c) === c
                  ? `%${c.charCodeAt(0).toString(16).toUpperCase()}`
                  : encodeURIComponent(c),
        );
    const decoded = (text) => {
        try {
            return decodeURIComponent(text);
        } catch {
            throw coded(URIError, "ERR_INVALID_URI", "URI malformed");
        }
    };
    const parse = (input, withQuery = false, hostWithoutProtocol = false) => {
        if (input instanceof Url) return input;
        if (typeof input !== "string") throw argumentType("url", "of type string", input);
        const url = new Url();
        let rest = input.trim();
        const scheme = /^[a-z0-9.+-]+:/i.exec(rest)?.[0];
        if (scheme) {
            url.protocol = scheme.toLowerCase();
            rest = rest.slice(scheme.length);
        }
        const isScript = url.protocol === "javascript:";
        if (!isScript) {
            const [beforeQuery, ...after] = rest.split("?");
            rest = [beforeQuery.replaceAll("\\", "/"), ...after].join("?");
        }
        const slashes =
            rest.startsWith("//") &&
            (scheme !== undefined || hostWithoutProtocol || /^\/\/[^@/]+@[^@/]+/.test(rest));
        if (slashes && !isScript) {
            url.slashes = true;
            rest = rest.slice(2);
        }
        if (!isScript && (slashes || (url.protocol && !slashed.has(url.protocol)))) {
            const end = rest.search(/[/?#\s"<>`{}|\\^']/);
            let authority = end < 0 ? rest : rest.slice(0, end);
            rest = end < 0 ? "" : rest.slice(end);
            const at = authority.lastIndexOf("@");
            if (at >= 0) {
                url.auth = decoded(authority.slice(0, at));
                authority = authority.slice(at + 1);
            }
            const port = /:(\d*)$/.exec(authority);
            if (port) {
                if (port[1] !== "") url.port = port[1];
                authority = authority.slice(0, -port[0].length);
            }
            url.hostname = authority.toLowerCase();
            if (/[^\x00-\x7f]/.test(url.hostname) && URL.canParse(`http://${url.hostname}`))
                url.hostname = new URL(`http://${url.hostname}`).hostname;
            url.host = url.hostname + (url.port ? `:${url.port}` : "");
            url.hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
        }
        if (!isScript) rest = escape(rest);
        const hash = rest.indexOf("#");
        if (hash >= 0) {
            url.hash = rest.slice(hash);
            rest = rest.slice(0, hash);
        }
        const question = rest.indexOf("?");
        if (question >= 0) {
            url.search = rest.slice(question);
            url.query = url.search.slice(1);
            rest = rest.slice(0, question);
        } else if (withQuery) {
            url.search = null;
            url.query = "";
        }
        if (withQuery) url.query = querystring.parse(url.query ?? "");
        if (rest !== "") url.pathname = rest;
        if (slashed.has(url.protocol) && url.hostname && !url.pathname) url.pathname = "/";
        if (url.pathname !== null || url.search !== null)
            url.path = (url.pathname ?? "") + (url.search ?? "");
        url.href = format(url);
        return url;
    };
    const format = (given, options) => {
        if (typeof given === "string") given = parse(given);
        if (typeof given !== "object" || given === null)
            throw argumentType("urlObject", "one of type object or string", given);
        if (given instanceof URL) {
            const url = new URL(given.href);
            if (options?.fragment === false) url.hash = "";
            if (options?.search === false) url.search = "";
            if (options?.auth === false) url.username = url.password = "";
            return url.href;
        }
        let {
            protocol = "",
            pathname = "",
            hash = "",
            search = "",
            host,
        } = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
        const auth = given.auth ? `${encodeURIComponent(given.auth).replace(/%3A/i, ":")}@` : "";
        if (host !== undefined) host = auth + host;
        else if (given.hostname)
            host =
                auth +
                (given.hostname.includes(":") ? `[${given.hostname}]` : given.hostname) +
                (given.port ? `:${given.port}` : "");
        const query =
            given.query !== null && typeof given.query === "object" ? querystring.stringify(given.query) : "";
        search = search || (query && `?${query}`) || "";
        if (protocol && !protocol.endsWith(":")) protocol += ":";
        pathname = pathname.replace(/[?#]/g, encodeURIComponent);
        search = search.replace(/#/g, "%23");
        if (given.slashes || (slashed.has(protocol) && host !== undefined)) {
            host = `//${host ?? ""}`;
            if (pathname && !pathname.startsWith("/")) pathname = `/${pathname}`;
        } else host ??= "";
        if (hash && !hash.startsWith("#")) hash = `#${hash}`;
        if (search && !search.startsWith("?")) search = `?${search}`;
        return protocol + host + pathname + search + hash;
    };
    const resolve = (from, to) => {
        const base = new URL(from, "resolve://host/");
        const target = new URL(to, base);
        if (target.protocol !== "resolve:") return target.href;
        const whole = target.pathname + target.search + target.hash;
        return from.startsWith("/") || to.startsWith("/") ? whole : whole.slice(1);
    };
    const urlToHttpOptions = (url) => {
        const options = {
            protocol: url.protocol,
            hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
            hash: url.hash,
            search: url.search,
            pathname: url.pathname,
            path: url.pathname + url.search,
            href: url.href,
        };
        if (url.port !== "") options.port = Number(url.port);
        if (url.username || url.password)
            options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
        return options;
    };
    const fileURLToPath = (given) => {
        const url = typeof given === "string" ? new URL(given) : given;
        if (url.protocol !== "file:")
            throw coded(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
        if (/%2f/i.test(url.pathname))
            throw coded(
                TypeError,
                "ERR_INVALID_FILE_URL_PATH",
                "File URL path must not include encoded / characters",
            );
        return decodeURIComponent(url.pathname);
    };
    const pathToFileURL = (path) => {
        const url = new URL("file:///");
        url.pathname = require("path")
            .resolve(path)
            .replace(/[%?#\\\n\r\t]/g, encodeURIComponent);
        return url;
    };
    const api = {
        Url,
        parse,
        format,
        resolve,
        urlToHttpOptions,
        fileURLToPath,
        pathToFileURL,
        resolveObject: (from, to) => parse(resolve(from, to)),
        domainToASCII: (domain) =>
            URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : "",
        domainToUnicode: (domain) => domain,
    };
    for (const name of ["URL", "URLSearchParams"])
        Object.defineProperty(api, name, { enumerable: true, get: () => globalThis[name] });
    return api;
}
