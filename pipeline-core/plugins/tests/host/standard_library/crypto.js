const crypto = require("crypto");
const { createHash, createHmac } = crypto;
const names = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
const keys = require("./keys.json");
const key = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i));
const roundTrip = (name, n, iv, text, extra) => {
    const c = crypto.createCipheriv(name, key(n), key(iv));
    if (extra) c.setAAD(Buffer.from(extra));
    const parts = [c.update(text.slice(0, 7), "utf8", "hex"), c.update(text.slice(7), "utf8", "hex"), c.final("hex")];
    const tag = extra ? c.getAuthTag() : undefined;
    const d = crypto.createDecipheriv(name, key(n), key(iv));
    if (extra) d.setAAD(Buffer.from(extra)).setAuthTag(tag);
    const whole = parts.join("");
    const plain = d.update(whole.slice(0, 34), "hex", "utf8") + d.update(Buffer.from(whole.slice(34), "hex")) + d.final("utf8");
    return [parts, tag?.toString("hex"), plain];
};
const text = "The quick brown fox jumps over the lazy dog, twice.";
module.exports = {
    digests: () => names.map((n) => createHash(n).update("héllo").update(Buffer.from([1, 2])).digest("hex")),
    encodings: () => [createHash("sha256").update("a").digest("base64"), createHash("md5").update("ff", "hex").digest("base64url"), createHash("sha1").update("a").digest().toString("hex"), createHash("SHA256").update("a").digest("latin1").length, createHash("RSA-SHA256").update("a").digest("hex")],
    copy: () => { const h = createHash("sha1").update("a"); const c = h.copy().update("b"); return [h.digest("hex"), c.digest("hex")]; },
    hmac: () => names.map((n) => createHmac(n, "key").update("a").update("b").digest("hex")),
    hmacKeys: () => [createHmac("sha256", Buffer.alloc(100, 7)).update("x").digest("hex"), createHmac("sha256", "").update("x").digest("base64"), createHmac("sha256", crypto.createSecretKey(Buffer.from("k"))).update("x").digest("hex")],
    inputUnchanged: () => { const part = Buffer.from("a"); const h = createHash("md5").update(part); part[0] = 98; return h.digest("hex"); },
    cbc: () => [roundTrip("aes-128-cbc", 16, 16, text), roundTrip("aes-256-cbc", 32, 16, "0123456789abcdef"), roundTrip("aes-192-cbc", 24, 16, text)],
    ctr: () => [roundTrip("aes-128-ctr", 16, 16, text), roundTrip("aes-256-ctr", 32, 16, text)],
    gcm: () => [roundTrip("aes-128-gcm", 16, 12, text, "extra"), roundTrip("aes-256-gcm", 32, 12, text, "e")],
    noPadding: () => { const c = crypto.createCipheriv("aes-128-cbc", key(16), key(16)); c.setAutoPadding(false); return c.update("0123456789abcdef", "utf8", "hex") + c.final("hex"); },
    sign: () => ["RSA-SHA256", "sha1", "sha512"].map((n) => crypto.createSign(n).update("mes").update("sage").sign(keys.pkcs8, "base64")),
    signPkcs1: () => crypto.createSign("RSA-SHA256").update("message").sign({ key: keys.pkcs1 }, "hex"),
    verify: () => {
        const s = crypto.createSign("RSA-SHA256").update("m").sign(keys.pkcs8);
        return [crypto.createVerify("RSA-SHA256").update("m").verify(keys.public, s), crypto.createVerify("RSA-SHA256").update("n").verify(keys.public, s), crypto.createVerify("sha256").update("m").verify(keys.public, s.toString("base64"), "base64"), crypto.verify("sha256", Buffer.from("m"), keys.public, s)];
    },
    pbkdf2: () => [crypto.pbkdf2Sync("pw", "salt", 10, 40, "sha512").toString("hex"), crypto.pbkdf2Sync("pw", Buffer.from("salt"), 1, 20, "sha1").toString("hex")],
    pbkdf2Async: () => new Promise((resolve) => crypto.pbkdf2("pw", "salt", 2, 16, "sha256", (e, k) => resolve([e, k.toString("hex")]))),
    random: () => [crypto.randomBytes(7).length, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.randomInt(5) < 5, crypto.randomInt(3, 4), crypto.randomFillSync(Buffer.alloc(3)).length],
    timingSafeEqual: () => [crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("a")), crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("b"))],
    subtle: async () => [Buffer.from(await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode("a"))).toString("hex"), Buffer.from(await crypto.webcrypto.subtle.digest({ name: "SHA-1" }, Buffer.from("a"))).toString("hex")],
    subtleHmac: async () => {
        const k = await crypto.subtle.importKey("raw", Buffer.from("k"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
        const s = await crypto.subtle.sign("HMAC", k, Buffer.from("x"));
        return [Buffer.from(s).toString("hex"), await crypto.subtle.verify("HMAC", k, s, Buffer.from("x"))];
    },
    webRandom: () => [globalThis.crypto.getRandomValues(new Uint8Array(4)).length, globalThis.crypto.randomUUID().length],
    errHash: () => createHash("nope"),
    errHmac: () => createHmac("nope", "k"),
    errTwice: () => { const h = createHash("md5"); h.digest(); h.digest(); },
    errUpdate: () => createHash("md5").update(5),
    errCipher: () => crypto.createCipheriv("rot13", "k", "i"),
    errKey: () => crypto.createCipheriv("aes-128-cbc", "short", key(16)),
    errIv: () => crypto.createCipheriv("aes-128-cbc", key(16), "x"),
    errDecrypt: () => { const d = crypto.createDecipheriv("aes-128-cbc", key(16), key(16)); d.update(Buffer.alloc(16)); d.final(); },
    errBlock: () => { const d = crypto.createDecipheriv("aes-128-cbc", key(16), key(16)); d.update(Buffer.alloc(15)); d.final(); },
    errTag: () => { const d = crypto.createDecipheriv("aes-128-gcm", key(16), key(12)); d.setAuthTag(Buffer.alloc(16)); d.update("aa", "hex"); d.final(); },
    errSize: () => crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("ab")),
    errRandom: () => crypto.randomBytes(-1),
    errPbkdf2: () => crypto.pbkdf2Sync("a", "b", 1, 1, "nope"),
};
