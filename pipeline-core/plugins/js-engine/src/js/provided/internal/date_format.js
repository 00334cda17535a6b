// `Intl.DateTimeFormat` for American and British English in any time zone of the IANA database.
(engine, require) => {
    const { host } = engine;
    const months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    const dateFields = ["weekday", "year", "month", "day", "era"];
    const timeFields = ["hour", "minute", "second", "fractionalSecondDigits", "dayPeriod"];
    const styles = {
        full: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
        long: { year: "numeric", month: "long", day: "numeric" },
        medium: { year: "numeric", month: "short", day: "numeric" },
        short: { year: "2-digit", month: "numeric", day: "numeric" },
    };
    const times = {
        full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" },
        long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
        medium: { hour: "numeric", minute: "2-digit", second: "2-digit" },
        short: { hour: "numeric", minute: "2-digit" },
    };
    const allowed = {
        weekday: ["narrow", "short", "long"],
        era: ["narrow", "short", "long"],
        year: ["2-digit", "numeric"],
        month: ["2-digit", "numeric", "narrow", "short", "long"],
        day: ["2-digit", "numeric"],
        dayPeriod: ["narrow", "short", "long"],
        hour: ["2-digit", "numeric"],
        minute: ["2-digit", "numeric"],
        second: ["2-digit", "numeric"],
        fractionalSecondDigits: [1, 2, 3],
        timeZoneName: ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
        dateStyle: ["full", "long", "medium", "short"],
        timeStyle: ["full", "long", "medium", "short"],
        hourCycle: ["h11", "h12", "h23", "h24"],
    };
    // Zones that English has a name for; the short one is for Americans only, or for the British.
    const american = {
        Eastern: ["ET", "America/New_York"],
        Central: ["CT", "America/Chicago"],
        Mountain: ["MT", "America/Denver"],
        Pacific: ["PT", "America/Los_Angeles"],
    };
    const sameAs = (zone, other, at) =>
        host.zoneOffset(zone, at)?.join() === host.zoneOffset(other, at)?.join();

    const zoneOf = (given) => {
        const text = String(given);
        if (/^(utc|gmt|etc\/(utc|gmt)|etc\/zulu|zulu|z)$/i.test(text)) return "UTC";
        const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(text);
        if (offset) return `${offset[1]}${offset[2]}:${offset[3] ?? "00"}`;
        const name = host.zoneName(text);
        if (name === undefined || name === null) throw new RangeError(`Invalid time zone specified: ${text}`);
        return name;
    };
    const offsetOf = (zone, ms) => {
        if (zone === "UTC") return [0, false, "UTC"];
        const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone);
        if (fixed)
            return [
                (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60),
                false,
                "",
            ];
        return host.zoneOffset(zone, ms);
    };
    const two = (value) => String(value).padStart(2, "0");
    const utcOffset = (seconds, long, zero = "GMT") => {
        if (seconds === 0) return zero;
        const minutes = Math.abs(seconds) / 60;
        const [hours, rest] = [Math.floor(minutes / 60), Math.floor(minutes % 60)];
        return `GMT${seconds < 0 ? "-" : "+"}${long ? two(hours) : hours}${rest || long ? `:${two(rest)}` : ""}`;
    };
    const zoneName = (zone, style, ms, british) => {
        const [seconds, daylight, abbreviation] = offsetOf(zone, ms);
        const long = style.startsWith("long");
        if (style.endsWith("Offset")) return utcOffset(seconds, long, long ? "GMT+00:00" : "GMT+0");
        if (zone === "UTC") return long ? "Coordinated Universal Time" : "UTC";
        const named = Object.entries(american).find(
            ([, [, model]]) =>
                sameAs(zone, model, ms) && zone.startsWith("America/") && /^[A-Z]{3}$/.test(abbreviation),
        );
        if (named) {
            const [name, [short]] = named;
            if (style === "longGeneric") return `${name} Time`;
            if (style === "shortGeneric") return british ? utcOffset(seconds, false) : short;
            if (long) return `${name} ${daylight ? "Daylight" : "Standard"} Time`;
            if (!british) return abbreviation;
        }
        const european = {
            CET: "Central European Standard Time",
            CEST: "Central European Summer Time",
            EET: "Eastern European Standard Time",
            EEST: "Eastern European Summer Time",
            WET: "Western European Standard Time",
            WEST: "Western European Summer Time",
            BST: "British Summer Time",
            GMT: "Greenwich Mean Time",
        };
        if (zone.startsWith("Europe/") && european[abbreviation]) {
            if (long) return european[abbreviation];
            if (british || abbreviation === "GMT") return abbreviation;
        }
        return utcOffset(seconds, long);
    };

    class DateTimeFormat {
        #set;
        constructor(locales, options = {}, defaults = "date", required = "any") {
            options ??= {};
            const fields = {};
            for (const [name, known] of Object.entries(allowed)) {
                if (options[name] === undefined) continue;
                const value =
                    name === "fractionalSecondDigits" ? Number(options[name]) : String(options[name]);
                if (!known.includes(value))
                    throw new RangeError(
                        `Value ${options[name]} out of range for Intl.DateTimeFormat options property ${name}`,
                    );
                fields[name] = value;
            }
            const { dateStyle, timeStyle, hourCycle, ...explicit } = fields;
            const locale = require("internal/intl").resolve(locales);
            const british = locale === "en-GB";
            const timeZone = zoneOf(options.timeZone ?? "UTC");
            let wanted = explicit;
            if (dateStyle || timeStyle) {
                const clash = Object.keys(explicit)[0];
                if (clash)
                    throw new TypeError(
                        `Can't set option ${clash} when ${dateStyle ? "dateStyle" : "timeStyle"} is used`,
                    );
                if (required === "date" && timeStyle) throw new TypeError("Invalid option : timeStyle");
                if (required === "time" && dateStyle) throw new TypeError("Invalid option : dateStyle");
                wanted = { ...styles[dateStyle], ...times[timeStyle] };
                if (british && dateStyle === "short")
                    wanted = { ...wanted, year: "numeric", month: "2-digit", day: "2-digit" };
            } else {
                const has = (names) => names.some((name) => explicit[name] !== undefined);
                const missing = !(
                    (required !== "time" && has(["weekday", "year", "month", "day"])) ||
                    (required !== "date" && has(timeFields))
                );
                if (missing && (defaults === "date" || defaults === "all"))
                    wanted = { ...wanted, year: "numeric", month: "numeric", day: "numeric" };
                if (missing && (defaults === "time" || defaults === "all"))
                    wanted = { ...wanted, hour: "numeric", minute: "numeric", second: "numeric" };
            }
            // Saying `hour12: false` to Americans makes midnight 24 o'clock.
            const cycle =
                options.hour12 === true
                    ? "h12"
                    : options.hour12 === false
                      ? british
                          ? "h23"
                          : "h24"
                      : (hourCycle ?? (british ? "h23" : "h12"));
            this.#set = { locale, british, timeZone, fields: wanted, cycle, dateStyle, timeStyle };
            Object.defineProperty(this, "format", {
                value: (date) =>
                    this.formatToParts(date)
                        .map((part) => part.value)
                        .join(""),
            });
        }
        formatToParts(date) {
            const set = this.#set;
            const ms = date === undefined ? Date.now() : Number(date);
            if (Number.isNaN(ms) || Math.abs(ms) > 8.64e15) throw new RangeError("Invalid time value");
            const local = new Date(ms + offsetOf(set.timeZone, ms)[0] * 1000);
            const dated = this.#date(local);
            const timed = this.#time(local);
            const { timeZoneName } = set.fields;
            const zone =
                timeZoneName === undefined
                    ? []
                    : [["timeZoneName", zoneName(set.timeZone, timeZoneName, ms, set.british)]];
            const parts = [...dated];
            if (timed.length > 0) {
                if (dated.length > 0) parts.push(["literal", this.#between()]);
                parts.push(...timed);
                if (zone.length > 0) parts.push(["literal", " "], ...zone);
            } else if (zone.length > 0) parts.push(...(dated.length > 0 ? [["literal", ", "]] : []), ...zone);
            return parts.map(([type, value]) => ({ type, value }));
        }
        #between() {
            const { fields, british } = this.#set;
            if (fields.month === "long") return " at ";
            return !british && fields.weekday && !fields.day && !fields.month ? " " : ", ";
        }
        #date(local) {
            const { fields, british } = this.#set;
            const year = local.getUTCFullYear();
            const shownYear = year <= 0 ? 1 - year : year;
            const text = {
                weekday:
                    fields.weekday &&
                    {
                        long: weekdays[local.getUTCDay()],
                        short: weekdays[local.getUTCDay()].slice(0, 3),
                        narrow: weekdays[local.getUTCDay()][0],
                    }[fields.weekday],
                year: fields.year && (fields.year === "2-digit" ? two(shownYear % 100) : String(shownYear)),
                day:
                    fields.day &&
                    (fields.day === "2-digit" ? two(local.getUTCDate()) : String(local.getUTCDate())),
                era:
                    fields.era &&
                    {
                        long: year > 0 ? "Anno Domini" : "Before Christ",
                        short: year > 0 ? "AD" : "BC",
                        narrow: year > 0 ? "A" : "B",
                    }[fields.era],
            };
            const named = ["long", "short", "narrow"].includes(fields.month);
            if (fields.month) {
                const name = months[local.getUTCMonth()];
                const short = british && name === "September" ? "Sept" : name.slice(0, 3);
                const number = String(local.getUTCMonth() + 1);
                text.month = { long: name, short, narrow: name[0], numeric: number, "2-digit": two(number) }[
                    fields.month
                ];
            }
            // The British pad numbers wherever two of them meet.
            if (british && !named && fields.month && (fields.day || fields.year)) {
                text.month = two(text.month);
                if (fields.day) text.day = two(text.day);
            }
            const joined = (names, between) =>
                names
                    .filter((name) => text[name])
                    .flatMap((name, index) => [
                        ...(index > 0 ? [["literal", between]] : []),
                        [name, text[name]],
                    ]);
            let parts;
            if (fields.month && !named)
                parts = joined(british ? ["day", "month", "year"] : ["month", "day", "year"], "/");
            else if (british) parts = joined(["day", "month", "year"], " ");
            else {
                parts = joined(["month", "day"], " ");
                if (text.year)
                    parts.push(...(parts.length > 0 ? [["literal", text.day ? ", " : " "]] : []), [
                        "year",
                        text.year,
                    ]);
            }
            if (text.era) parts.push(...(parts.length > 0 ? [["literal", " "]] : []), ["era", text.era]);
            if (text.weekday) {
                const weekday = ["weekday", text.weekday];
                if (parts.length === 0) return [weekday];
                const whole = text.day && text.month;
                if (whole) parts.unshift(weekday, ["literal", british && named && !text.year ? " " : ", "]);
                else if (british && text.day) parts.unshift(weekday, ["literal", " "]);
                else parts.push(["literal", " "], weekday);
            }
            return parts;
        }
        #time(local) {
            const { fields, cycle, british, timeStyle } = this.#set;
            const [hour, minute, second] = [
                local.getUTCHours(),
                local.getUTCMinutes(),
                local.getUTCSeconds(),
            ];
            const parts = [];
            const twelve = cycle === "h11" || cycle === "h12";
            if (fields.hour) {
                const shown = { h11: hour % 12, h12: hour % 12 || 12, h23: hour, h24: hour || 24 }[cycle];
                const oneDigit =
                    fields.hour === "numeric" &&
                    (twelve ||
                        (british &&
                            !timeStyle &&
                            fields.month === "long" &&
                            fields.minute === "2-digit" &&
                            !fields.second));
                parts.push([
                    "hour",
                    oneDigit
                        ? String(shown === 12 && british && hour === 0 && !timeStyle ? 0 : shown)
                        : two(shown),
                ]);
            }
            if (fields.minute) {
                const alone = !fields.hour && !fields.second && fields.minute === "numeric";
                parts.push(...(parts.length > 0 ? [["literal", ":"]] : []), [
                    "minute",
                    alone || (!fields.hour && !fields.second) ? String(minute) : two(minute),
                ]);
            }
            if (fields.second)
                parts.push(...(parts.length > 0 ? [["literal", ":"]] : []), [
                    "second",
                    fields.minute ? two(second) : String(second),
                ]);
            if (fields.fractionalSecondDigits) {
                const digits = String(local.getUTCMilliseconds())
                    .padStart(3, "0")
                    .slice(0, fields.fractionalSecondDigits);
                parts.push(...(parts.length > 0 ? [["literal", "."]] : []), ["fractionalSecond", digits]);
            }
            if (fields.hour && twelve) {
                const half = hour < 12 ? "AM" : "PM";
                parts.push(["literal", " "], ["dayPeriod", british ? half.toLowerCase() : half]);
            } else if (fields.hour && british && fields.timeZoneName && !fields.minute)
                parts.push(["literal", "h"]);
            return parts;
        }
        formatRange(from, to) {
            const [a, b] = [this.format(from), this.format(to)];
            return a === b ? a : `${a} – ${b}`;
        }
        resolvedOptions() {
            const { locale, timeZone, fields, cycle, dateStyle, timeStyle } = this.#set;
            const options = { locale, calendar: "gregory", numberingSystem: "latn", timeZone };
            if (fields.hour)
                Object.assign(options, { hourCycle: cycle, hour12: cycle === "h11" || cycle === "h12" });
            if (dateStyle || timeStyle)
                return { ...options, ...(dateStyle && { dateStyle }), ...(timeStyle && { timeStyle }) };
            for (const name of [...dateFields, ...timeFields, "timeZoneName"])
                if (fields[name] !== undefined) options[name] = fields[name];
            // What is shown with two digits is said to have two.
            if (locale === "en-GB" && fields.month === "numeric" && (fields.day || fields.year)) {
                options.month = "2-digit";
                if (fields.day) options.day = "2-digit";
            }
            return options;
        }
        static supportedLocalesOf(locales) {
            return require("internal/intl").supported(locales);
        }
    }
    return { DateTimeFormat };
}
