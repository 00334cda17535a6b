// Writes what real Node gives for the cases beside this file: `node record.js`, with Node 20.
// NODE_PATH has to name a folder with node-fetch 2 and generic-pool.
const fs = require("fs");
const path = require("path");
const run = require("./run.js");

(async () => {
    const names = fs.readdirSync(__dirname).filter((name) => name.endsWith(".js") && !["record.js", "run.js"].includes(name));
    for (const name of names) {
        const results = await run(require(`./${name}`));
        fs.writeFileSync(path.join(__dirname, "expected", name.replace(".js", ".json")), `${JSON.stringify(results, null, 1)}\n`);
    }
})();
