// The Snowflake shim over a real connection: results in chunks, trouble on the way, and values that depend on
// the column's type.
const test = require("node:test");
const assert = require("node:assert");
const zlib = require("zlib");
const { load } = require("./engine.cjs");
const { serve, hasty } = require("./server.cjs");

const login = { json: { success: true, data: { token: "T", masterToken: "M" } } };
const asked = (start) =>
    new Promise((resolve, reject) => start((error, ...values) => (error ? reject(error) : resolve(values))));
const within = async (answer, run) => {
    const server = await serve(answer);
    const snowflake = load("snowflake-sdk", { setTimeout: hasty });
    const connection = snowflake.createConnection({
        account: "xy",
        username: "u",
        password: "p",
        accessUrl: server.url,
    });
    const execute = (sqlText, more) => asked((complete) => connection.execute({ sqlText, ...more, complete }));
    try {
        return await run({ server, connection, execute, connect: () => asked((then) => connection.connect(then)) });
    } finally {
        await server.close();
    }
};
const column = (name, type) => ({ name, type, scale: 0, nullable: true });

test("a large result comes in chunks from elsewhere", () =>
    within(
        ({ url, headers }) => {
            if (url.startsWith("/session")) return login;
            if (url.startsWith("/chunk")) {
                assert.strictEqual(headers["x-key"], "k");
                assert.strictEqual(headers.authorization, undefined, "the session's token stays with Snowflake");
                return {
                    headers: { "content-encoding": "gzip" },
                    body: zlib.gzipSync(url.endsWith("1") ? '["1"],["2"]' : '["3"]'),
                };
            }
            const chunks = ["/chunk1", "/chunk2"].map((path) => ({ url: `http://${headers.host}${path}` }));
            return {
                json: {
                    success: true,
                    data: {
                        rowtype: [column("N", "fixed")],
                        rowset: [["0"]],
                        total: 4,
                        chunks,
                        chunkHeaders: { "x-key": "k" },
                        queryId: "q",
                    },
                },
            };
        },
        async ({ connect, execute }) => {
            await connect();
            const [statement, rows] = await execute("SELECT N FROM T");
            assert.deepStrictEqual(
                rows.map(({ N }) => N),
                [0, 1, 2, 3],
            );
            assert.deepStrictEqual(
                [statement.getNumRows(), statement.getStatementId(), statement.getColumns()[0].getName()],
                [4, "q", "N"],
            );
            const streamed = [];
            for await (const row of statement.streamRows({ start: 1, end: 2 })) streamed.push(row.N);
            assert.deepStrictEqual(streamed, [1, 2]);
        },
    ));

test("moments and bytes", () =>
    within(
        ({ url }) =>
            url.startsWith("/session")
                ? login
                : {
                      json: {
                          success: true,
                          data: {
                              rowtype: [
                                  column("D", "date"),
                                  column("L", "timestamp_ltz"),
                                  column("N", "timestamp_ntz"),
                                  column("Z", "timestamp_tz"),
                                  column("T", "time"),
                                  column("B", "binary"),
                              ],
                              rowset: [
                                  [
                                      "19478",
                                      "1683000000.250000000",
                                      "1683000000.000000000",
                                      "1683000000.000000000 1500",
                                      "45015.000000000",
                                      "0AFF",
                                  ],
                              ],
                          },
                      },
                  },
        async ({ connect, execute }) => {
            await connect();
            const [, [row]] = await execute("SELECT * FROM T");
            assert.deepStrictEqual(
                [
                    row.D.toISOString(),
                    row.L.toISOString(),
                    row.N.toISOString(),
                    row.Z.toISOString(),
                    row.T,
                    row.B.toString("hex"),
                ],
                [
                    "2023-05-01T00:00:00.000Z",
                    "2023-05-02T04:00:00.250Z",
                    "2023-05-02T04:00:00.000Z",
                    "2023-05-02T04:00:00.000Z",
                    "12:30:15",
                    "0aff",
                ],
            );
            const [, [texts]] = await execute("SELECT * FROM T", { fetchAsString: ["Date"] });
            assert.strictEqual(texts.D, "19478");
        },
    ));

test("signing in is tried again while the service is busy, a statement is not", () => {
    const answers = [{ status: 503 }, { status: 502 }, login, { status: 503, body: "busy" }];
    return within(
        (request, index) => answers[index],
        async ({ server, connect, execute, connection }) => {
            const [same] = await connect();
            assert.strictEqual(same, connection);
            assert.ok(connection.isUp());
            await assert.rejects(execute("SELECT 1"), {
                name: "RequestFailedError",
                code: 402001,
                response: { statusCode: 503, body: "busy" },
            });
            assert.strictEqual(server.requests.length, 4);
        },
    );
});

test("nobody answers", () =>
    within(
        () => ({ destroy: true }),
        async ({ connect, connection }) => {
            await assert.rejects(connect(), {
                name: "NetworkError",
                code: 401001,
                message: "Network error. Could not reach Snowflake.",
            });
            assert.ok(!connection.isUp());
            await assert.rejects(
                asked((then) => connection.destroy(then)),
                { code: 406502 },
            );
        },
    ));

test("files cannot be put, and other ways to sign in say so", async () => {
    await within(
        ({ url }) =>
            url.startsWith("/session")
                ? login
                : { json: { success: true, data: { command: "UPLOAD", src_locations: ["/tmp/x"] } } },
        async ({ connect, execute }) => {
            await connect();
            await assert.rejects(execute("PUT file:///tmp/x @stage"), /UPLOAD moves files/);
        },
    );
    const snowflake = load("snowflake-sdk");
    assert.throws(
        () => snowflake.createConnection({ account: "a", username: "u", authenticator: "EXTERNALBROWSER" }),
        /EXTERNALBROWSER is not provided/,
    );
    assert.throws(() => snowflake.createPool({}), /generic-pool/);
});
