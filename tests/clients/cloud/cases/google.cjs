// What plugins do with Google's clients, and what Google answers. The key is made anew for each run, so the
// assertion is written down as what it says and whether its signature holds.
const crypto = require("crypto");
const { PassThrough } = require("stream");

const keys = crypto.generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const credentials = {
    type: "service_account",
    project_id: "proj",
    private_key: keys.privateKey,
    client_email: "weir@proj.iam.gserviceaccount.com",
    token_uri: "https://www.googleapis.com/oauth2/v4/token",
};
const options = { projectId: "proj", credentials, autoRetry: false };
const token = { json: { access_token: "tok-1", expires_in: 3600, token_type: "Bearer" } };
const refusal = (code, message, reason, status) => ({
    status: code,
    json: { error: { code, message, errors: [{ message, domain: "global", reason }], status } },
});
const notFound = refusal(404, "Not found: Table proj:ds.events", "notFound", "NOT_FOUND");
const exists = refusal(409, "Already Exists: Table proj:ds.events", "duplicate", "ALREADY_EXISTS");

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const readable = (played) => {
    for (const request of played.requests) {
        const assertion = /assertion=([^&]+)/.exec(request.body)?.[1];
        if (assertion) {
            const [header, claims, signature] = decodeURIComponent(assertion).split(".");
            const valid = crypto.verify(
                "RSA-SHA256",
                Buffer.from(`${header}.${claims}`),
                keys.publicKey,
                Buffer.from(signature, "base64url"),
            );
            const { scope, ...rest } = JSON.parse(Buffer.from(claims, "base64url"));
            request.body = {
                grant: request.body.split("&")[0],
                alg: JSON.parse(Buffer.from(header, "base64url")).alg,
                claims: rest,
                valid,
            };
            delete request.headers["content-type"];
        } else if (typeof request.body === "string") {
            request.body = request.body.replace(uuid, "UUID");
        } else {
            request.body = {
                latin1: Buffer.from(request.body.base64, "base64").toString("latin1").replace(uuid, "UUID"),
            };
        }
        request.url = request.url
            .replace(uuid, "UUID")
            .replace(/[?&]prettyPrint=false/, "")
            .replace(/[?]$/, "");
        if (request.headers["content-type"])
            request.headers["content-type"] = request.headers["content-type"].replace(uuid, "UUID");
    }
};

