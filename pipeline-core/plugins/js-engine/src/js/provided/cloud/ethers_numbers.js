// Numbers, hexadecimal text and addresses as `ethers` version 5 shows them.
(require, module, exports) => {
    const { keccak256 } = require("./keccak");

    const wrong = (message, argument, value) =>
        Object.assign(
            new Error(`${message} (argument="${argument}", value=${JSON.stringify(value)}, code=INVALID_ARGUMENT)`),
            {
                reason: message,
                code: "INVALID_ARGUMENT",
                argument,
                value,
            },
        );
    const isHex = (value) => typeof value === "string" && /^0x[0-9a-f]*$/i.test(value);
    const hexOf = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;
    const bytesOf = (value, name = "value") => {
        if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        if (isHex(value) && value.length % 2 === 0) return Buffer.from(value.slice(2), "hex");
        throw wrong("invalid arrayify value", name, value);
    };

    const parse = (value) => {
        if (value instanceof BigNumber) return value.big;
        if (typeof value === "bigint") return value;
        if (typeof value === "number") {
            if (Number.isSafeInteger(value)) return BigInt(value);
            throw Object.assign(
                new Error(
                    `${Number.isInteger(value) ? "overflow" : "underflow"}: ${value} is no safe integer (code=NUMERIC_FAULT)`,
                ),
                { code: "NUMERIC_FAULT", fault: Number.isInteger(value) ? "overflow" : "underflow" },
            );
        }
        if (typeof value === "string" && /^-?(0x[0-9a-f]+|\d+)$/i.test(value)) {
            return value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value);
        }
        if (ArrayBuffer.isView(value)) return BigInt(`0x0${Buffer.from(value).toString("hex")}`);
        const hex = value?.hex ?? value?._hex;
        if (hex !== undefined) return parse(hex);
        throw wrong("invalid BigNumber value", "value", value);
    };

    class BigNumber {
        constructor(big) {
            this.big = big;
            this._hex = this.toHexString();
            this._isBigNumber = true;
            Object.defineProperty(this, "big", { enumerable: false });
        }
        static from(value) {
            return value instanceof BigNumber ? value : new BigNumber(parse(value));
        }
        static isBigNumber(value) {
            return Boolean(value?._isBigNumber);
        }
        toHexString() {
            const digits = (this.big < 0n ? -this.big : this.big).toString(16);
            return `${this.big < 0n ? "-" : ""}0x${digits.length % 2 ? "0" : ""}${digits}`;
        }
        toString() {
            return this.big.toString();
        }
        toJSON() {
            return { type: "BigNumber", hex: this.toHexString() };
        }
        toBigInt() {
            return this.big;
        }
        toNumber() {
            const number = Number(this.big);
            if (Number.isSafeInteger(number)) return number;
            throw Object.assign(
                new Error(
                    `overflow: ${this.big} does not fit a JavaScript number (fault="overflow", operation="toNumber", code=NUMERIC_FAULT)`,
                ),
                {
                    code: "NUMERIC_FAULT",
                    fault: "overflow",
                    operation: "toNumber",
                },
            );
        }
        isZero() {
            return this.big === 0n;
        }
        isNegative() {
            return this.big < 0n;
        }
        abs() {
            return new BigNumber(this.big < 0n ? -this.big : this.big);
        }
    }
    const operations = {
        add: (a, b) => a + b,
        sub: (a, b) => a - b,
        mul: (a, b) => a * b,
        div: (a, b) => a / b,
        mod: (a, b) => ((a % b) + (b < 0n ? -b : b)) % b,
        pow: (a, b) => a ** b,
    };
    for (const [name, run] of Object.entries(operations)) {
        BigNumber.prototype[name] = function (other) {
            const by = parse(other);
            if (by === 0n && (name === "div" || name === "mod")) {
                throw Object.assign(new Error(`division-by-zero (operation="${name}", code=NUMERIC_FAULT)`), {
                    code: "NUMERIC_FAULT",
                    fault: "division-by-zero",
                });
            }
            return new BigNumber(run(this.big, by));
        };
    }
    const comparisons = {
        eq: (a, b) => a === b,
        lt: (a, b) => a < b,
        lte: (a, b) => a <= b,
        gt: (a, b) => a > b,
        gte: (a, b) => a >= b,
    };
    for (const [name, run] of Object.entries(comparisons)) {
        BigNumber.prototype[name] = function (other) {
            return run(this.big, parse(other));
        };
    }

    const unitNames = ["wei", "kwei", "mwei", "gwei", "szabo", "finney", "ether"];
    const decimalsOf = (unit) => (typeof unit === "string" ? 3 * unitNames.indexOf(unit) : unit);
    exports.formatUnits = (value, unit = 18) => {
        const decimals = decimalsOf(unit);
        const big = parse(value);
        const digits = (big < 0n ? -big : big).toString().padStart(decimals + 1, "0");
        const sign = big < 0n ? "-" : "";
        if (decimals === 0) return sign + digits;
        const fraction = digits.slice(-decimals).replace(/0+$/, "") || "0";
        return `${sign}${digits.slice(0, -decimals)}.${fraction}`;
    };
    exports.parseUnits = (value, unit = 18) => {
        const decimals = decimalsOf(unit);
        const found = /^(-?)(\d*)\.?(\d*)$/.exec(value);
        if (typeof value !== "string" || !found || found[2] + found[3] === "")
            throw wrong("invalid decimal value", "value", value);
        const fraction = found[3].replace(/0+$/, "");
        if (fraction.length > decimals) {
            throw Object.assign(
                new Error(
                    'fractional component exceeds decimals (fault="underflow", operation="parseFixed", code=NUMERIC_FAULT)',
                ),
                { code: "NUMERIC_FAULT", fault: "underflow" },
            );
        }
        const big = BigInt(`0${found[2]}${fraction.padEnd(decimals, "0")}`);
        return new BigNumber(found[1] ? -big : big);
    };
    exports.checksumAddress = (value) => {
        if (typeof value !== "string" || !/^(0x)?[0-9a-f]{40}$/i.test(value))
            throw wrong("invalid address", "address", value);
        const digits = value.replace(/^0x/i, "").toLowerCase();
        const hash = keccak256(Buffer.from(digits)).toString("hex");
        const result = `0x${[...digits].map((digit, index) => (parseInt(hash[index], 16) >= 8 ? digit.toUpperCase() : digit)).join("")}`;
        const isMixed = /[a-f]/.test(value.slice(2)) && /[A-F]/.test(value.slice(2));
        if (isMixed && result.slice(2) !== value.replace(/^0x/i, ""))
            throw wrong("bad address checksum", "address", value);
        return result;
    };
    exports.parseBytes32String = (value) => {
        const bytes = bytesOf(value);
        if (bytes.length !== 32) throw new Error("invalid bytes32 - not 32 bytes long");
        if (bytes[31] !== 0) throw new Error("invalid bytes32 string - no null terminator");
        return bytes.subarray(0, bytes.indexOf(0)).toString("utf8");
    };
    exports.formatBytes32String = (text) => {
        const bytes = Buffer.from(text, "utf8");
        if (bytes.length > 31) throw new Error("bytes32 string must be less than 32 bytes");
        return hexOf(Buffer.concat([bytes, Buffer.alloc(32 - bytes.length)]));
    };
    Object.assign(exports, { BigNumber, bytesOf, hexOf, isHex, wrong });
}
