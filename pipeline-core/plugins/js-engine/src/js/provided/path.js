// `path` for POSIX; there is no other here.
(engine, require) => {
    const { argumentType } = require("internal/errors");
    const text = (value, name = "path") => {
        if (typeof value !== "string") throw argumentType(name, "of type string", value);
        return value;
    };
    const resolved = (value, absolute) => {
        const parts = [];
        for (const part of value.split("/")) {
            if (part === "" || part === ".") continue;
            if (part !== "..") parts.push(part);
            else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
            else if (!absolute) parts.push("..");
        }
        return parts.join("/");
    };
    const path = {
        sep: "/",
        delimiter: ":",
        normalize(value) {
            if (text(value) === "") return ".";
            const absolute = value.startsWith("/");
            let clean = resolved(value, absolute);
            if (clean === "" && !absolute) return value.endsWith("/") ? "./" : ".";
            if (clean !== "" && value.endsWith("/")) clean += "/";
            return absolute ? `/${clean}` : clean;
        },
        join: (...parts) => {
            const joined = parts
                .map((part) => text(part))
                .filter((part) => part !== "")
                .join("/");
            return joined === "" ? "." : path.normalize(joined);
        },
        resolve(...parts) {
            let whole = "";
            for (let at = parts.length - 1; at >= 0 && !whole.startsWith("/"); at--) {
                if (text(parts[at], `paths[${at}]`) !== "")
                    whole = whole === "" ? parts[at] : `${parts[at]}/${whole}`;
            }
            return `/${resolved(whole.startsWith("/") ? whole : `/${whole}`, true)}`;
        },
        isAbsolute: (value) => text(value).startsWith("/"),
        relative(from, to) {
            const [a, b] = [path.resolve(text(from, "from")), path.resolve(text(to, "to"))].map((one) =>
                one.split("/").filter(Boolean),
            );
            let same = 0;
            while (same < a.length && same < b.length && a[same] === b[same]) same++;
            return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
        },
        dirname(value) {
            const trimmed = text(value).replace(/(?!^)\/+$/, "");
            const at = trimmed.lastIndexOf("/");
            if (at < 0) return ".";
            return at === 0 ? "/" : trimmed.slice(0, at).replace(/(?!^)\/+$/, "");
        },
        basename(value, suffix) {
            const base = text(value).replace(/\/+$/, "").split("/").at(-1);
            return suffix !== undefined && base !== suffix && base.endsWith(text(suffix, "suffix"))
                ? base.slice(0, base.length - suffix.length)
                : base;
        },
        extname(value) {
            const base = path.basename(value);
            const at = base.lastIndexOf(".");
            return at <= 0 || base === ".." ? "" : base.slice(at);
        },
        parse(value) {
            const root = text(value).startsWith("/") ? "/" : "";
            const base = path.basename(value);
            const ext = path.extname(base);
            const dir = value.includes("/") ? path.dirname(value) : "";
            return {
                root,
                dir: base === "" ? root : dir,
                base,
                ext,
                name: ext ? base.slice(0, -ext.length) : base,
            };
        },
        format({ root = "", dir = root, base, name = "", ext = "" }) {
            const last = base ?? `${name}${ext && !ext.startsWith(".") ? "." : ""}${ext}`;
            if (!dir) return last;
            return dir === root ? `${dir}${last}` : `${dir}/${last}`;
        },
        toNamespacedPath: (value) => value,
    };
    path.posix = path;
    return path;
}
