// Plays every case against the real package and writes down what it sent and what it gave back.
//
//     npm install --prefix FOLDER aws-sdk@2.1693.0 @google-cloud/bigquery@5.12.0 @google-cloud/storage@5.20.5 \
//         jsonwebtoken@8.5.1 snowflake-sdk@1.6.23 ethers@5.8.0 faker@5.5.3
//     node record.cjs FOLDER [CASES]
//
// Only these facts are kept in the repository, never the packages.
const fs = require("fs");
const http = require("http");
const https = require("https");
const path = require("path");
const { createRequire } = require("module");
const { now, requestOf, outcome, answerAt } = require("./exchange.cjs");

const packages = createRequire(path.join(path.resolve(process.argv[2]), "index.js"));
const only = process.argv[3];

// Requests to anywhere end at the local server, which is told where they were meant to go.
let port;
const redirect =
    (original) =>
    (...args) => {
        let options =
            typeof args[0] === "string" || args[0] instanceof URL
                ? (http.urlToHttpOptions?.(new URL(args[0])) ?? new URL(args[0]))
                : args.shift();
        if (typeof options.href === "string" && options.hostname === undefined) options = new URL(options.href);
        const protocol = options.protocol ?? original;
        const host = options.hostname ?? options.host;
        const wanted =
            options.port && ![443, 80, "443", "80", ""].includes(options.port) ? `${host}:${options.port}` : host;
        const { agent, ...rest } = options;
        const headers = { ...options.headers, "x-meant-for": `${protocol}//${wanted}` };
        return plainRequest(
            { ...rest, headers, protocol: "http:", hostname: "127.0.0.1", host: "127.0.0.1", port, agent: undefined },
            ...args,
        );
    };
const plainRequest = http.request;
http.request = redirect("http:");
https.request = redirect("https:");

const RealDate = Date;
global.Date = class extends RealDate {
    constructor(...args) {
        super(...(args.length === 0 ? [now] : args));
    }
    static now() {
        return now;
    }
};

let played;
const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { "x-meant-for": origin, ...headers } = request.headers;
    played.requests.push(requestOf(request.method, origin + request.url, headers, Buffer.concat(chunks)));
    const answer = answerAt(played.answers, played.requests.length - 1);
    response.writeHead(answer.status, answer.headers);
    response.end(request.method === "HEAD" ? undefined : answer.body);
});

server.listen(0, "127.0.0.1", async () => {
    ({ port } = server.address());
    for (const file of fs.readdirSync(path.join(__dirname, "cases"))) {
        const name = path.basename(file, ".cjs");
        if (only && only !== name) continue;
        const recorded = {};
        for (const example of require(`./cases/${file}`)) {
            played = { requests: [], answers: example.answers };
            const library = packages(example.module);
            const result = await outcome(() => example.run(library, played));
            // Some requests are sent off and not waited for.
            await new Promise((resolve) => setTimeout(resolve, 200));
            recorded[example.name] = { requests: played.requests, ...result };
        }
        fs.writeFileSync(path.join(__dirname, "recorded", `${name}.json`), `${JSON.stringify(recorded, null, 1)}\n`);
        console.log(name, Object.keys(recorded).length);
    }
    if (!only) {
        const faker = packages("faker");
        const groups = Object.entries(faker).filter(
            ([name, group]) => typeof group === "object" && !["definitions", "locales"].includes(name),
        );
        const names = groups.map(([name, group]) => [
            name,
            Object.keys(group).filter((one) => typeof group[one] === "function"),
        ]);
        fs.writeFileSync(
            path.join(__dirname, "recorded/faker_names.json"),
            `${JSON.stringify(Object.fromEntries(names))}\n`,
        );
    }
    process.exit(0);
});
