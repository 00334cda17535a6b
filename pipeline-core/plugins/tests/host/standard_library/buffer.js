const { Buffer: B } = require("node:buffer");
const b = (...bytes) => B.from(bytes);
module.exports = {
    same: () => [B === Buffer, Buffer.isBuffer(b(1)), b(1) instanceof Uint8Array, Buffer.name, new Buffer("ab").toString(), Buffer(2).length],
    encodings: () => ["utf8", "utf-8", "UTF8", "hex", "base64", "base64url", "latin1", "binary", "ascii", "utf16le", "ucs2"].map((e) => {
        const bytes = Buffer.from("aé€😀~", e === "hex" ? "utf8" : e);
        return [e, bytes.toString("hex"), bytes.toString(e)];
    }),
    base64: () => ["aGVsbG8=", "aGVsbG8", "aGV sbG8\n", "a-_b", "====", "aGVsbG8=YWJj", "!!aGk"].map((t) => Buffer.from(t, "base64").toString("hex")),
    base64Out: () => ["", "a", "ab", "abc", "\xff\xfe\xfd"].map((t) => [Buffer.from(t, "latin1").toString("base64"), Buffer.from(t, "latin1").toString("base64url")]),
    hex: () => ["0aFF", "0a0", "0azz11", "zz", ""].map((t) => Buffer.from(t, "hex").toString("hex")),
    invalidUtf8: () => [[0xff, 0x41], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc0, 0x80], [0xed, 0xa0, 0x80]].map((l) => Buffer.from(l).toString()),
    loneSurrogate: () => Buffer.from("a\ud800b").toString("hex"),
    from: () => [b(1, 2, 300, -1), Buffer.from(new Uint16Array([1, 258])), Buffer.from({ length: 2, 0: 5, 1: 6 }), Buffer.from({ type: "Buffer", data: [7, 8] }), Buffer.from(new String("s")), Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 1), Buffer.from([])],
    shares: () => {
        const memory = new ArrayBuffer(4);
        const view = Buffer.from(memory);
        view[0] = 9;
        const part = view.slice(0, 2);
        part[1] = 8;
        return [new Uint8Array(memory)[0], view[1], view.subarray(-3, -1).length, Buffer.isBuffer(view.subarray(1)), view.slice(3, 1).length];
    },
    alloc: () => [Buffer.alloc(3), Buffer.alloc(5, "ab"), Buffer.alloc(3, 257), Buffer.alloc(4, "YWI=", "base64"), Buffer.allocUnsafe(2).length],
    concat: () => [Buffer.concat([b(1), b(2, 3)]), Buffer.concat([b(1), b(2, 3)], 2), Buffer.concat([b(1)], 3), Buffer.concat([])],
    byteLength: () => [Buffer.byteLength("aé€"), Buffer.byteLength("YWI=", "base64"), Buffer.byteLength("abc", "hex"), Buffer.byteLength("abc", "utf16le"), Buffer.byteLength(b(1, 2)), Buffer.byteLength("é", "latin1")],
    compare: () => [Buffer.compare(b(1), b(2)), b(2).compare(b(1)), b(1, 2).compare(b(1)), b(1).equals(b(1)), b(1).equals(new Uint8Array([2])), b(1, 2, 3).compare(b(2), 0, 1, 1, 2)],
    search: () => {
        const s = Buffer.from("this is a buffer");
        return [s.indexOf("is"), s.indexOf("is", 3), s.indexOf(98), s.indexOf("zz"), s.indexOf(Buffer.from("a b")), s.lastIndexOf("is"), s.lastIndexOf("is", 4), s.indexOf("is", -8), s.includes("buffer"), s.includes("this", 1), s.indexOf("6973", 0, "hex"), s.indexOf("", 5)];
    },
    copyFill: () => {
        const target = Buffer.alloc(5, 1);
        const n = b(7, 8, 9).copy(target, 3);
        return [n, target, Buffer.alloc(4).fill("xy", 1), Buffer.alloc(4).fill(0x41, 1, 3), Buffer.alloc(3).fill("é")];
    },
    write: () => {
        const t = Buffer.alloc(6);
        return [t.write("héllo", 1), t.toString("hex"), t.write("€€", 2), t.toString("hex"), t.write("ff00", "hex"), t.toString("hex"), t.write("abc", 4), t.write("zz", 0, 1)];
    },
    reads: () => {
        const r = b(0x81, 0x02, 0x83, 0x04, 0x85, 0x06, 0x87, 0x08);
        const out = {};
        for (const f of ["UInt8", "Int8"]) out[f] = r[`read${f}`](0);
        for (const f of ["UInt16", "Int16", "UInt32", "Int32", "Float", "Double", "BigUInt64", "BigInt64"]) for (const o of ["LE", "BE"]) out[f + o] = String(r[`read${f}${o}`](0));
        for (const o of ["LE", "BE"]) out[`int${o}`] = [r[`readIntLE`.replace("LE", o)](0, 6), r[`readUInt${o}`](1, 3), r[`readUInt${o}`](0, 5)];
        out.alias = r.readUint32BE(4) === r.readUInt32BE(4);
        return out;
    },
    writes: () => {
        const out = [];
        for (const [f, v, n] of [["UInt8", 200, 1], ["Int8", -5, 1], ["UInt16LE", 515, 2], ["UInt16BE", 515, 2], ["Int32LE", -2, 4], ["Int32BE", -2, 4], ["UInt32BE", 4000000000, 4], ["FloatLE", 1.5, 4], ["DoubleBE", -1.25, 8], ["BigInt64LE", -3n, 8], ["BigUInt64BE", 5n, 8]]) {
            const t = Buffer.alloc(n);
            out.push([f, t[`write${f}`](v), t.toString("hex")]);
        }
        const t = Buffer.alloc(6);
        out.push([t.writeIntBE(-300, 0, 3), t.writeUIntLE(0x010203, 3, 3), t.toString("hex")]);
        return out;
    },
    json: () => [JSON.stringify(b(1, 2)), JSON.stringify({ a: Buffer.from("é") })],
    text: () => [String(b(104, 105)), `${b(104)}`, b(104, 105, 106).toString("utf8", 1), b(104, 105, 106).toString("utf8", 0, 2), b(1).toString("hex", 5), Buffer.from("a") + "b"],
    arrayMethods: () => [b(3, 1, 2).sort(), b(1, 2).map((x) => x * 2), Buffer.isBuffer(b(1).map((x) => x)), [...b(1, 2).entries()], b(1, 2).reverse(), b(1, 2, 3).filter((x) => x > 1), Array.from(b(1)), b(1, 2).join("-")],
    swap: () => b(1, 2, 3, 4).swap16(),
    isEncoding: () => ["utf8", "UTF-16LE", "nope", 5].map((e) => Buffer.isEncoding(e)),
    atob: () => [atob("aGk="), btoa("hi\xff")],
    errFromNumber: () => Buffer.from(5),
    errFromUndefined: () => Buffer.from(undefined),
    errFromNull: () => Buffer.from(null),
    errEncoding: () => Buffer.from("a", "nope"),
    errRead: () => b(1).readUInt16LE(0),
    errRead2: () => b(1, 2, 3).readUInt16LE(2),
    errRead3: () => b(1, 2, 3).readUInt8("1"),
    errWrite: () => Buffer.alloc(1).writeUInt8(256),
    errAlloc: () => Buffer.alloc("5"),
    errAllocRange: () => Buffer.alloc(-1),
    errConcat: () => Buffer.concat("a"),
    errAtob: () => { try { atob("a*b"); } catch (e) { return [e.name, e.code]; } },
    errCompare: () => Buffer.compare(b(1), "x"),
};
