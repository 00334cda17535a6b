// The part of a contract's ABI that reading logs needs: its events, their topics, and the values in a log.
(require, module, exports) => {
    const { keccak256 } = require("./keccak");
    const { BigNumber, bytesOf, checksumAddress, hexOf, wrong } = require("./ethers_numbers");

    const word = 32;
    const arrayOf = (type) => /^(.*)\[(\d*)\]$/.exec(type);
    const canonical = ({ type, components = [] }) =>
        type.replace(/^tuple/, `(${components.map(canonical).join(",")})`).replace(/^(u?int)(?=$|\[)/, "$1256");

    // "event Transfer(address indexed from, address indexed to, uint256 value)"
    const fromText = (text) => {
        const found = /^\s*(\w+)\s+(\w+)\s*\(([^()]*)\)\s*(.*)$/.exec(text);
        if (!found) throw wrong("unsupported fragment", "value", text);
        const [, type, name, list, rest] = found;
        const inputs = list
            .split(",")
            .map((part) => part.trim().split(/\s+/))
            .filter(([first]) => first !== "")
            .map((words) => ({
                type: words[0],
                indexed: words.includes("indexed"),
                name:
                    words
                        .slice(1)
                        .filter((one) => one !== "indexed")
                        .pop() ?? null,
            }));
        return { type, name, inputs, anonymous: /\banonymous\b/.test(rest) };
    };

    class EventFragment {
        constructor({ name, inputs = [], anonymous = false }) {
            Object.assign(this, { type: "event", name, anonymous, inputs });
        }
        format() {
            return `${this.name}(${this.inputs.map(canonical).join(",")})`;
        }
        topic() {
            return hexOf(keccak256(Buffer.from(this.format())));
        }
    }

    const isDynamic = ({ type, components = [] }) => {
        const array = arrayOf(type);
        if (array) return array[2] === "" || isDynamic({ type: array[1], components });
        return type === "bytes" || type === "string" || (type === "tuple" && components.some(isDynamic));
    };
    const headBytes = (param) => {
        if (isDynamic(param)) return word;
        const array = arrayOf(param.type);
        if (array) return Number(array[2]) * headBytes({ ...param, type: array[1] });
        return param.type === "tuple" ? param.components.reduce((sum, one) => sum + headBytes(one), 0) : word;
    };
    const slice = (data, at, length) => {
        if (at + length > data.length) {
            throw Object.assign(
                new Error(`data out-of-bounds (length=${data.length}, offset=${at + length}, code=BUFFER_OVERRUN)`),
                { code: "BUFFER_OVERRUN" },
            );
        }
        return data.subarray(at, at + length);
    };
    const numberAt = (data, at) => {
        const value = BigInt(hexOf(slice(data, at, word)));
        if (value > BigInt(data.length)) {
            throw Object.assign(
                new Error("data out-of-bounds: an offset or a length points behind the data (code=BUFFER_OVERRUN)"),
                { code: "BUFFER_OVERRUN" },
            );
        }
        return Number(value);
    };

    const readAt = (param, data, at) => {
        const { type } = param;
        const array = arrayOf(type);
        if (array) {
            const length = array[2] === "" ? numberAt(data, at) : Number(array[2]);
            const items = array[2] === "" ? data.subarray(at + word) : data.subarray(at);
            const item = { ...param, type: array[1], name: null };
            if (length * headBytes(item) > items.length) slice(items, 0, length * headBytes(item));
            return readList(new Array(length).fill(item), items);
        }
        if (type === "tuple") return readList(param.components, data.subarray(at));
        if (type === "string") return slice(data, at + word, numberAt(data, at)).toString("utf8");
        if (type === "bytes") return hexOf(slice(data, at + word, numberAt(data, at)));
        const bytes = slice(data, at, word);
        if (type === "address") return checksumAddress(hexOf(bytes.subarray(12)));
        if (type === "bool") return bytes.some((byte) => byte !== 0);
        const fixed = /^bytes(\d+)$/.exec(type);
        if (fixed) return hexOf(bytes.subarray(0, Number(fixed[1])));
        const integer = /^(u?)int(\d*)$/.exec(type);
        if (!integer) throw wrong("invalid type", "type", type);
        const bits = Number(integer[2] || 256);
        const raw = BigInt(hexOf(bytes));
        const big = integer[1] ? BigInt.asUintN(bits, raw) : BigInt.asIntN(bits, raw);
        // As the library does, small integers are plain numbers.
        return bits <= 48 ? Number(big) : BigNumber.from(big);
    };
    // A list that also carries the values by name.
    const named = (params, values) => {
        const names = params.map(({ name }) => name);
        params.forEach(({ name }, index) => {
            const key = name === "length" ? "_length" : name;
            if (key && names.indexOf(name) === names.lastIndexOf(name) && values[key] === undefined)
                values[key] = values[index];
        });
        return values;
    };
    const readList = (params, data) => {
        let at = 0;
        const values = params.map((param) => {
            const value = isDynamic(param) ? readAt(param, data, numberAt(data, at)) : readAt(param, data, at);
            at += headBytes(param);
            return value;
        });
        return named(params, values);
    };

    class Interface {
        constructor(abi) {
            const parsed = typeof abi === "string" ? JSON.parse(abi) : abi;
            if (!Array.isArray(parsed)) throw wrong("the ABI must be a list", "fragments", typeof abi);
            this.fragments = parsed.map((item) => (typeof item === "string" ? fromText(item) : item));
            const events = this.fragments.filter(({ type }) => type === "event").map((item) => new EventFragment(item));
            this.events = Object.fromEntries(events.map((event) => [event.format(), event]));
        }
        getEvent(which) {
            const all = Object.values(this.events);
            const found = /^0x/.test(which)
                ? all.filter((event) => event.topic() === which.toLowerCase())
                : all.filter((event) => event.name === which.trim() || event.format() === which.replace(/\s+/g, ""));
            if (found.length === 1) return found[0];
            throw wrong(
                found.length === 0 ? "no matching event" : "multiple matching events",
                /^0x/.test(which) ? "topichash" : "name",
                which,
            );
        }
        getEventTopic(event) {
            return (typeof event === "string" ? this.getEvent(event) : event).topic();
        }
        decodeEventLog(which, data, topics) {
            const event = typeof which === "string" ? this.getEvent(which) : which;
            let rest = topics ?? [];
            if (topics && !event.anonymous) {
                const expected = event.topic();
                if (topics[0]?.toLowerCase() !== expected) throw wrong("fragment/topic mismatch", "topic", topics[0]);
                rest = topics.slice(1);
            }
            const inData = event.inputs.filter(({ indexed }) => !indexed);
            const plain = readList(inData, bytesOf(data, "data"));
            let inDataAt = 0;
            let topicAt = 0;
            const values = event.inputs.map((param) => {
                if (!param.indexed) return plain[inDataAt++];
                const topic = rest[topicAt++];
                if (topic === undefined) return { _isIndexed: true, hash: null };
                // Only the hash of a long value is in the log.
                if (isDynamic(param) || param.type === "tuple" || arrayOf(param.type))
                    return { _isIndexed: true, hash: topic };
                return readAt(param, bytesOf(topic, "topic"), 0);
            });
            // Unlike inside a tuple, an argument called "length" has no other name here.
            event.inputs.forEach(({ name }, index) => {
                if (name && values[name] === undefined) values[name] = values[index];
            });
            return values;
        }
        parseLog({ data, topics }) {
            const fragment = this.getEvent(topics[0]);
            return {
                eventFragment: fragment,
                name: fragment.name,
                signature: fragment.format(),
                topic: fragment.topic(),
                args: this.decodeEventLog(fragment, data, topics),
            };
        }
    }
    Object.assign(exports, { Interface });
}
