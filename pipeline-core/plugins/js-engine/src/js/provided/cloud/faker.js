// `faker`, as far as plugins make up people and events with it. Chance comes from `Math.random`, which the host
// hands out, so a run can be repeated; `seed` makes a sequence of its own.
(require, module, exports) => {
    const lists = {
        first: "Ada Ben Cara Dev Elif Finn Grete Hugo Ines Jonas Kira Lars Mira Noah Olga Paul Rosa Sven Tara Uwe Vera Wim Yara Zeno",
        last: "Abel Berg Costa Dahl Ekman Fischer Garcia Hahn Ito Jansen Kowalski Lind Moreau Novak Okafor Petrov Quist Rossi Silva Tanaka Ulrich Vogt Weber Young",
        job: "Analyst Architect Designer Developer Editor Engineer Manager Officer Planner Strategist Supervisor Technician",
        level: "Junior Senior Lead Chief Principal Regional",
        word: "amber basin cedar delta ember field grove harbor inlet juniper kelp lagoon meadow north orchard prairie quarry ridge stone tide upland valley willow yarrow",
        verb: "bind build carry count draw gather hold join keep lift make move parse read send shift sort split test write",
        city: "Ashford Brookhaven Clearwater Dunmore Eastvale Fairport Glenwood Harborview Kingsbridge Lakewood Millbrook Norwood Oakdale Riverton Stonefield Westbury",
        street: "Alder Birch Cedar Elm Hazel Linden Maple Oak Pine Rowan Spruce Willow",
        country:
            "Argentina Australia Austria Belgium Brazil Canada Chile Denmark Egypt Finland France Germany Ghana Greece India Ireland Italy Japan Kenya Mexico Netherlands Nigeria Norway Peru Poland Portugal Spain Sweden Switzerland Turkey Uruguay Vietnam",
        code: "AR AU AT BE BR CA CL DK EG FI FR DE GH GR IN IE IT JP KE MX NL NG NO PE PL PT ES SE CH TR UY VN",
        color: "azure black blue crimson cyan gold gray green indigo ivory lime magenta maroon olive orange pink plum red silver teal violet white yellow",
        product: "Bottle Chair Desk Gloves Hat Keyboard Lamp Mouse Notebook Pencil Shirt Shoes Table Towel Watch",
        material: "Bamboo Cotton Copper Glass Granite Leather Linen Plastic Rubber Steel Wooden",
        adjective: "Compact Elegant Handy Light Modern Plain Quiet Rustic Small Sturdy Warm",
        department: "Books Clothing Electronics Garden Grocery Health Home Music Outdoors Sports Toys",
        browser: "Chrome Edge Firefox Safari",
        tld: "com net org io",
    };
    for (const [name, words] of Object.entries(lists)) lists[name] = words.split(" ");

    // A small generator of 32 bits for sequences that a plugin wants to repeat by itself.
    let random = () => Math.random();
    const seeded = (seed) => {
        let state = seed >>> 0;
        return () => {
            state = (state + 0x6d2b79f5) >>> 0;
            let mixed = Math.imul(state ^ (state >>> 15), state | 1);
            mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
            return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
        };
    };

    const integer = (min, max) => Math.floor(random() * (max - min + 1)) + min;
    const pick = (list) => list[integer(0, list.length - 1)];
    const some = (count, make) => Array.from({ length: count }, make);
    const digits = (format) => format.replace(/#/g, () => integer(0, 9)).replace(/!/g, () => integer(2, 9));
    const hex = (count) => some(count, () => integer(0, 15).toString(16)).join("");
    const capital = (text) => text[0].toUpperCase() + text.slice(1);
    const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-${pick(["8", "9", "a", "b"])}${hex(3)}-${hex(12)}`;

    const datatype = {
        number: (options = {}) => {
            const { min = 0, max = 99999, precision = 1 } = typeof options === "number" ? { max: options } : options;
            const steps = Math.floor((max - min) / precision);
            return Number((min + integer(0, steps) * precision).toFixed(10));
        },
        float: (options = {}) =>
            datatype.number({ precision: 0.01, ...(typeof options === "number" ? { precision: options } : options) }),
        boolean: () => random() < 0.5,
        string: (length = 10) => some(length, () => String.fromCharCode(integer(33, 125))).join(""),
        uuid,
        hexaDecimal: (count = 1) => `0x${hex(count)}`,
        datetime: (options = {}) => {
            const { min = Date.UTC(1990, 0, 1), max = Date.UTC(2100, 0, 1) } =
                typeof options === "number" ? { max: options } : options;
            return new Date(integer(min, max));
        },
        array: (length = 10) => some(length, () => (random() < 0.5 ? datatype.string() : datatype.number())),
        json: () =>
            JSON.stringify(
                Object.fromEntries(
                    ["foo", "bar", "bike", "a", "b", "name", "prop"].map((name) => [
                        name,
                        datatype.boolean() ? datatype.string() : datatype.number(),
                    ]),
                ),
            ),
    };
    const name = {
        firstName: () => pick(lists.first),
        lastName: () => pick(lists.last),
        findName: (first, last) => `${first ?? name.firstName()} ${last ?? name.lastName()}`,
        jobType: () => pick(lists.job),
        jobArea: () => capital(pick(lists.word)),
        jobDescriptor: () => pick(lists.level),
        jobTitle: () => `${name.jobDescriptor()} ${name.jobArea()} ${name.jobType()}`,
        gender: () => pick(["Woman", "Man", "Non-binary"]),
        prefix: () => pick(["Mr.", "Mrs.", "Ms.", "Dr."]),
        suffix: () => pick(["Jr.", "Sr.", "II", "III"]),
        title: () => name.jobTitle(),
    };
    const random_ = {
        number: datatype.number,
        float: datatype.float,
        boolean: datatype.boolean,
        uuid,
        word: () => pick(lists.word),
        words: (count = integer(1, 3)) => some(count, random_.word).join(" "),
        alphaNumeric: (count = 1) => some(count, () => integer(0, 35).toString(36)).join(""),
        alpha: (options = {}) =>
            some(typeof options === "number" ? options : (options.count ?? 1), () => integer(10, 35).toString(36)).join(
                "",
            ),
        hexaDecimal: datatype.hexaDecimal,
        arrayElement: (list = ["a", "b", "c"]) => pick(list),
        arrayElements: (list = ["a", "b", "c"], count = integer(0, list.length)) => {
            const rest = [...list];
            return some(Math.min(count, rest.length), () => rest.splice(integer(0, rest.length - 1), 1)[0]);
        },
        objectElement: (object = { foo: "bar" }, field = "value") => {
            const key = pick(Object.keys(object));
            return field === "key" ? key : object[key];
        },
        locale: () => pick(["de", "en", "es", "fr", "it", "nl", "pl", "pt_BR", "sv"]),
    };
    const internet = {
        userName: (first = name.firstName(), last = name.lastName()) =>
            `${first}${pick([".", "_"])}${last}${datatype.boolean() ? integer(0, 99) : ""}`.replace(/[ ']/g, ""),
        // Addresses and names end in what is reserved for examples, so that nothing made up reaches anybody.
        email: (first, last, provider = "example.com") => `${internet.userName(first, last)}@${provider}`,
        exampleEmail: (first, last) => internet.email(first, last, pick(["example.com", "example.net", "example.org"])),
        domainWord: () => pick(lists.word),
        domainName: () => `${pick(lists.word)}-${pick(lists.word)}.example.${pick(lists.tld)}`,
        domainSuffix: () => pick(lists.tld),
        url: () => `${pick(["http", "https"])}://${internet.domainName()}`,
        ip: () => `${pick(["192.0.2", "198.51.100", "203.0.113"])}.${integer(1, 254)}`,
        ipv6: () => `2001:db8:${some(6, () => hex(4)).join(":")}`,
        mac: () => some(6, () => hex(2)).join(":"),
        port: () => integer(0, 65535),
        color: () => `#${hex(6)}`,
        avatar: () => `https://${internet.domainName()}/avatars/${integer(1, 999)}.jpg`,
        password: (length = 15) => random_.alphaNumeric(length),
        protocol: () => pick(["http", "https"]),
        httpMethod: () => pick(["GET", "POST", "PUT", "DELETE", "PATCH"]),
        userAgent: () => `Mozilla/5.0 (X11; Linux x86_64) ${pick(lists.browser)}/${integer(60, 120)}.0`,
    };
    const day = 86400000;
    const date = {
        past: (years = 1, reference = Date.now()) =>
            new Date(new Date(reference).getTime() - integer(1000, years * 365 * day)),
        future: (years = 1, reference = Date.now()) =>
            new Date(new Date(reference).getTime() + integer(1000, years * 365 * day)),
        recent: (days = 1, reference = Date.now()) =>
            new Date(new Date(reference).getTime() - integer(1000, days * day)),
        soon: (days = 1, reference = Date.now()) => new Date(new Date(reference).getTime() + integer(1000, days * day)),
        between: (from, to) => new Date(integer(new Date(from).getTime(), new Date(to).getTime())),
        month: () =>
            pick([
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
            ]),
        weekday: () => pick(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
    };
    const lorem = {
        word: () => pick(lists.word),
        words: (count = 3) => some(count, lorem.word).join(" "),
        sentence: (count = integer(3, 10)) => `${capital(lorem.words(count))}.`,
        sentences: (count = integer(2, 6), separator = " ") => some(count, () => lorem.sentence()).join(separator),
        paragraph: (count = 3) => lorem.sentences(count + integer(0, 3)),
        paragraphs: (count = 3, separator = "\n \r") => some(count, () => lorem.paragraph()).join(separator),
        text: () => lorem.paragraph(),
        slug: (count = 3) => some(count, lorem.word).join("-"),
    };
    const address = {
        city: () => pick(lists.city),
        country: () => pick(lists.country),
        countryCode: () => pick(lists.code),
        state: () => pick(lists.city),
        streetName: () => `${pick(lists.street)} Street`,
        streetAddress: () => `${integer(1, 999)} ${address.streetName()}`,
        zipCode: (format = "#####") => digits(format),
        latitude: (max = 90, min = -90, precision = 4) => (random() * (max - min) + min).toFixed(precision),
        longitude: (max = 180, min = -180, precision = 4) => (random() * (max - min) + min).toFixed(precision),
        timeZone: () =>
            pick(["America/New_York", "Asia/Tokyo", "Australia/Sydney", "Europe/Berlin", "Europe/London", "UTC"]),
    };
    const commerce = {
        color: () => pick(lists.color),
        department: () => pick(lists.department),
        product: () => pick(lists.product),
        productAdjective: () => pick(lists.adjective),
        productMaterial: () => pick(lists.material),
        productName: () => `${pick(lists.adjective)} ${pick(lists.material)} ${pick(lists.product)}`,
        price: (min = 1, max = 1000, decimals = 2, symbol = "") =>
            symbol + (min + random() * (max - min)).toFixed(decimals),
    };
    const company = {
        companyName: () => `${pick(lists.last)} ${pick(["Group", "Inc", "LLC", "and Sons"])}`,
        companySuffix: () => pick(["Group", "Inc", "LLC", "and Sons"]),
        bs: () => `${pick(lists.verb)} ${pick(lists.word)} ${pick(lists.product).toLowerCase()}s`,
        catchPhrase: () => `${pick(lists.adjective)} ${pick(lists.word)} ${pick(lists.word)}`,
    };
    const finance = {
        account: (length = 8) => digits("#".repeat(length)),
        amount: (min = 0, max = 1000, decimals = 2, symbol = "") =>
            symbol + (min + random() * (max - min)).toFixed(decimals),
        currencyCode: () => pick(["AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "INR", "JPY", "PLN", "SEK", "USD"]),
        transactionType: () => pick(["deposit", "invoice", "payment", "withdrawal"]),
    };
    const phone = { phoneNumber: (format = "###-555-01##") => digits(format) };
    const helpers = {
        randomize: (list = ["a", "b", "c"]) => pick(list),
        shuffle: (list = []) => random_.arrayElements(list, list.length),
        replaceSymbolWithNumber: (text = "", symbol = "#") =>
            text.split(symbol).reduce((all, part) => all + integer(0, 9) + part),
        slugify: (text = "") => text.replace(/ /g, "-").replace(/[^\w.-]+/g, ""),
    };
    const unique = (make, given = []) => {
        const used = (unique.used ??= new Map());
        const seen = used.get(make) ?? new Set();
        used.set(make, seen);
        for (let attempt = 0; attempt < 1000; attempt += 1) {
            const value = make(...given);
            if (!seen.has(value)) {
                seen.add(value);
                return value;
            }
        }
        throw new Error("faker.unique found nothing new in 1000 attempts: the method has too few values");
    };
    // "{{name.firstName}} lives in {{address.city}}"
    const fake = (text) =>
        text.replace(/\{\{([a-z]+)\.([a-zA-Z]+)\}\}/g, (whole, group, method) => {
            if (typeof exports[group]?.[method] !== "function") throw new Error(`Invalid method: ${group}.${method}`);
            return exports[group][method]();
        });

    const seed = (value) => {
        random = seeded(Array.isArray(value) ? value.reduce((sum, one) => sum * 31 + one, 0) : value);
        return value;
    };
    Object.assign(exports, {
        address,
        commerce,
        company,
        datatype,
        date,
        finance,
        helpers,
        internet,
        lorem,
        name,
        phone,
        random: random_,
        fake,
        unique,
        seed,
    });
    exports.default = exports;
    exports.faker = exports;
}