const bigquery = "@google-cloud/bigquery";
const storage = "@google-cloud/storage";
const table = ({ BigQuery }, more) => new BigQuery({ ...options, ...more }).dataset("ds").table("events");
const fields = [
    { name: "uuid", type: "STRING" },
    { name: "at", type: "TIMESTAMP" },
];
const schema = {
    fields: [
        ...fields,
        { name: "n", type: "INTEGER" },
        { name: "f", type: "FLOAT" },
        { name: "b", type: "BOOLEAN" },
        { name: "l", type: "STRING", mode: "REPEATED" },
        { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING" }] },
    ],
};
const row = {
    f: [
        { v: "u" },
        { v: "1.683E9" },
        { v: "7" },
        { v: "2.5" },
        { v: "true" },
        { v: [{ v: "a" }, { v: "b" }] },
        { v: { f: [{ v: "y" }] } },
    ],
};
const job = {
    json: { jobReference: { projectId: "proj", jobId: "job-1", location: "EU" }, status: { state: "DONE" } },
};
const stored = { json: { name: "day/a.csv", bucket: "exports", size: "4" } };
const written = (stream, data) =>
    new Promise((resolve, reject) => {
        const source = new PassThrough();
        source.push(data);
        source.push(null);
        source
            .pipe(stream)
            .on("error", reject)
            .on("finish", () => resolve(true));
    });

module.exports = [
    {
        name: "bigquery metadata",
        module: bigquery,
        answers: [token, { json: { id: "proj:ds.events", schema } }],
        run: async (lib) => (await table(lib).getMetadata())[0],
    },
    {
        name: "bigquery missing table",
        module: bigquery,
        answers: [token, notFound],
        run: (lib) => table(lib).getMetadata(),
    },
    {
        name: "bigquery get of a missing table",
        module: bigquery,
        answers: [token, notFound],
        run: (lib) => table(lib).get(),
    },
    {
        name: "bigquery exists",
        module: bigquery,
        answers: [token, notFound, { json: {} }],
        run: async (lib) => {
            const one = table(lib);
            return [await one.exists(), await one.exists()];
        },
    },
    {
        name: "bigquery create",
        module: bigquery,
        answers: [token, { json: { id: "x", tableReference: { tableId: "events" } } }],
        run: async ({ BigQuery }) =>
            (await new BigQuery(options).dataset("ds").createTable("events", { schema: fields }))[1],
    },
    {
        name: "bigquery create twice",
        module: bigquery,
        answers: [token, exists],
        run: ({ BigQuery }) =>
            new BigQuery(options).dataset("ds").createTable("events", { schema: "uuid:string, at:timestamp" }),
    },
    {
        name: "bigquery add fields",
        module: bigquery,
        answers: [token, { json: { etag: "e1", schema } }, { json: { schema } }],
        run: async (lib) => {
            const one = table(lib);
            const [metadata] = await one.getMetadata();
            metadata.schema.fields = metadata.schema.fields.concat([{ name: "z", type: "STRING" }]);
            return (await one.setMetadata(metadata))[0];
        },
    },
    {
        name: "bigquery raw rows",
        module: bigquery,
        answers: [token, { json: { kind: "k" } }],
        run: (lib) =>
            table(lib).insert([{ json: { uuid: "1", event: "é", at: "2023-05-01T10:00:00Z" } }], {
                createInsertId: false,
                partialRetries: 0,
                raw: true,
            }),
    },
    {
        name: "bigquery rows",
        module: bigquery,
        answers: [token, { json: {} }],
        run: (lib) => {
            const { BigQuery } = lib;
            const client = new BigQuery(options);
            return client
                .dataset("ds")
                .table("events")
                .insert(
                    [
                        {
                            uuid: "1",
                            at: client.timestamp("2023-05-01T10:00:00Z"),
                            none: null,
                            list: [1, { d: new Date(0) }],
                            bytes: Buffer.from("x"),
                        },
                    ],
                    { ignoreUnknownValues: true },
                );
        },
    },
    {
        name: "bigquery refused rows",
        module: bigquery,
        answers: [
            token,
            {
                json: {
                    insertErrors: [
                        { index: 1, errors: [{ reason: "invalid", message: "no such field: x.", location: "x" }] },
                    ],
                },
            },
        ],
        run: (lib) => table(lib).insert([{ json: { a: 1 } }, { json: { x: 2 } }], { raw: true, partialRetries: 0 }),
    },
    {
        name: "bigquery refused rows are sent again",
        module: bigquery,
        answers: [
            token,
            { json: { insertErrors: [{ index: 1, errors: [{ reason: "stopped", message: "" }] }] } },
            { json: {} },
        ],
        run: (lib) => table(lib).insert([{ json: { a: 1 } }, { json: { x: 2 } }], { raw: true }),
    },
    { name: "bigquery no rows", module: bigquery, answers: [token], run: (lib) => table(lib).insert([]) },
    {
        name: "bigquery dataset",
        module: bigquery,
        answers: [token, { json: { id: "d" } }],
        run: async ({ BigQuery }) => (await new BigQuery({ ...options, location: "EU" }).createDataset("ds"))[1],
    },
    {
        name: "bigquery query",
        module: bigquery,
        answers: [
            token,
            job,
            { json: { jobComplete: true, schema, rows: [row], pageToken: "p2" } },
            { json: { jobComplete: true, schema, rows: [row] } },
        ],
        run: async ({ BigQuery }) =>
            (
                await new BigQuery(options).query({
                    query: "SELECT * FROM t WHERE a = @a AND b IN UNNEST(@b)",
                    params: { a: 1, b: ["x"] },
                    location: "EU",
                })
            )[0],
    },
    {
        name: "bigquery wrong query",
        module: bigquery,
        answers: [token, refusal(400, "Syntax error: Unexpected end", "invalidQuery", "INVALID_ARGUMENT")],
        run: ({ BigQuery }) => new BigQuery(options).query("SELECT"),
    },
    {
        name: "bigquery forbidden",
        module: bigquery,
        answers: [token, refusal(403, "Access Denied: Table proj:ds.events", "accessDenied", "PERMISSION_DENIED")],
        run: (lib) => table(lib).insert([{ a: 1 }], { partialRetries: 0 }),
    },
    {
        name: "a token is refused",
        module: bigquery,
        answers: [{ status: 400, json: { error: "invalid_grant", error_description: "Invalid JWT Signature." } }],
        run: (lib) => table(lib).getMetadata(),
    },
    {
        name: "bigquery elsewhere",
        module: bigquery,
        answers: [token, { json: { id: "t" } }],
        run: async (lib) => (await table(lib, { apiEndpoint: "http://bq.test:9050" }).getMetadata())[0],
    },

    {
        name: "storage stream",
        module: storage,
        answers: [token, stored],
        run: ({ Storage }) =>
            written(
                new Storage(options)
                    .bucket("exports")
                    .file("day/a b.csv")
                    .createWriteStream({ resumable: false, validation: false }),
                "a,é\n",
            ),
    },
    {
        name: "storage stream refused",
        module: storage,
        answers: [token, refusal(403, "no access", "forbidden")],
        run: ({ Storage }) =>
            written(
                new Storage(options)
                    .bucket("exports")
                    .file("a.csv")
                    .createWriteStream({ resumable: false, validation: false }),
                "a",
            ),
    },
    {
        name: "storage save",
        module: storage,
        answers: [token, stored],
        run: ({ Storage }) =>
            new Storage(options)
                .bucket("exports")
                .file("a.json")
                .save("{}", {
                    resumable: false,
                    validation: false,
                    metadata: { metadata: { from: "weir" }, cacheControl: "no-store" },
                }),
    },
    {
        name: "storage save of unknown type",
        module: storage,
        answers: [token, stored],
        run: ({ Storage }) =>
            new Storage(options)
                .bucket("exports")
                .file("data")
                .save(Buffer.from([1, 2, 255]), {
                    resumable: false,
                    validation: false,
                    contentType: "application/x-weir",
                }),
    },
    {
        name: "storage exists",
        module: storage,
        answers: [token, { json: {} }, refusal(404, "No such object: exports/b", "notFound")],
        run: async ({ Storage }) => {
            const bucket = new Storage(options).bucket("exports");
            return [await bucket.file("a/b.csv").exists(), await bucket.file("b").exists()];
        },
    },
    {
        name: "storage missing object",
        module: storage,
        answers: [token, { status: 404, body: "No such object: exports/b" }],
        run: ({ Storage }) => new Storage(options).bucket("exports").file("b").getMetadata(),
    },
    {
        name: "storage files in two pages",
        module: storage,
        answers: [
            token,
            { json: { items: [{ name: "a" }], nextPageToken: "n+1" } },
            { json: { items: [{ name: "b" }] } },
        ],
        run: async ({ Storage }) =>
            (await new Storage(options).bucket("exports").getFiles({ prefix: "day/" }))[0].map(({ name }) => name),
    },
    {
        name: "storage delete",
        module: storage,
        answers: [token, { status: 204 }],
        run: async ({ Storage }) => void (await new Storage(options).bucket("exports").file("a b").delete()),
    },
    {
        name: "storage bucket",
        module: storage,
        answers: [token, { json: { name: "exports" } }],
        run: async ({ Storage }) => (await new Storage(options).createBucket("exports", { location: "EU" }))[1],
    },
].map((example) => ({
    ...example,
    run: async (library, played) => {
        try {
            return await example.run(library, played);
        } finally {
            readable(played);
        }
    },
}));
