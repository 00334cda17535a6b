// `util.inspect` and `util.format`, in Node's layout.
() => {
    const custom = Symbol.for("nodejs.util.inspect.custom");
    const defaults = {
        depth: 2,
        colors: false,
        compact: 3,
        breakLength: 80,
        maxArrayLength: 100,
        maxStringLength: 10000,
        showHidden: false,
        sorted: false,
    };

    const quoted = (text) => {
        const quote = !text.includes("'")
            ? "'"
            : !text.includes('"')
              ? '"'
              : !text.includes("`") && !text.includes("${")
                ? "`"
                : "'";
        const escaped = text.replace(/[\\\x00-\x1f\x7f-\x9f]/g, (c) => {
            const known = {
                "\\": "\\\\",
                "\n": "\\n",
                "\r": "\\r",
                "\t": "\\t",
                "\b": "\\b",
                "\f": "\\f",
                "\v": "\\v",
            }[c];
            return known ?? `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
        });
        return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
    };
    const primitive = (value, options) => {
        if (typeof value === "string") {
            const cut = value.length > options.maxStringLength ? value.length - options.maxStringLength : 0;
            return (
                quoted(cut ? value.slice(0, options.maxStringLength) : value) +
                (cut ? `... ${cut} more character${cut > 1 ? "s" : ""}` : "")
            );
        }
        if (typeof value === "bigint") return `${value}n`;
        return Object.is(value, -0) ? "-0" : String(value);
    };
    const key = (name) => {
        if (typeof name === "symbol") return `[${name.toString()}]`;
        return /^[a-zA-Z_$][\w$]*$/.test(name) ? name : quoted(name);
    };
    const nameOf = (value) => {
        for (let proto = value; proto !== null; proto = Object.getPrototypeOf(proto)) {
            const own = Object.getOwnPropertyDescriptor(proto, "constructor")?.value;
            if (typeof own === "function" && own.name !== "") return own.name;
        }
        return null;
    };

    // Short entries on one line, long ones each on their own.
    const layout = (head, [open, close], entries, state, grouped) => {
        const { options, indent } = state;
        const start = head ? `${head} ` : "";
        if (entries.length === 0) return `${start}${open}${close}`;
        if (grouped && entries.length > 6) {
            const more = /^\.\.\. \d+ more items?$/.test(entries.at(-1)) ? [entries.at(-1)] : [];
            entries = [...columns(entries.slice(0, entries.length - more.length), options), ...more];
        }
        const nested = state.deepest - state.level;
        if (options.compact === true || (nested < options.compact && entries.length === state.plain)) {
            const total = entries.reduce((sum, one) => sum + one.length + 1, 0) + start.length + open.length;
            if (
                total + entries.length + indent <= options.breakLength &&
                !entries.some((one) => one.includes("\n"))
            ) {
                return `${start}${open} ${entries.join(", ")} ${close}`;
            }
        }
        const pad = `\n${" ".repeat(indent)}`;
        return `${start}${open}${pad}  ${entries.join(`,${pad}  `)}${pad}${close}`;
    };
    // Long lists of short entries in columns.
    const columns = (entries, { compact, breakLength }) => {
        const lengths = entries.map((one) => one.length + 2);
        const longest = Math.max(...lengths);
        if (longest * 3 + 0 >= breakLength || entries.some((one) => one.includes("\n"))) return entries;
        const total = lengths.reduce((sum, one) => sum + one, 0);
        if (!(total / longest > 5 || longest - 2 <= 6)) return entries;
        const bias = Math.sqrt(longest - total / entries.length);
        const biased = Math.max(longest - 3 - bias + 1, 1);
        const count = Math.min(
            Math.round(Math.sqrt(2.5 * biased * entries.length) / biased),
            Math.floor((breakLength - 0) / longest),
            compact * 4,
            15,
        );
        if (count <= 1) return entries;
        const widths = Array.from({ length: count }, (_, column) =>
            Math.max(...lengths.filter((_, at) => at % count === column)),
        );
        const numeric = entries.every((one) => /^-?[\d.]+n?$/.test(one));
        const rows = [];
        for (let at = 0; at < entries.length; at += count) {
            const last = Math.min(at + count, entries.length);
            const row = entries.slice(at, last).map((one, column) => {
                if (at + column === last - 1) return numeric ? one.padStart(widths[column] - 2) : one;
                return numeric ? `${one}, `.padStart(widths[column]) : `${one}, `.padEnd(widths[column]);
            });
            rows.push(row.join(""));
        }
        return rows;
    };

    const show = (value, state) => {
        if (value === null || (typeof value !== "object" && typeof value !== "function"))
            return primitive(value, state.options);
        const own = value[custom];
        if (typeof own === "function" && own !== inspect) {
            const shown = own.call(
                value,
                state.options.depth === null ? null : state.options.depth - state.level,
                { ...state.options },
                inspect,
            );
            return typeof shown === "string" ? shown : show(shown, state);
        }
        if (state.seen.includes(value)) return "[Circular *1]";
        return inside(value, state);
    };
    const inside = (value, state) => {
        const { options } = state;
        const name = nameOf(value);
        const tag = value[Symbol.toStringTag];
        const extra = typeof tag === "string" && tag !== "" && tag !== name ? ` [${tag}]` : "";
        const prefix = (fallback, size) => {
            const sized = size === undefined ? "" : `(${size})`;
            if (name === null) return `[${fallback}${sized}: null prototype]${extra}`;
            return `${name}${sized}${extra}`;
        };
        let head = "";
        let braces = ["{", "}"];
        let list;
        let keys = Object.keys(value).concat(
            Object.getOwnPropertySymbols(value).filter((one) =>
                Object.prototype.propertyIsEnumerable.call(value, one),
            ),
        );
        let items = (inner) => [];
        const limited = (all, inner, each) => {
            const shown = all.slice(0, options.maxArrayLength ?? Infinity).map(each);
            const more = all.length - shown.length;
            if (more > 0) shown.push(`... ${more} more item${more > 1 ? "s" : ""}`);
            return shown;
        };
        if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
            list = true;
            braces = ["[", "]"];
            keys = keys.filter((one) => typeof one === "symbol" || !/^\d+$/.test(one));
            if (!Array.isArray(value) || name !== "Array" || extra) head = prefix("Array", value.length);
            if (name === "Buffer")
                return `<Buffer${Array.from(value.subarray(0, 50), (byte) => ` ${byte.toString(16).padStart(2, "0")}`).join("")}${value.length > 50 ? ` ... ${value.length - 50} more byte${value.length > 51 ? "s" : ""}` : ""}>`;
            items = (inner) =>
                Array.isArray(value)
                    ? holes(value, inner, options)
                    : limited(Array.from(value), inner, (one) => show(one, inner));
        } else if (value instanceof Set) {
            head = prefix("Set", value.size);
            items = (inner) => limited([...value], inner, (one) => show(one, inner));
        } else if (value instanceof Map) {
            head = prefix("Map", value.size);
            items = (inner) =>
                limited([...value], inner, ([a, b]) => `${show(a, inner)} => ${show(b, inner)}`);
        } else if (typeof value === "function") {
            const kind = /^class\b/.test(Function.prototype.toString.call(value))
                ? "class"
                : typeof tag === "string" && tag.endsWith("Function")
                  ? tag
                  : "Function";
            const parent = kind === "class" ? Object.getPrototypeOf(value)?.name : "";
            const base =
                kind === "class"
                    ? `[class ${value.name || "(anonymous)"}${parent ? ` extends ${parent}` : ""}]`
                    : `[${kind}${value.name ? `: ${value.name}` : " (anonymous)"}]`;
            if (keys.length === 0) return base;
            head = base;
        } else if (value instanceof RegExp || value instanceof Date || value instanceof Error) {
            let base =
                value instanceof Date
                    ? Number.isNaN(value.getTime())
                        ? "Invalid Date"
                        : value.toISOString()
                    : String(value);
            if (value instanceof Error) {
                const stack =
                    typeof value.stack === "string" && value.stack !== "" ? value.stack.trimEnd() : "";
                base = stack === "" ? `[${base}]` : stack.startsWith(base) ? stack : `${base}\n${stack}`;
                if ("cause" in value && !keys.includes("cause") && Object.hasOwn(value, "cause"))
                    keys.push("cause");
                keys = keys.filter((one) => one !== "stack" && one !== "message" && one !== "name");
            }
            if (keys.length === 0) return base;
            head = base;
        } else if (value instanceof Promise) {
            head = "Promise";
            items = () => ["<pending>"];
        } else if (value instanceof WeakMap || value instanceof WeakSet) {
            return `${prefix("Weak")} { <items unknown> }`;
        } else if (value instanceof ArrayBuffer) {
            head = prefix("ArrayBuffer");
            items = () => [
                `[Uint8Contents]: <${Array.from(new Uint8Array(value), (byte) => byte.toString(16).padStart(2, "0")).join(" ")}>`,
                `byteLength: ${value.byteLength}`,
            ];
        } else if ([Number, String, Boolean, BigInt, Symbol].some((Type) => value instanceof Type)) {
            keys = keys.filter(
                (one) => !(value instanceof String) || typeof one === "symbol" || !/^\d+$/.test(one),
            );
            const base = `[${name}: ${primitive(value.valueOf(), options)}]`;
            if (keys.length === 0) return base;
            head = base;
        } else if (Object.prototype.toString.call(value) === "[object Arguments]") {
            [list, head, braces] = [true, "[Arguments]", ["[", "]"]];
            keys = keys.filter((one) => typeof one === "symbol" || !/^\d+$/.test(one));
            items = (inner) => limited(Array.from(value), inner, (one) => show(one, inner));
        } else if (name !== "Object" || extra) {
            head = prefix("Object");
        }
        if (options.depth !== null && state.level > options.depth) {
            const shown = head || (Array.isArray(value) ? "Array" : (name ?? "Object: null prototype"));
            return `[${shown.replace(/[[\]]/g, "")}]`;
        }
        const inner = {
            ...state,
            level: state.level + 1,
            indent: state.indent + 2,
            seen: [...state.seen, value],
            deepest: 0,
        };
        inner.shared = state.shared;
        state.shared.deepest = Math.max(state.shared.deepest, state.level);
        const entries = items(inner);
        const listed = entries.length;
        if (options.sorted) keys.sort(typeof options.sorted === "function" ? options.sorted : undefined);
        for (const one of keys) {
            const {
                get,
                set,
                value: held,
            } = Object.getOwnPropertyDescriptor(value, one) ?? { value: value[one] };
            const accessor = get ? (set ? "[Getter/Setter]" : "[Getter]") : set ? "[Setter]" : undefined;
            const shownKey =
                one === "cause" &&
                value instanceof Error &&
                !Object.prototype.propertyIsEnumerable.call(value, one)
                    ? "[cause]"
                    : key(one);
            entries.push(`${shownKey}: ${accessor ?? show(held, inner)}`);
        }
        if (state.level === 0 && state.shared.circular === value) head = `<ref *1>${head ? ` ${head}` : ""}`;
        const depthBelow = state.shared.deepest;
        return layout(
            head,
            braces,
            entries,
            { options, indent: state.indent, level: state.level, deepest: depthBelow, plain: entries.length },
            list && listed === entries.length,
        );
    };
    const holes = (array, inner, options) => {
        const shown = [];
        let gap = 0;
        const flush = () => {
            if (gap > 0) shown.push(`<${gap} empty item${gap > 1 ? "s" : ""}>`);
            gap = 0;
        };
        let at = 0;
        for (; at < array.length && shown.length < (options.maxArrayLength ?? Infinity); at++) {
            if (!(at in array)) gap++;
            else {
                flush();
                shown.push(show(array[at], inner));
            }
        }
        flush();
        const more = array.length - at;
        if (more > 0) shown.push(`... ${more} more item${more > 1 ? "s" : ""}`);
        return shown;
    };
    function inspect(value, settings = {}, depth, colors) {
        if (typeof settings === "boolean")
            settings = { showHidden: settings, depth: depth === undefined ? 2 : depth };
        const options = { ...defaults, ...settings };
        if (options.depth === Infinity) options.depth = null;
        if (options.maxArrayLength === null) options.maxArrayLength = Infinity;
        if (options.maxStringLength === null) options.maxStringLength = Infinity;
        return show(value, { options, level: 0, indent: 0, seen: [], shared: { deepest: 0 } });
    }
    inspect.custom = custom;
    inspect.defaultOptions = defaults;

    const format = (...values) => {
        let [text] = values;
        let used = 0;
        if (typeof text !== "string") text = "";
        else {
            used = 1;
            if (values.length > 1)
                text = text.replace(/%[sdifjoOc%]/g, (mark) => {
                    if (mark === "%%") return "%";
                    if (used >= values.length) return mark;
                    const value = values[used++];
                    switch (mark) {
                        case "%s":
                            return typeof value === "bigint"
                                ? `${value}n`
                                : (typeof value === "object" &&
                                        value !== null &&
                                        !(value instanceof Error) &&
                                        value.toString === Object.prototype.toString) ||
                                    Array.isArray(value)
                                  ? inspect(value, { depth: 0, compact: 3 })
                                  : Object.is(value, -0)
                                    ? "-0"
                                    : String(value);
                        case "%d":
                            return typeof value === "bigint"
                                ? `${value}n`
                                : typeof value === "symbol"
                                  ? "NaN"
                                  : Object.is(Number(value), -0)
                                    ? "-0"
                                    : String(Number(value));
                        case "%i":
                            return typeof value === "bigint"
                                ? `${value}n`
                                : String(Number.parseInt(value, 10));
                        case "%f":
                            return String(Number.parseFloat(value));
                        case "%j":
                            try {
                                return JSON.stringify(value) ?? "undefined";
                            } catch {
                                return "[Circular]";
                            }
                        case "%c":
                            return "";
                        default:
                            return inspect(value, { depth: 4 });
                    }
                });
        }
        const rest = values.slice(used).map((value) => (typeof value === "string" ? value : inspect(value)));
        return (used > 0 ? [text, ...rest] : rest).join(" ");
    };
    return { inspect, format };
}
