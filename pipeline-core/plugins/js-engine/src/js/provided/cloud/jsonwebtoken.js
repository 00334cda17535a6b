// `jsonwebtoken`: signing and checking tokens. A token without a signature is never made and never accepted,
// and a public key is never taken for a shared secret.
(require, module, exports) => {
    const { createHmac, createSign, createVerify, timingSafeEqual } = require("crypto");

    class JsonWebTokenError extends Error {
        constructor(message, inner) {
            super(message);
            this.name = "JsonWebTokenError";
            if (inner) this.inner = inner;
        }
    }
    class TokenExpiredError extends JsonWebTokenError {
        constructor(message, expiredAt) {
            super(message);
            Object.assign(this, { name: "TokenExpiredError", expiredAt });
        }
    }
    class NotBeforeError extends JsonWebTokenError {
        constructor(message, date) {
            super(message);
            Object.assign(this, { name: "NotBeforeError", date });
        }
    }

    const secretAlgorithms = ["HS256", "HS384", "HS512"];
    const keyAlgorithms = ["RS256", "RS384", "RS512"];
    const notProvided = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
    const encode = (value) =>
        Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
    const isPlain = (value) =>
        typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

    const checkAlgorithm = (algorithm) => {
        if (notProvided.includes(algorithm)) {
            throw new JsonWebTokenError(`The algorithm ${algorithm} is not provided: use RS256 or HS256`);
        }
        if (!secretAlgorithms.includes(algorithm) && !keyAlgorithms.includes(algorithm)) {
            throw new JsonWebTokenError("invalid algorithm");
        }
    };
    const signatureOf = (algorithm, input, key) => {
        const hash = `sha${algorithm.slice(2)}`;
        if (algorithm.startsWith("HS")) return createHmac(hash, key).update(input).digest();
        return createSign(`RSA-SHA${algorithm.slice(2)}`)
            .update(input)
            .sign(key);
    };
    const isSigned = (algorithm, input, signature, key) => {
        if (algorithm.startsWith("HS")) {
            const wanted = signatureOf(algorithm, input, key);
            return wanted.length === signature.length && timingSafeEqual(wanted, signature);
        }
        return createVerify(`RSA-SHA${algorithm.slice(2)}`)
            .update(input)
            .verify(key, signature);
    };

    const unitsMs = [
        ["milliseconds?|msecs?|ms", 1],
        ["seconds?|secs?|s", 1000],
        ["minutes?|mins?|m", 60000],
        ["hours?|hrs?|h", 3600000],
        ["days?|d", 86400000],
        ["weeks?|w", 604800000],
        ["years?|yrs?|y", 31557600000],
    ].map(([names, ms]) => [new RegExp(`^(-?(?:\\d+)?\\.?\\d+) *(?:${names})$`, "i"), ms]);
    // A span as seconds from `iat`: a number of seconds, or a text such as "2 days"; bare digits are milliseconds.
    const after = (span, iat) => {
        if (typeof span === "number") return iat + span;
        if (/^-?\d*\.?\d+$/.test(span)) return Math.floor(iat + Number(span) / 1000);
        for (const [pattern, ms] of unitsMs) {
            const found = pattern.exec(span);
            if (found) return Math.floor(iat + (Number(found[1]) * ms) / 1000);
        }
        return undefined;
    };
    const nowSeconds = () => Math.floor(Date.now() / 1000);

    const optionChecks = {
        expiresIn: [
            (v) => Number.isInteger(v) || (typeof v === "string" && v !== ""),
            '"expiresIn" should be a number of seconds or string representing a timespan',
        ],
        notBefore: [
            (v) => Number.isInteger(v) || (typeof v === "string" && v !== ""),
            '"notBefore" should be a number of seconds or string representing a timespan',
        ],
        audience: [(v) => typeof v === "string" || Array.isArray(v), '"audience" must be a string or array'],
        algorithm: [
            (v) => [...secretAlgorithms, ...keyAlgorithms, ...notProvided].includes(v),
            '"algorithm" must be a valid string enum value',
        ],
        header: [isPlain, '"header" must be an object'],
        issuer: [(v) => typeof v === "string", '"issuer" must be a string'],
        subject: [(v) => typeof v === "string", '"subject" must be a string'],
        jwtid: [(v) => typeof v === "string", '"jwtid" must be a string'],
        noTimestamp: [(v) => typeof v === "boolean", '"noTimestamp" must be a boolean'],
        keyid: [(v) => typeof v === "string", '"keyid" must be a string'],
        mutatePayload: [(v) => typeof v === "boolean", '"mutatePayload" must be a boolean'],
        encoding: [(v) => typeof v === "string", '"encoding" must be a string'],
    };
    const claimNames = { audience: "aud", issuer: "iss", subject: "sub", jwtid: "jti" };

    const sign = (given, key, options) => {
        if (key === undefined || key === null || key === "") throw new Error("secretOrPrivateKey must have a value");
        if (given === undefined) throw new Error("payload is required");
        const plain = isPlain(given);
        for (const [name, value] of Object.entries(options)) {
            if (value === undefined) continue;
            if (!optionChecks[name]) throw new Error(`"${name}" is not allowed in "options"`);
            if (!optionChecks[name][0](value)) throw new Error(optionChecks[name][1]);
        }
        const algorithm = options.algorithm ?? "HS256";
        checkAlgorithm(algorithm);
        const { alg, typ, kid, ...more } = options.header ?? {};
        const header = { alg: algorithm, typ: plain ? (typ ?? "JWT") : typ, kid: options.keyid ?? kid, ...more };
        if (!plain) {
            const unsuited = Object.keys(claimNames)
                .concat("expiresIn", "notBefore", "noTimestamp")
                .filter((name) => options[name] !== undefined);
            if (unsuited.length > 0)
                throw new Error(`invalid ${unsuited.join(",")} option for ${typeof given} payload`);
            const input = `${encode(header)}.${Buffer.from(given).toString("base64url")}`;
            return `${input}.${signatureOf(algorithm, input, key).toString("base64url")}`;
        }
        const payload = options.mutatePayload ? given : { ...given };
        for (const name of ["iat", "exp", "nbf"]) {
            if (payload[name] !== undefined && typeof payload[name] !== "number")
                throw new Error(`"${name}" should be a number of seconds`);
        }
        if (payload.exp !== undefined && options.expiresIn !== undefined) {
            throw new Error('Bad "options.expiresIn" option the payload already has an "exp" property.');
        }
        if (payload.nbf !== undefined && options.notBefore !== undefined) {
            throw new Error('Bad "options.notBefore" option the payload already has an "nbf" property.');
        }
        const iat = payload.iat ?? nowSeconds();
        if (options.noTimestamp) delete payload.iat;
        else payload.iat = iat;
        for (const [option, claim] of [
            ["notBefore", "nbf"],
            ["expiresIn", "exp"],
        ]) {
            if (options[option] === undefined) continue;
            payload[claim] = after(options[option], iat);
            if (payload[claim] === undefined) {
                throw new Error(
                    `"${option}" should be a number of seconds or string representing a timespan eg: "1d", "20h", 60`,
                );
            }
        }
        for (const [option, claim] of Object.entries(claimNames)) {
            if (options[option] === undefined) continue;
            if (payload[claim] !== undefined) {
                throw new Error(`Bad "options.${option}" option. The payload already has an "${claim}" property.`);
            }
            payload[claim] = options[option];
        }
        const input = `${encode(header)}.${encode(payload)}`;
        return `${input}.${signatureOf(algorithm, input, key).toString("base64url")}`;
    };

    const decode = (token, { complete = false, json = false } = {}) => {
        const parts = /^([\w-]+)\.([\w-]*)\.([\w-]*)$/.exec(String(token));
        if (!parts) return null;
        let header;
        let payload = Buffer.from(parts[2], "base64url").toString("utf8");
        try {
            header = JSON.parse(Buffer.from(parts[1], "base64url").toString("latin1"));
        } catch {
            return null;
        }
        if (header.typ === "JWT" || json) payload = JSON.parse(payload);
        else {
            try {
                const value = JSON.parse(payload);
                if (isPlain(value)) payload = value;
            } catch {
                // A payload may be any text.
            }
        }
        return complete ? { header, payload, signature: parts[3] } : payload;
    };

    const matches = (wanted, value) => (wanted instanceof RegExp ? wanted.test(value) : wanted === value);
    const list = (value) => (Array.isArray(value) ? value : [value]);

    const checkClaims = (payload, options) => {
        const now = options.clockTimestamp ?? nowSeconds();
        const tolerance = options.clockTolerance ?? 0;
        if (payload.nbf !== undefined && !options.ignoreNotBefore) {
            if (typeof payload.nbf !== "number") throw new JsonWebTokenError("invalid nbf value");
            if (payload.nbf > now + tolerance) throw new NotBeforeError("jwt not active", new Date(payload.nbf * 1000));
        }
        if (payload.exp !== undefined && !options.ignoreExpiration) {
            if (typeof payload.exp !== "number") throw new JsonWebTokenError("invalid exp value");
            if (now >= payload.exp + tolerance)
                throw new TokenExpiredError("jwt expired", new Date(payload.exp * 1000));
        }
        if (options.audience) {
            const wanted = list(options.audience);
            const matched = list(payload.aud).some((one) => wanted.some((audience) => matches(audience, one)));
            if (!matched) throw new JsonWebTokenError(`jwt audience invalid. expected: ${wanted.join(" or ")}`);
        }
        for (const [option, claim, name] of [
            ["issuer", "iss", "issuer"],
            ["subject", "sub", "subject"],
            ["jwtid", "jti", "jwtid"],
        ]) {
            if (options[option] && !list(options[option]).includes(payload[claim])) {
                throw new JsonWebTokenError(`jwt ${name} invalid. expected: ${options[option]}`);
            }
        }
        if (options.nonce && payload.nonce !== options.nonce)
            throw new JsonWebTokenError(`jwt nonce invalid. expected: ${options.nonce}`);
        if (options.maxAge !== undefined) {
            if (typeof payload.iat !== "number") throw new JsonWebTokenError("iat required when maxAge is specified");
            const oldest = after(options.maxAge, payload.iat);
            if (oldest === undefined) {
                throw new JsonWebTokenError(
                    '"maxAge" should be a number of seconds or string representing a timespan eg: "1d", "20h", 60',
                );
            }
            if (now >= oldest + tolerance) throw new TokenExpiredError("maxAge exceeded", new Date(oldest * 1000));
        }
    };

    const verifyWith = (token, decoded, key, options) => {
        const parts = token.split(".");
        if (parts[2] === "" && key) throw new JsonWebTokenError("jwt signature is required");
        if (!key) throw new JsonWebTokenError("secret or public key must be provided");
        const text =
            typeof key === "string" || ArrayBuffer.isView(key)
                ? Buffer.from(key).toString("latin1")
                : "BEGIN PUBLIC KEY";
        const isKey = /BEGIN (CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)/.test(text);
        const allowed = options.algorithms ?? (isKey ? [...keyAlgorithms, ...notProvided] : secretAlgorithms);
        const { alg } = decoded.header;
        if (!allowed.includes(alg)) throw new JsonWebTokenError("invalid algorithm");
        checkAlgorithm(alg);
        if (isKey && alg.startsWith("HS")) throw new JsonWebTokenError("invalid algorithm");
        const input = `${parts[0]}.${parts[1]}`;
        if (!isSigned(alg, input, Buffer.from(parts[2], "base64url"), key))
            throw new JsonWebTokenError("invalid signature");
        if (isPlain(decoded.payload)) checkClaims(decoded.payload, options);
        return options.complete ? decoded : decoded.payload;
    };
    const parse = (token, options) => {
        if (options.clockTimestamp !== undefined && typeof options.clockTimestamp !== "number") {
            throw new JsonWebTokenError("clockTimestamp must be a number");
        }
        if (!token) throw new JsonWebTokenError("jwt must be provided");
        if (typeof token !== "string") throw new JsonWebTokenError("jwt must be a string");
        if (token.split(".").length !== 3) throw new JsonWebTokenError("jwt malformed");
        const decoded = decode(token, { complete: true });
        if (!decoded) throw new JsonWebTokenError("invalid token");
        return decoded;
    };

    // With a callback the outcome goes there, a turn later; without one it is returned or thrown.
    const deliver = (callback, run) => {
        if (typeof callback !== "function") return run();
        Promise.resolve()
            .then(run)
            .then(
                (value) => callback(null, value),
                (error) => callback(error),
            );
        return undefined;
    };
    const withCallback = (options, callback) =>
        typeof options === "function" ? [{}, options] : [options ?? {}, callback];

    exports.sign = (payload, key, given, then) => {
        const [options, callback] = withCallback(given, then);
        return deliver(callback, () => sign(payload, key, options));
    };
    exports.verify = (token, key, given, then) => {
        const [options, callback] = withCallback(given, then);
        if (typeof key !== "function")
            return deliver(callback, () => verifyWith(token, parse(token, options), key, options));
        if (!callback)
            throw new JsonWebTokenError(
                "verify must be called asynchronous if secret or public key is provided as a callback",
            );
        return deliver(callback, () => {
            const decoded = parse(token, options);
            const found = new Promise((resolve, reject) => {
                key(decoded.header, (error, value) =>
                    error
                        ? reject(new JsonWebTokenError(`error in secret or public key callback: ${error.message}`))
                        : resolve(value),
                );
            });
            return found.then((value) => verifyWith(token, decoded, value, options));
        });
    };
    exports.decode = decode;
    Object.assign(exports, { JsonWebTokenError, TokenExpiredError, NotBeforeError });
}
