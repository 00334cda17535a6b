const zlib = require("zlib");
const { promisify } = require("util");
const text = "hello hello hello hello ".repeat(20);
const back = (name, undo) => zlib[`${undo}Sync`](zlib[`${name}Sync`](text)).toString() === text;
const streamed = (stream, input) => new Promise((resolve, reject) => {
    const chunks = [];
    stream.on("data", (c) => chunks.push(c)).on("end", () => resolve(Buffer.concat(chunks))).on("error", reject);
    stream.write(input.subarray(0, 5));
    stream.end(input.subarray(5));
});
module.exports = {
    roundTrips: () => [back("gzip", "gunzip"), back("deflate", "inflate"), back("deflateRaw", "inflateRaw"), back("gzip", "unzip"), back("deflate", "unzip")],
    header: () => [zlib.gzipSync("a").subarray(0, 4).toString("hex"), zlib.deflateSync("a").subarray(0, 1).toString("hex")],
    levels: () => [zlib.gunzipSync(zlib.gzipSync(text, { level: 9 })).length, zlib.gzipSync(text, { level: 0 }).length > 480, zlib.gzipSync(text).length < 80],
    known: () => [zlib.gunzipSync(Buffer.from(zlib.gzipSync("hello hello"))).toString()],
    members: () => zlib.gunzipSync(Buffer.concat([zlib.gzipSync("a"), zlib.gzipSync("b")])).toString(),
    empty: () => zlib.gunzipSync(zlib.gzipSync("")).length,
    callback: () => new Promise((resolve) => zlib.gzip(text, (e, z) => zlib.gunzip(z, {}, (e2, t) => resolve([e, e2, t.length])))),
    promisified: async () => (await promisify(zlib.unzip)(await promisify(zlib.deflate)(Buffer.from(text)))).length,
    stream: async () => (await streamed(zlib.createGunzip(), await streamed(zlib.createGzip(), Buffer.from(text)))).length,
    streamError: () => streamed(zlib.createGunzip(), Buffer.from("not gzip at all")),
    constants: () => [zlib.constants.Z_BEST_COMPRESSION, zlib.Z_SYNC_FLUSH],
    errHeader: () => zlib.gunzipSync("not gzip"),
    errZlibHeader: () => zlib.inflateSync("not zlib"),
    errTruncated: () => zlib.gunzipSync(zlib.gzipSync(text).subarray(0, 20)),
    errChecksum: () => { const z = zlib.gzipSync(text); z[z.length - 6] ^= 1; return zlib.gunzipSync(z); },
    errEmpty: () => zlib.gunzipSync(Buffer.alloc(0)),
    errType: () => zlib.gzipSync(5),
    errLimit: () => zlib.gunzipSync(zlib.gzipSync(text), { maxOutputLength: 100 }),
    errCallback: () => new Promise((resolve) => zlib.gunzip("zzz", (e) => resolve([e.message, e.code, e.errno]))),
    errNoCallback: () => zlib.gzip("a"),
};
