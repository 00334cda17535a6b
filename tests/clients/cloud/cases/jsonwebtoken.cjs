// Tokens made and checked. HS tokens must be the same to the byte; the RSA key is new for each run.
const crypto = require("crypto");

const keys = crypto.generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const made = 1684326615;
const hs = (header, claims, key = "secret") => {
    const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${input}.${crypto.createHmac("sha256", key).update(input).digest("base64url")}`;
};
const jwt = { alg: "HS256", typ: "JWT" };
const plain =
    Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url") +
    "." +
    Buffer.from('{"a":1}').toString("base64url") +
    ".";
const asked = (start) =>
    new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));

const signing = {
    defaults: [{ a: 1, b: "é" }, "secret"],
    hs384: [{ a: 1 }, "secret", { algorithm: "HS384" }],
    hs512: [{ a: 1 }, Buffer.from("secret"), { algorithm: "HS512" }],
    "all claims": [
        { a: 1 },
        "secret",
        {
            expiresIn: "2 days",
            notBefore: 60,
            audience: ["x", "y"],
            issuer: "i",
            subject: "s",
            jwtid: "j",
            keyid: "k",
            header: { cty: "c" },
        },
    ],
    "expires in text": [{}, "secret", { expiresIn: "1.5h" }],
    "expires in milliseconds": [{}, "secret", { expiresIn: "120000" }],
    "expires in nonsense": [{}, "secret", { expiresIn: "soon" }],
    "expires in a fraction": [{}, "secret", { expiresIn: 1.5 }],
    "own iat": [{ iat: 1000 }, "secret", { expiresIn: 10 }],
    "without a timestamp": [{ a: 1 }, "secret", { noTimestamp: true }],
    "a text": ["plain text", "secret"],
    "a text with claims": ["plain text", "secret", { expiresIn: 10 }],
    "exp twice": [{ exp: 1 }, "secret", { expiresIn: 10 }],
    "iss twice": [{ iss: "a" }, "secret", { issuer: "b" }],
    "exp of the wrong type": [{ exp: "1" }, "secret"],
    "no secret": [{}, undefined],
    "an unknown option": [{}, "secret", { expiresin: 1 }],
    "an unknown algorithm": [{}, "secret", { algorithm: "HS1" }],
};
const verifying = {
    good: [hs(jwt, { a: 1, iat: made }), "secret"],
    complete: [hs(jwt, { a: 1 }), "secret", { complete: true }],
    "wrong secret": [hs(jwt, { a: 1 }), "other"],
    changed: [hs(jwt, { a: 1 }).replace(/\.[^.]+\./, `.${Buffer.from('{"a":2}').toString("base64url")}.`), "secret"],
    expired: [hs(jwt, { exp: made - 1 }), "secret"],
    "expired but tolerated": [hs(jwt, { exp: made - 1 }), "secret", { clockTolerance: 5 }],
    "expired but ignored": [hs(jwt, { exp: made - 1 }), "secret", { ignoreExpiration: true }],
    "not yet": [hs(jwt, { nbf: made + 10 }), "secret"],
    "too old": [hs(jwt, { iat: made - 100 }), "secret", { maxAge: "1m" }],
    audience: [hs(jwt, { aud: ["x", "y"] }), "secret", { audience: /^x/ }],
    "wrong audience": [hs(jwt, { aud: "z" }), "secret", { audience: ["x", "y"] }],
    "wrong issuer": [hs(jwt, { iss: "z" }), "secret", { issuer: "i" }],
    "wrong subject": [hs(jwt, { sub: "z" }), "secret", { subject: "s" }],
    unsigned: [plain, "secret"],
    "unsigned, no secret": [plain, undefined],
    "unsigned, none allowed by mistake": [plain, "secret", { algorithms: ["none"] }],
    "an algorithm not allowed": [hs(jwt, {}), "secret", { algorithms: ["HS512"] }],
    malformed: ["abc", "secret"],
    "not base64": ["a.b.c!", "secret"],
    empty: ["", "secret"],
    "a number": [5, "secret"],
};

module.exports = [
    ...Object.entries(signing).map(([name, values]) => ({ name: `sign: ${name}`, run: (lib) => lib.sign(...values) })),
    ...Object.entries(verifying).map(([name, values]) => ({
        name: `verify: ${name}`,
        run: (lib) => lib.verify(...values),
    })),
    { name: "sign with a callback", run: (lib) => asked((done) => lib.sign({ a: 1 }, "secret", done)) },
    {
        name: "verify with a callback",
        run: (lib) => asked((done) => lib.verify(hs(jwt, { exp: 5 }), "secret", {}, done)),
    },
    {
        name: "verify with a key to be looked up",
        run: (lib) =>
            asked((done) =>
                lib.verify(
                    hs({ ...jwt, kid: "k" }, { a: 1 }),
                    ({ kid }, found) => found(null, kid === "k" ? "secret" : "x"),
                    {},
                    done,
                ),
            ),
    },
    {
        name: "RSA both ways",
        run: (lib) =>
            lib.verify(lib.sign({ a: 1 }, keys.privateKey, { algorithm: "RS256", expiresIn: 60 }), keys.publicKey, {
                complete: true,
                algorithms: ["RS256"],
            }).payload,
    },
    {
        name: "RSA checked by Node",
        run: (lib) => {
            const [header, claims, signature] = lib.sign({ a: 1 }, keys.privateKey, { algorithm: "RS256" }).split(".");
            return crypto.verify(
                "RSA-SHA256",
                Buffer.from(`${header}.${claims}`),
                keys.publicKey,
                Buffer.from(signature, "base64url"),
            );
        },
    },
    {
        name: "a public key used as a secret",
        run: (lib) => lib.verify(hs(jwt, { admin: true }, keys.publicKey), keys.publicKey),
    },
    {
        name: "decode",
        run: (lib) => [
            lib.decode(hs(jwt, { a: 1 })),
            lib.decode(hs(jwt, { a: 1 }), { complete: true }),
            lib.decode("x"),
            lib.decode(hs({ alg: "HS256" }, { a: 1 })),
        ],
    },
    {
        name: "the errors",
        run: (lib) => {
            try {
                lib.verify(hs(jwt, { exp: 5 }), "secret");
                return "no error";
            } catch (error) {
                return [
                    error instanceof lib.TokenExpiredError,
                    error instanceof lib.JsonWebTokenError,
                    error.name,
                    error.expiredAt,
                ];
            }
        },
    },
].map((example) => ({ module: "jsonwebtoken", answers: [], ...example }));
