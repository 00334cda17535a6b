// Loads a shim as the engine does, in plain Node: a body of CommonJS with only the globals that a plugin's
// sandbox has. Whatever else of Node a shim reached for would be `undefined` here.
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = path.join(__dirname, "../../../pipeline-core/plugins/js-engine/src/js/provided/cloud");
const files = {
    "@google-cloud/storage": "google_storage.js",
    "@google-cloud/bigquery": "google_bigquery.js",
    "@google-cloud/pubsub": "google_pubsub.js",
    "aws-sdk": "aws_sdk.js",
    "snowflake-sdk": "snowflake_sdk.js",
};
const provided = ["crypto", "zlib", "stream", "events", "url"];
const hidden = ["process", "global", "globalThis", "setImmediate", "__dirname", "__filename", "performance"];

// The names a shim may use. `now` stands still, so that signatures can be compared.
const globalsOf = ({ fetch, now, random, setTimeout: timer }) => {
    class FixedDate extends Date {
        constructor(...args) {
            super(...(args.length === 0 ? [now] : args));
        }
        static now() {
            return now;
        }
        static [Symbol.hasInstance](value) {
            return value instanceof Date;
        }
    }
    const fixedMath = Object.create(Math, Object.getOwnPropertyDescriptors(Math));
    if (random) fixedMath.random = random;
    return {
        fetch: fetch ?? globalThis.fetch,
        setTimeout: timer ?? setTimeout,
        Date: now === undefined ? Date : FixedDate,
        Math: fixedMath,
    };
};

exports.files = () =>
    fs
        .readdirSync(folder)
        .filter((name) => name.endsWith(".js"))
        .map((name) => path.join(folder, name));
exports.load = (name, options = {}) => {
    const given = globalsOf(options);
    const loaded = new Map();
    const requireShim = (specifier) => {
        if (provided.includes(specifier)) return options.modules?.[specifier] ?? require(specifier);
        const file = files[specifier] ?? (specifier.startsWith("./") ? `${specifier.slice(2)}.js` : `${specifier}.js`);
        if (loaded.has(file)) return loaded.get(file).exports;
        const at = path.join(folder, file);
        if (!fs.existsSync(at)) throw new Error(`the engine provides no '${specifier}'`);
        const names = [...Object.keys(given), ...hidden];
        const make = vm.compileFunction(`return (${fs.readFileSync(at, "utf8")}\n)`, names, {
            filename: at,
            lineOffset: 0,
        });
        const module = { exports: {} };
        loaded.set(file, module);
        make(...Object.values(given))(requireShim, module, module.exports, {});
        return module.exports;
    };
    return requireShim(name);
};
