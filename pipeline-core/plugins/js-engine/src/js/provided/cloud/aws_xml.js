// The XML that S3 and the query services speak: no namespaces to resolve, no attributes that matter, and
// never a document type, which is refused.
(require, module, exports) => {
    const entities = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
    const unescape = (text) =>
        text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
            if (name) return entities[name] ?? whole;
            const code = hex ? parseInt(hex, 16) : Number(decimal);
            return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
        });
    const escape = (value) =>
        String(value)
            .replace(/&/g, "&amp;")
            .replace(/</g, "&lt;")
            .replace(/>/g, "&gt;")
            .replace(/\r/g, "&#x0D;")
            .replace(/\n/g, "&#x0A;");

    const broken = (why, at) => new Error(`The answer is not well-formed XML: ${why} at character ${at}`);

    // Returns the root as `{name, text, children}`.
    exports.parse = (source) => {
        const token =
            /<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<(\/?)([^\s<>/!]+)[^<>]*?(\/?)>|([^<]+)/y;
        const top = { name: "", text: "", children: [] };
        const open = [top];
        while (token.lastIndex < source.length) {
            const at = token.lastIndex;
            const found = token.exec(source);
            if (!found) throw broken("a tag that cannot be read", at);
            const [, cdata, closing, name, empty, text] = found;
            const inner = open[open.length - 1];
            if (cdata !== undefined) inner.text += cdata;
            else if (text !== undefined) inner.text += unescape(text);
            else if (name === undefined) continue;
            else if (closing) {
                if (open.length === 1 || inner.name !== name) throw broken(`</${name}> closes nothing`, at);
                open.pop();
            } else {
                const element = { name, text: "", children: [] };
                inner.children.push(element);
                if (!empty) open.push(element);
            }
        }
        if (open.length > 1) throw broken(`<${open[open.length - 1].name}> is not closed`, source.length);
        if (top.children.length !== 1) throw broken("there is not exactly one root element", 0);
        return top.children[0];
    };

    const first = (element, name) => element?.children.find((child) => child.name === name);
    exports.first = first;
    exports.textOf = (element, name) => first(element, name)?.text;

    const readers = {
        text: (text) => text,
        number: (text) => Number(text),
        boolean: (text) => text === "true",
        date: (text) => new Date(text),
    };

    // Reads an element by a shape: a scalar's name, `[shape]` for a repeated element, `{member: shape}`.
    const read = (element, shape) => {
        if (typeof shape === "string") return readers[shape](element.text);
        const result = {};
        for (const [name, member] of Object.entries(shape)) {
            if (Array.isArray(member)) {
                const items = element.children.filter((child) => child.name === name);
                result[name] = items.map((item) => read(item, member[0]));
            } else {
                const child = first(element, name);
                if (child) result[name] = read(child, member);
            }
        }
        return result;
    };
    exports.read = read;

    // Writes `{name: value}`; a list repeats its element. Absent values are left out.
    const write = (value) => {
        if (typeof value !== "object") return escape(value);
        return Object.entries(value)
            .flatMap(([name, member]) =>
                Array.isArray(member) ? member.map((item) => [name, item]) : [[name, member]],
            )
            .filter(([, member]) => member !== undefined && member !== null)
            .map(([name, member]) => `<${name}>${write(member)}</${name}>`)
            .join("");
    };
    exports.document = (root, namespace, value) => `<${root} xmlns="${namespace}">${write(value)}</${root}>`;
}
