// `Intl.NumberFormat` for English: what a format is made of, as parts.
(engine, require) => {
    const currencies = {
        USD: ["$", "US dollar"],
        EUR: ["€", "euro"],
        GBP: ["£", "British pound"],
        JPY: ["¥", "Japanese yen"],
        INR: ["₹", "Indian rupee"],
        CNY: ["CN¥", "Chinese yuan"],
        KRW: ["₩", "South Korean won"],
        BRL: ["R$", "Brazilian real"],
        CAD: ["CA$", "Canadian dollar"],
        AUD: ["A$", "Australian dollar"],
        NZD: ["NZ$", "New Zealand dollar"],
        MXN: ["MX$", "Mexican peso"],
        HKD: ["HK$", "Hong Kong dollar"],
        TWD: ["NT$", "New Taiwan dollar"],
        ILS: ["₪", "Israeli new shekel"],
        VND: ["₫", "Vietnamese dong"],
        PHP: ["₱", "Philippine peso"],
    };
    const noCents = new Set([
        "JPY",
        "KRW",
        "VND",
        "CLP",
        "ISK",
        "PYG",
        "UGX",
        "XAF",
        "XOF",
        "XPF",
        "RWF",
        "KMF",
        "GNF",
        "DJF",
        "BIF",
        "VUV",
    ]);
    const milli = new Set(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]);
    const units = {
        percent: "%",
        kilobyte: "kB",
        megabyte: "MB",
        gigabyte: "GB",
        terabyte: "TB",
        byte: "byte",
        second: "sec",
        minute: "min",
        hour: "hr",
        day: "day",
        week: "wk",
        month: "mth",
        year: "yr",
        millisecond: "ms",
        meter: "m",
        kilometer: "km",
        centimeter: "cm",
        mile: "mi",
        foot: "ft",
        gram: "g",
        kilogram: "kg",
        liter: "L",
        celsius: "°C",
        fahrenheit: "°F",
        "kilometer-per-hour": "km/h",
        "mile-per-hour": "mph",
    };
    const many = new Set(["byte", "day", "week", "month", "year"]);
    const tight = new Set(["percent", "celsius", "fahrenheit"]);

    // Decimal digits of the shortest text that names the number, and where the point stands.
    const decimal = (value) => {
        const [, whole, fraction = "", exponent = "0"] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
            typeof value === "bigint" ? String(value) : String(Math.abs(value)),
        );
        const digits = (whole + fraction).replace(/^0+(?=.)/, "");
        const lost = (whole + fraction).length - digits.length;
        return digits === "0"
            ? { digits: "", point: 0 }
            : { digits, point: whole.length - lost + Number(exponent) };
    };
    // Half away from zero, keeping `places` digits behind the point.
    const rounded = ({ digits, point }, places) => {
        const keep = point + places;
        if (keep >= digits.length) return { digits, point };
        if (keep < 0) return { digits: "", point: 0 };
        const up = digits[keep] >= "5";
        const kept = digits.slice(0, keep).split("");
        if (!up) return { digits: kept.join(""), point };
        let at = keep - 1;
        while (at >= 0 && kept[at] === "9") kept[at--] = "0";
        if (at >= 0) kept[at] = String(Number(kept[at]) + 1);
        else {
            kept.unshift("1");
            point++;
        }
        return { digits: kept.join(""), point };
    };
    const spread = ({ digits, point }, fewest, most, fewestWhole) => {
        const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
        let fraction = point >= 0 ? digits.slice(point) : "0".repeat(-point) + digits;
        fraction = fraction.slice(0, most).replace(/0+$/, "").padEnd(fewest, "0");
        return [whole.padStart(fewestWhole, "0"), fraction];
    };
    const need = (name, value, least, most) => {
        const number = Math.floor(Number(value));
        if (!(number >= least && number <= most)) throw new RangeError(`${name} value is out of range.`);
        return number;
    };
    const oneOf = (name, value, known) => {
        if (!known.includes(value))
            throw new RangeError(
                `Value ${value} out of range for Intl.NumberFormat options property ${name}`,
            );
        return value;
    };

    class NumberFormat {
        #settings;
        constructor(locales, options = {}) {
            const style = oneOf("style", options.style ?? "decimal", [
                "decimal",
                "percent",
                "currency",
                "unit",
            ]);
            const notation = oneOf("notation", options.notation ?? "standard", [
                "standard",
                "compact",
                "scientific",
                "engineering",
            ]);
            const currency = options.currency?.toUpperCase();
            if (style === "currency" && currency === undefined)
                throw new TypeError("Currency code is required with currency style.");
            if (currency !== undefined && !/^[A-Z]{3}$/.test(currency))
                throw new RangeError(`Invalid currency code : ${options.currency}`);
            if (style === "unit" && options.unit === undefined)
                throw new TypeError("Unit is required with unit style.");
            if (style === "unit" && units[options.unit] === undefined)
                throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${options.unit}'`);
            const cents = noCents.has(currency) ? 0 : milli.has(currency) ? 3 : 2;
            let [fewest, most] =
                style === "currency" && notation === "standard"
                    ? [cents, cents]
                    : [0, style === "percent" || notation === "compact" ? 0 : 3];
            const given =
                options.minimumFractionDigits !== undefined || options.maximumFractionDigits !== undefined;
            if (options.minimumFractionDigits !== undefined)
                fewest = need("minimumFractionDigits", options.minimumFractionDigits, 0, 100);
            if (options.maximumFractionDigits !== undefined) {
                most = need("maximumFractionDigits", options.maximumFractionDigits, 0, 100);
                if (options.minimumFractionDigits === undefined) fewest = Math.min(fewest, most);
            } else most = Math.max(most, fewest);
            if (fewest > most) throw new RangeError("maximumFractionDigits value is out of range.");
            const significant =
                options.minimumSignificantDigits !== undefined ||
                options.maximumSignificantDigits !== undefined;
            const fewestSignificant = significant
                ? need("minimumSignificantDigits", options.minimumSignificantDigits ?? 1, 1, 21)
                : undefined;
            this.#settings = {
                style,
                notation,
                currency,
                fewest,
                most,
                significant,
                fewestSignificant,
                unit: options.unit,
                mostSignificant: significant
                    ? need(
                          "maximumSignificantDigits",
                          options.maximumSignificantDigits ?? 21,
                          fewestSignificant,
                          21,
                      )
                    : undefined,
                compactRounding: notation === "compact" && !given && !significant,
                locale: require("internal/intl").resolve(locales),
                fewestWhole: need("minimumIntegerDigits", options.minimumIntegerDigits ?? 1, 1, 21),
                grouping: options.useGrouping ?? (notation === "compact" ? "min2" : "auto"),
                compactDisplay: options.compactDisplay ?? "short",
                currencyDisplay: options.currencyDisplay ?? "symbol",
                accounting: options.currencySign === "accounting",
                signDisplay: oneOf("signDisplay", options.signDisplay ?? "auto", [
                    "auto",
                    "always",
                    "never",
                    "exceptZero",
                    "negative",
                ]),
                unitDisplay: options.unitDisplay ?? "short",
            };
            // Bound, since it is handed to `map` and the like.
            Object.defineProperty(this, "format", {
                value: (value) =>
                    this.formatToParts(value)
                        .map((part) => part.value)
                        .join(""),
            });
        }
        formatToParts(input) {
            const set = this.#settings;
            const value = typeof input === "bigint" ? input : Number(input);
            const negative = value < 0 || Object.is(value, -0);
            let parts = [];
            let isZero = false;
            if (Number.isNaN(value)) parts.push(["nan", "NaN"]);
            else if (value === Infinity || value === -Infinity) parts.push(["infinity", "∞"]);
            else [parts, isZero] = this.#number(value < 0 ? -value : value);
            const always =
                set.signDisplay === "always" ||
                (set.signDisplay === "exceptZero" && !isZero && !Number.isNaN(value));
            const minus =
                negative &&
                set.signDisplay !== "never" &&
                !(isZero && ["exceptZero", "negative"].includes(set.signDisplay));
            parts = this.#dressed(
                parts,
                minus
                    ? set.accounting && set.style === "currency"
                        ? "("
                        : "-"
                    : always && !negative
                      ? "+"
                      : "",
            );
            return parts.map(([type, text]) => ({ type, value: text }));
        }
        #number(value) {
            const set = this.#settings;
            let number = decimal(value);
            if (set.style === "percent" && number.digits !== "") number.point += 2;
            let [shift, suffix] = [0, ""];
            const exponentOf = ({ digits, point }) => (digits === "" ? 0 : point - 1);
            if (set.notation === "compact") {
                const names =
                    set.compactDisplay === "long"
                        ? ["", " thousand", " million", " billion", " trillion"]
                        : ["", "K", "M", "B", "T"];
                const index = (one) => Math.min(Math.max(Math.floor(exponentOf(one) / 3), 0), 4);
                const tried = this.#round({ ...number, point: number.point - 3 * index(number) });
                const at = index({ ...tried, point: tried.point + 3 * index(number) });
                [shift, suffix] = [3 * at, names[at]];
            } else if (set.notation !== "standard") {
                // Rounding may lead to one more digit.
                shift = exponentOf(number);
                shift += Math.max(exponentOf(this.#round({ ...number, point: number.point - shift })), 0);
                if (set.notation === "engineering") shift = Math.floor(shift / 3) * 3;
            }
            if (number.digits !== "") number.point -= shift;
            number = this.#round(number);
            let [fewest, most] = [set.fewest, set.most];
            if (set.significant || set.compactRounding)
                [fewest, most] = [
                    set.significant ? Math.max(set.fewestSignificant - Math.max(number.point, 1), 0) : 0,
                    100,
                ];
            const [whole, fraction] = spread(number, fewest, most, set.fewestWhole);
            const parts = [];
            const grouped =
                set.grouping !== false &&
                set.grouping !== "false" &&
                (set.grouping !== "min2" || whole.length > 4);
            const groups = grouped ? whole.replace(/\B(?=(\d{3})+$)/g, ",").split(",") : [whole];
            groups.forEach((group, index) =>
                parts.push(...(index > 0 ? [["group", ","]] : []), ["integer", group]),
            );
            if (fraction !== "") parts.push(["decimal", "."], ["fraction", fraction]);
            if (set.notation === "scientific" || set.notation === "engineering") {
                parts.push(["exponentSeparator", "E"], ...(shift < 0 ? [["exponentMinusSign", "-"]] : []), [
                    "exponentInteger",
                    String(Math.abs(shift)),
                ]);
            }
            if (suffix !== "")
                parts.push(...(suffix.startsWith(" ") ? [["literal", " "]] : []), ["compact", suffix.trim()]);
            return [parts, /^0*$/.test(number.digits)];
        }
        #round(number) {
            const set = this.#settings;
            if (set.significant) return rounded(number, set.mostSignificant - number.point);
            if (set.compactRounding) return rounded(number, number.point >= 2 ? 0 : 2 - number.point);
            return rounded(number, set.most);
        }
        #dressed(parts, sign) {
            const set = this.#settings;
            const front =
                sign === "-"
                    ? [["minusSign", "-"]]
                    : sign === "+"
                      ? [["plusSign", "+"]]
                      : sign === "("
                        ? [["literal", "("]]
                        : [];
            const back = sign === "(" ? [["literal", ")"]] : [];
            if (set.style === "percent") return [...front, ...parts, ["percentSign", "%"]];
            if (set.style === "unit") {
                const shown =
                    units[set.unit] +
                    (many.has(set.unit) && parts.map((part) => part[1]).join("") !== "1" ? "s" : "");
                return [
                    ...front,
                    ...parts,
                    ...(tight.has(set.unit) ? [] : [["literal", " "]]),
                    ["unit", shown],
                ];
            }
            if (set.style !== "currency") return [...front, ...parts];
            const [symbol, name] = currencies[set.currency] ?? [set.currency, set.currency];
            if (set.currencyDisplay === "name") {
                const plural =
                    parts.map((part) => part[1]).join("") === "1" ||
                    name === set.currency ||
                    name === "Japanese yen" ||
                    name === "Chinese yuan"
                        ? name
                        : `${name}s`;
                return [...front, ...parts, ["literal", " "], ["currency", plural]];
            }
            const shown =
                set.currencyDisplay === "code"
                    ? set.currency
                    : set.currencyDisplay === "narrowSymbol"
                      ? symbol.replace(/^[A-Z]+(?=[^A-Z])/, "")
                      : symbol;
            const gap =
                /[A-Za-z]$/.test(shown) && !["nan", "infinity"].includes(parts[0][0])
                    ? [["literal", "\u00a0"]]
                    : [];
            return [...front, ["currency", shown], ...gap, ...parts, ...back];
        }
        resolvedOptions() {
            const set = this.#settings;
            const options = { locale: set.locale, numberingSystem: "latn", style: set.style };
            if (set.currency && set.style === "currency")
                Object.assign(options, {
                    currency: set.currency,
                    currencyDisplay: set.currencyDisplay,
                    currencySign: set.accounting ? "accounting" : "standard",
                });
            if (set.style === "unit")
                Object.assign(options, { unit: set.unit, unitDisplay: set.unitDisplay });
            options.minimumIntegerDigits = set.fewestWhole;
            if (set.significant)
                Object.assign(options, {
                    minimumSignificantDigits: set.fewestSignificant,
                    maximumSignificantDigits: set.mostSignificant,
                });
            else
                Object.assign(options, {
                    minimumFractionDigits: set.fewest,
                    maximumFractionDigits: set.most,
                });
            return {
                ...options,
                useGrouping: set.grouping,
                notation: set.notation,
                signDisplay: set.signDisplay,
            };
        }
        static supportedLocalesOf(locales) {
            return require("internal/intl").supported(locales);
        }
    }
    return { NumberFormat };
}
