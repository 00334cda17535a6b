// Google's shims over a real connection, against a server that checks the assertion with Node's own crypto and
// hands out tokens that run out.
const test = require("node:test");
const assert = require("node:assert");
const crypto = require("crypto");
const zlib = require("zlib");
const { load } = require("./engine.cjs");
const { serve, hasty } = require("./server.cjs");

const keys = crypto.generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

// The token endpoint and the service in one. `answer` sees only requests with a good token.
const googleOf = async (answer, { expiresInSeconds = 3600 } = {}) => {
    const tokens = new Set();
    let asked = 0;
    const server = await serve(async (request, index) => {
        if (request.url === "/token") {
            const form = new URLSearchParams(request.body.toString());
            assert.strictEqual(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
            const [header, claims, signature] = form.get("assertion").split(".");
            const valid = crypto.verify(
                "RSA-SHA256",
                Buffer.from(`${header}.${claims}`),
                keys.publicKey,
                Buffer.from(signature, "base64url"),
            );
            const { aud, iss, exp, iat } = JSON.parse(Buffer.from(claims, "base64url"));
            if (
                !valid ||
                aud !== `${server.url}/token` ||
                iss !== "weir@proj" ||
                exp !== iat + 3600 ||
                Math.abs(iat - Date.now() / 1000) > 5
            ) {
                return { status: 400, json: { error: "invalid_grant", error_description: "Invalid JWT Signature." } };
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
            asked += 1;
            tokens.add(`tok-${asked}`);
            return { json: { access_token: `tok-${asked}`, expires_in: expiresInSeconds, token_type: "Bearer" } };
        }
        if (!tokens.has(request.headers.authorization?.replace("Bearer ", "")))
            return {
                status: 401,
                json: { error: { code: 401, message: "Invalid Credentials", status: "UNAUTHENTICATED" } },
            };
        return answer(request, index);
    });
    const credentials = {
        client_email: "weir@proj",
        private_key: keys.privateKey,
        project_id: "proj",
        token_uri: `${server.url}/token`,
    };
    const calls = () => server.requests.filter(({ url }) => url !== "/token");
    return {
        ...server,
        credentials,
        options: { credentials, apiEndpoint: server.url },
        calls,
        tokens,
        asked: () => asked,
    };
};
const within = async (answer, run, more) => {
    const google = await googleOf(answer, more);
    try {
        return await run(google);
    } finally {
        await google.close();
    }
};
const client = (name) => load(`@google-cloud/${name}`, { setTimeout: hasty });
const refusal = (status, message, name) => ({ status, json: { error: { code: status, message, status: name } } });

test("a key of somebody else is refused, so the other tests can fail", () =>
    within(
        () => ({ json: {} }),
        async ({ options, credentials }) => {
            const other = crypto.generateKeyPairSync("rsa", {
                modulusLength: 2048,
                publicKeyEncoding: { type: "spki", format: "pem" },
                privateKeyEncoding: { type: "pkcs1", format: "pem" },
            });
            const { BigQuery } = client("bigquery");
            const bigquery = new BigQuery({
                ...options,
                credentials: { ...credentials, private_key: other.privateKey },
            });
            await assert.rejects(bigquery.dataset("d").table("t").getMetadata(), {
                message: "invalid_grant: Invalid JWT Signature.",
                code: "400",
            });
            const broken = new BigQuery({
                ...options,
                credentials: { ...credentials, private_key: "-----BEGIN PRIVATE KEY-----\\nabc" },
            });
            await assert.rejects(
                broken.dataset("d").table("t").getMetadata(),
                /private_key cannot sign.*with its line breaks/,
            );
        },
    ));

test("one token for many requests, a new one when it runs out or is refused", async () => {
    await within(
        () => ({ json: {} }),
        async (google) => {
            const { BigQuery } = client("bigquery");
            const table = new BigQuery(google.options).dataset("d").table("t");
            await Promise.all([table.getMetadata(), table.getMetadata(), table.exists()]);
            await table.insert([{ a: 1 }]);
            assert.strictEqual(google.asked(), 1);
            google.tokens.clear();
            await assert.rejects(table.getMetadata(), { code: 401 });
            await table.getMetadata();
            assert.strictEqual(google.asked(), 2);
        },
    );
    await within(
        () => ({ json: {} }),
        async (google) => {
            const { BigQuery } = client("bigquery");
            const table = new BigQuery(google.options).dataset("d").table("t");
            await table.getMetadata();
            await table.getMetadata();
            assert.strictEqual(google.asked(), 2);
        },
        { expiresInSeconds: 59 },
    );
});

test("bigquery: trouble that passes is waited out, unless autoRetry is off", () => {
    const answers = [
        refusal(503, "Backend Error"),
        {
            status: 403,
            json: { error: { code: 403, message: "slow", errors: [{ reason: "rateLimitExceeded", message: "slow" }] } },
        },
        { json: {} },
    ];
    const run = (more, check) => {
        let index = 0;
        return within(
            () => answers[Math.min(index++, 2)],
            (google) => {
                const { BigQuery } = client("bigquery");
                return check(new BigQuery({ ...google.options, ...more }).dataset("d").table("t"), google);
            },
        );
    };
    return Promise.all([
        run({}, async (table, google) => {
            await table.insert([{ a: 1 }]);
            assert.strictEqual(google.calls().length, 3);
        }),
        run({ autoRetry: false }, async (table, google) => {
            await assert.rejects(table.insert([{ a: 1 }]), { code: 503, message: "Backend Error" });
            assert.strictEqual(google.calls().length, 1);
        }),
        run({ maxRetries: 1 }, async (table) =>
            assert.rejects(table.insert([{ a: 1 }]), { code: 403, message: "slow" }),
        ),
    ]);
});

test("bigquery: a job that takes its time, and one that fails", () => {
    let polls = 0;
    const answer = ({ method, url }) => {
        if (method === "POST")
            return { json: { jobReference: { jobId: "x" }, status: url.includes("/jobs") ? {} : undefined } };
        polls += 1;
        if (polls < 3) return { json: { jobComplete: false } };
        if (polls === 3)
            return {
                json: {
                    jobComplete: true,
                    schema: { fields: [{ name: "n", type: "INTEGER" }] },
                    rows: [{ f: [{ v: "5" }] }],
                },
            };
        return refusal(400, "Query error: division by zero", "INVALID_ARGUMENT");
    };
    return within(answer, async (google) => {
        const { BigQuery } = client("bigquery");
        const bigquery = new BigQuery(google.options);
        assert.deepStrictEqual(JSON.stringify(await bigquery.query("SELECT 5 AS n")), '[[{"n":5}]]');
        await assert.rejects(bigquery.query("SELECT 1/0"), /division by zero/);
    });
});

test("bigquery: a missing table is made when a schema is given", () => {
    let inserts = 0;
    const answer = ({ url }) => {
        if (url.endsWith("/insertAll")) {
            inserts += 1;
            return inserts === 1 ? refusal(404, "Not found: Table", "NOT_FOUND") : { json: {} };
        }
        return { json: { id: "made" } };
    };
    return within(answer, async (google) => {
        const { BigQuery } = client("bigquery");
        await new BigQuery(google.options)
            .dataset("d")
            .table("t")
            .insert([{ a: 1 }], { schema: "a:integer" });
        assert.deepStrictEqual(
            google.calls().map(({ url }) => url.split("/d/")[1] ?? url),
            ["tables/t/insertAll", "tables", "tables/t/insertAll"],
        );
        assert.deepStrictEqual(JSON.parse(google.calls()[1].body).schema, { fields: [{ name: "a", type: "INTEGER" }] });
    });
});

test("storage: what is sent arrives, compressed if wanted, and is checked", () => {
    let md5;
    let failing = 1;
    const received = [];
    const answer = ({ method, url, headers, body }) => {
        if (method === "GET") return { body: received.at(-1).content };
        if (failing-- > 0) return refusal(503, "try again");
        const boundary = /boundary=(.+)$/.exec(headers["content-type"])[1];
        const text = body.toString("latin1");
        const [, first, second] = text.split(`--${boundary}`);
        const split = (part) => part.replace(/^\r\n/, "").split("\r\n\r\n");
        const content = Buffer.from(second.slice(second.indexOf("\r\n\r\n") + 4, -2), "latin1");
        assert.ok(text.endsWith(`--${boundary}--`));
        received.push({ url, metadata: JSON.parse(split(first)[1]), type: split(second)[0], content });
        return { json: { name: "x", md5Hash: md5 ?? crypto.createHash("md5").update(content).digest("base64") } };
    };
    return within(answer, async (google) => {
        const { Storage } = client("storage");
        const file = new Storage(google.options).bucket("exports").file("día/a.csv");
        const binary = crypto.randomBytes(100000);
        await file.save(binary, { gzip: true, public: true, metadata: { metadata: { a: "b" } } });
        assert.strictEqual(google.calls().length, 2, "save is tried again");
        assert.deepStrictEqual(received[0].metadata, {
            metadata: { a: "b" },
            contentType: "text/csv",
            contentEncoding: "gzip",
        });
        assert.match(
            received[0].url,
            /^\/upload\/storage\/v1\/b\/exports\/o\?uploadType=multipart&name=d%C3%ADa%2Fa\.csv&predefinedAcl=publicRead$/,
        );
        assert.ok(zlib.gunzipSync(received[0].content).equals(binary));
        await file.save("text", { resumable: false });
        assert.strictEqual(String((await file.download())[0]), "text");
        const chunks = [];
        for await (const chunk of file.createReadStream()) chunks.push(chunk);
        assert.strictEqual(Buffer.concat(chunks).toString(), "text");
        md5 = "AAAA";
        await assert.rejects(file.save("text"), { code: "FILE_NO_UPLOAD" });
        await file.save("text", { validation: false });
        failing = 1;
        await assert.rejects(
            new Promise((resolve, reject) => {
                file.createWriteStream({ resumable: false }).on("error", reject).on("finish", resolve).end("streamed");
            }),
            { code: 503 },
            "a stream is not tried again",
        );
    });
});

test("pubsub: looks for a topic, makes it, and publishes in batches", () => {
    const topics = new Set();
    const batches = [];
    const answer = ({ method, url, body }) => {
        assert.match(url, /^\/v1\/projects\/proj\/topics\/events(:publish)?$/);
        if (url.endsWith(":publish")) {
            const { messages } = JSON.parse(body);
            batches.push(messages);
            return { json: { messageIds: messages.map(({ data }) => `id of ${Buffer.from(data, "base64")}`) } };
        }
        if (method === "PUT") {
            if (topics.has("events"))
                return refusal(409, "Resource already exists in the project (resource=events).", "ALREADY_EXISTS");
            topics.add("events");
        }
        return topics.has("events")
            ? { json: { name: "projects/proj/topics/events" } }
            : refusal(404, "Resource not found (resource=events).", "NOT_FOUND");
    };
    return within(answer, async (google) => {
        const { PubSub } = load("@google-cloud/pubsub");
        const topic = new PubSub(google.options).topic("events");
        await assert.rejects(topic.getMetadata(), {
            code: 5,
            message: "5 NOT_FOUND: Resource not found (resource=events).",
        });
        assert.deepStrictEqual(await topic.exists(), [false]);
        await topic.create();
        await assert.rejects(topic.create(), { code: 6, message: /^6 ALREADY_EXISTS: / });
        assert.strictEqual((await topic.getMetadata())[0].name, "projects/proj/topics/events");
        const sent = Array.from({ length: 250 }, (unused, index) => Buffer.from(`é${index}`));
        const ids = await Promise.all(sent.map((data) => topic.publish(data)));
        // Batches may overtake each other on the way; inside one the order holds.
        assert.deepStrictEqual(batches.map((batch) => batch.length).sort(), [100, 100, 50]);
        assert.deepStrictEqual(
            ids,
            sent.map((data) => `id of ${data}`),
        );
        const numbers = batches.map((batch) =>
            batch.map(({ data }) => Number(Buffer.from(data, "base64").toString().slice(1))),
        );
        for (const batch of numbers)
            assert.deepStrictEqual(
                batch,
                batch.map((number, index) => batch[0] + index),
            );
        await topic.publishMessage({ json: { a: 1 }, attributes: { kind: "x" }, orderingKey: "o" });
        assert.deepStrictEqual(batches.at(-1), [
            { data: Buffer.from('{"a":1}').toString("base64"), attributes: { kind: "x" }, orderingKey: "o" },
        ]);
        assert.throws(() => topic.publish("text"), /form of a Buffer/);
        assert.throws(
            () => topic.publishMessage({ data: Buffer.from(""), attributes: { n: 1 } }),
            /Invalid value of type "number" provided for "n"/,
        );
    });
});

test("pubsub: every message of a refused batch learns of it", () =>
    within(
        () => refusal(403, "User not authorized to perform this action.", "PERMISSION_DENIED"),
        async (google) => {
            const { PubSub } = load("@google-cloud/pubsub");
            const topic = new PubSub(google.options).topic("events");
            const ends = await Promise.allSettled([topic.publish(Buffer.from("a")), topic.publish(Buffer.from("b"))]);
            assert.deepStrictEqual(
                ends.map(({ reason }) => reason.message),
                Array(2).fill("7 PERMISSION_DENIED: User not authorized to perform this action."),
            );
            assert.strictEqual(google.calls().length, 1);
        },
    ));

test("an emulator needs no credentials, the real service does", async () => {
    const server = await serve(({ headers }) => ({ json: { name: "t", auth: headers.authorization } }));
    const { PubSub } = client("pubsub");
    const [metadata] = await new PubSub({ projectId: "proj", apiEndpoint: server.host, emulatorMode: true })
        .topic("t")
        .getMetadata();
    assert.deepStrictEqual(metadata, { name: "t" });
    const [plain] = await new PubSub({ projectId: "proj", apiEndpoint: server.url }).topic("t").getMetadata();
    assert.deepStrictEqual(plain, { name: "t" });
    await server.close();
    await assert.rejects(
        new PubSub({ projectId: "proj" }).topic("t").getMetadata(),
        /give the parsed key file as `credentials`/,
    );
    assert.throws(() => new PubSub({}), /give `projectId`/);
    assert.throws(() => new PubSub({ projectId: "p", keyFilename: "/key.json" }), /a sandbox has no files/);
    assert.throws(
        () => new PubSub({ projectId: "p", apiEndpoint: "http://x" }).subscription("s"),
        /pull from a scheduled function/,
    );
});
