// Every shim against what the real package was recorded to do: the same calls must send the same bytes,
// signatures included, and give the same values and errors back.
const test = require("node:test");
const assert = require("node:assert");
const fs = require("fs");
const path = require("path");
const { STATUS_CODES } = require("http");
const { load } = require("./engine.cjs");
const { now, requestOf, outcome, answerAt } = require("./exchange.cjs");

// Deviations that are on purpose, each with its reason.
const deviations = require("./deviations.cjs");

const play = async (example) => {
    const played = { requests: [], answers: example.answers };
    const fetch = async (url, { method = "GET", headers = {}, body } = {}) => {
        const sent = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
        played.requests.push(requestOf(method, url, headers, sent));
        const answer = answerAt(played.answers, played.requests.length - 1);
        const empty = method === "HEAD" || answer.status === 204;
        return new Response(empty ? null : answer.body, {
            status: answer.status,
            statusText: STATUS_CODES[answer.status],
            headers: answer.headers,
        });
    };
    const library = load(example.module, { fetch, now });
    const result = await outcome(() => example.run(library, played));
    return { requests: played.requests, ...result };
};

for (const file of fs.readdirSync(path.join(__dirname, "cases"))) {
    const name = path.basename(file, ".cjs");
    const recorded = JSON.parse(fs.readFileSync(path.join(__dirname, "recorded", `${name}.json`), "utf8"));
    for (const example of require(`./cases/${file}`)) {
        test(`${name}: ${example.name}`, async () => {
            const expected = recorded[example.name];
            assert.ok(expected, "not recorded yet: run record.cjs");
            const deviate = deviations[`${name}: ${example.name}`] ?? ((value) => value);
            assert.deepStrictEqual(await play(example), deviate(structuredClone(expected)));
        });
    }
    test(`${name}: no record without a case`, () => {
        const names = require(`./cases/${file}`).map((example) => example.name);
        assert.deepStrictEqual(
            Object.keys(recorded).filter((one) => !names.includes(one)),
            [],
        );
    });
}
