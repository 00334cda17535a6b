// `Intl` for English, which is what Node gives where no other language is asked for. Other languages
// are answered in American English, as the standard says for a language that is not there.
(engine, require) => {
    const requested = (locales) =>
        locales === undefined ? [] : typeof locales === "string" ? [locales] : [...locales].map(String);
    const check = (locale) => {
        if (!/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(locale))
            throw new RangeError(`Incorrect locale information provided`);
        return locale;
    };
    const known = (locale) =>
        /^en-(GB|IE|AU|NZ)\b/i.test(locale)
            ? "en-GB"
            : /^en\b/i.test(locale)
              ? locale.toLowerCase() === "en"
                  ? "en"
                  : "en-US"
              : undefined;
    const resolve = (locales) => requested(locales).map(check).map(known).find(Boolean) ?? "en-US";
    const supported = (locales) =>
        requested(locales)
            .map(check)
            .filter((locale) => known(locale) !== undefined);

    // Spaces and punctuation, then symbols, digits, letters; letters by base, then accent, then case.
    const order = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    const rank = (character) => {
        if (/\s/.test(character)) return 1;
        const at = order.indexOf(character);
        if (at >= 0) return 2 + at;
        if (/\p{Nd}/u.test(character)) return 100 + Number.parseInt(character, 10);
        return 1000 + character.codePointAt(0);
    };
    const split = (text) =>
        [...text.normalize("NFD")].filter((character) => !/[\u0300-\u036f]/.test(character));
    const compareLists = (a, b) => {
        for (let at = 0; at < a.length && at < b.length; at++)
            if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
        return Math.sign(a.length - b.length);
    };
    const numbers = (text) => text.match(/\d+|\D/gu) ?? [];
    const compare = (
        a,
        b,
        { sensitivity = "variant", numeric = false, ignorePunctuation = false, caseFirst = "false" } = {},
    ) => {
        let [left, right] = [String(a), String(b)];
        if (ignorePunctuation) [left, right] = [left, right].map((text) => text.replace(/[\s\p{P}]/gu, ""));
        const keys = (text) => {
            const plain = split(text).join("").toLowerCase();
            if (!numeric) return [...plain].map(rank);
            return numbers(plain).map((part) => (/^\d/.test(part) ? 100 + Number(part) / 1e15 : rank(part)));
        };
        const base = compareLists(keys(left), keys(right));
        if (base !== 0 || sensitivity === "base") return base;
        if (sensitivity !== "case") {
            const accents = (text) =>
                [...text.normalize("NFD")].map((character) =>
                    /[\u0300-\u036f]/.test(character) ? character.codePointAt(0) : 0,
                );
            const marked = compareLists(accents(left), accents(right));
            if (marked !== 0 || sensitivity === "accent") return marked;
        }
        const upper = caseFirst === "upper" ? 0 : 1;
        const cases = (text) =>
            split(text).map((character) => (character !== character.toLowerCase() ? upper : 1 - upper));
        return compareLists(cases(left), cases(right));
    };

    class Collator {
        #options;
        constructor(locales, options = {}) {
            this.#options = {
                locale: resolve(locales),
                usage: "sort",
                sensitivity: "variant",
                ignorePunctuation: false,
                collation: "default",
                numeric: false,
                caseFirst: "false",
                ...options,
            };
            Object.defineProperty(this, "compare", { value: (a, b) => compare(a, b, this.#options) });
        }
        resolvedOptions() {
            return { ...this.#options };
        }
    }
    class PluralRules {
        #type;
        constructor(locales, { type = "cardinal" } = {}) {
            this.#type = type;
        }
        select(value) {
            const number = Number(value);
            if (this.#type === "cardinal") return number === 1 ? "one" : "other";
            const [ten, hundred] = [number % 10, number % 100];
            if (hundred >= 11 && hundred <= 13) return "other";
            return { 1: "one", 2: "two", 3: "few" }[ten] ?? "other";
        }
        resolvedOptions() {
            return {
                locale: "en-US",
                type: this.#type,
                pluralCategories:
                    this.#type === "cardinal" ? ["one", "other"] : ["few", "one", "two", "other"],
            };
        }
    }
    class ListFormat {
        #options;
        constructor(locales, { type = "conjunction", style = "long" } = {}) {
            this.#options = { type, style };
        }
        format(list) {
            const items = [...list];
            const { type, style } = this.#options;
            const word =
                type === "disjunction"
                    ? "or"
                    : type === "unit"
                      ? ""
                      : style === "long"
                        ? "and"
                        : style === "short"
                          ? "&"
                          : "";
            if (items.length < 2) return items.join("");
            if (word === "") return items.join(", ");
            if (items.length === 2) return `${items[0]} ${word} ${items[1]}`;
            return `${items.slice(0, -1).join(", ")}, ${word} ${items.at(-1)}`;
        }
    }
    class RelativeTimeFormat {
        #options;
        constructor(locales, { numeric = "always", style = "long" } = {}) {
            this.#options = { numeric, style };
        }
        format(value, unit) {
            const name = String(unit).replace(/s$/, "");
            if (!["second", "minute", "hour", "day", "week", "month", "quarter", "year"].includes(name))
                throw new RangeError(`Invalid unit argument for format() '${unit}'`);
            const words = { day: { "-1": "yesterday", 0: "today", 1: "tomorrow" }, second: { 0: "now" } };
            if (this.#options.numeric === "auto") {
                const word =
                    words[name]?.[value] ??
                    (["week", "month", "quarter", "year"].includes(name)
                        ? { "-1": `last ${name}`, 0: `this ${name}`, 1: `next ${name}` }[value]
                        : undefined) ??
                    (value === 0 ? `this ${name}` : undefined);
                if (word) return word;
            }
            const shown = new Intl.NumberFormat("en-US").format(Math.abs(value));
            const past = value < 0 || Object.is(value, -0);
            const text = `${shown} ${name}${Math.abs(value) === 1 ? "" : "s"}`;
            return past ? `${text} ago` : `in ${text}`;
        }
    }
    class Segmenter {
        constructor() {
            throw new Error("Intl.Segmenter is not available to plugins");
        }
    }

    const callable = (Type) => new Proxy(Type, { apply: (target, self, values) => new target(...values) });
    const Intl = {
        Collator: callable(Collator),
        PluralRules,
        ListFormat,
        RelativeTimeFormat,
        Segmenter,
        getCanonicalLocales: (locales) => requested(locales).map(check),
        supportedValuesOf: () => [],
    };
    Object.defineProperties(Intl, {
        DateTimeFormat: { enumerable: true, get: () => dates() },
        NumberFormat: { enumerable: true, get: () => numbersOf() },
        [Symbol.toStringTag]: { value: "Intl" },
    });
    const once = (make) => {
        let made;
        return () => (made ??= callable(make()));
    };
    const dates = once(() => require("internal/date_format").DateTimeFormat);
    const numbersOf = once(() => require("internal/number_format").NumberFormat);

    const dated = (defaults, required) => (date, locales, options) => {
        if (Number.isNaN(date.getTime())) return "Invalid Date";
        return new (require("internal/date_format").DateTimeFormat)(
            locales,
            options,
            defaults,
            required,
        ).format(date);
    };
    const methods = {
        Date: {
            toLocaleString: dated("all", "any"),
            toLocaleDateString: dated("date", "date"),
            toLocaleTimeString: dated("time", "time"),
        },
        Number: {
            toLocaleString: (value, locales, options) =>
                new (numbersOf())(locales, options).format(value.valueOf()),
        },
        String: { localeCompare: (text, other, locales, options) => compare(text, other, options) },
    };
    return { Intl, resolve, supported, methods };
}
