// What the Snowflake export plugin does, and what the service answers.
const zlib = require("zlib");

const options = {
    account: "xy123.eu-west-1",
    username: "weir",
    password: "pass",
    database: "DB",
    schema: "PUBLIC",
    role: "WRITER",
};
const login = {
    json: {
        success: true,
        code: null,
        message: null,
        data: {
            token: "T1",
            masterToken: "M1",
            validityInSeconds: 3600,
            masterValidityInSeconds: 14400,
            parameters: [],
        },
    },
};
const result = (rowtype, rowset, more = {}) => ({
    json: {
        success: true,
        code: null,
        data: {
            parameters: [],
            rowtype,
            rowset,
            total: rowset.length,
            returned: rowset.length,
            queryId: "q-1",
            finalDatabaseName: "DB",
            finalSchemaName: "PUBLIC",
            finalRoleName: "WRITER",
            finalWarehouseName: "W",
            statementTypeId: 4096,
            version: 1,
            ...more,
        },
    },
});
const done = { json: { success: true, code: null, data: null } };
const column = (name, type, scale = 0) => ({
    name,
    type,
    scale,
    nullable: true,
    byteLength: null,
    length: null,
    precision: 38,
    database: "",
    schema: "",
    table: "",
});
const status = result([column("status", "text")], [["Table created."]]);
const failed = (code, message, sqlState) => ({
    json: {
        success: false,
        code,
        message,
        data: {
            errorCode: code,
            sqlState,
            queryId: "q-9",
            internalError: false,
            line: 1,
            pos: 2,
            age: 0,
            type: "COMPILATION",
        },
    },
});

const asked = (start) =>
    new Promise((resolve, reject) => start((error, ...values) => (error ? reject(error) : resolve(values))));
const connected = async (lib, more) => {
    const connection = lib.createConnection({ ...options, ...more });
    await asked((then) => connection.connect(then));
    return connection;
};
const run = async (connection, sqlText, more) => {
    const [, rows] = await asked((complete) => connection.execute({ sqlText, ...more, complete }));
    return rows;
};
// The time zone and the format belong to the session; only the moment is compared.
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const readable = (played) => {
    for (const request of played.requests) {
        // The real client compresses what it sends.
        if (request.headers["content-encoding"] === "gzip") {
            request.body = zlib.gunzipSync(Buffer.from(request.body.base64, "base64")).toString();
            delete request.headers["content-encoding"];
        }
        request.url = request.url.replace(uuid, "UUID").replace(/&request_guid=UUID|&clientStartTime=\d+/g, "");
        if (request.url.includes("login-request") && typeof request.body === "string") {
            const body = JSON.parse(request.body);
            body.data.CLIENT_APP_VERSION = "VERSION";
            body.data.CLIENT_ENVIRONMENT = {};
            body.data.SESSION_PARAMETERS = {};
            request.body = body;
        } else if (typeof request.body === "string" && request.body.startsWith("{"))
            request.body = JSON.parse(request.body);
    }
};

module.exports = [
    {
        name: "connect, execute, destroy",
        answers: [login, status, done],
        run: async (lib) => {
            const connection = await connected(lib);
            const rows = await run(connection, 'CREATE TABLE IF NOT EXISTS "DB"."PUBLIC"."T" (a STRING)');
            await asked((then) => connection.destroy(then));
            return rows;
        },
    },
    {
        name: "binds",
        answers: [login, result([column("number of rows inserted", "fixed")], [["1"]])],
        run: async (lib) =>
            run(await connected(lib), "INSERT INTO T VALUES (?, ?, ?, ?, ?, ?, ?)", {
                binds: ["a", 1, 1.5, true, null, { b: [1] }, new Date(0)],
            }),
    },
    {
        name: "several rows of binds",
        answers: [login, result([column("number of rows inserted", "fixed")], [["2"]])],
        run: async (lib) =>
            run(await connected(lib), "INSERT INTO T VALUES (?, ?)", {
                binds: [
                    ["a", 1],
                    ["b", 2],
                ],
            }),
    },
    {
        name: "types",
        answers: [
            login,
            result(
                [
                    column("N", "fixed"),
                    column("R", "real"),
                    column("B", "boolean"),
                    column("T", "text"),
                    column("V", "variant"),
                    column("O", "object"),
                    column("A", "array"),
                    column("NONE", "text"),
                ],
                [
                    ["7", "2.5", "1", "x", '{\n "a": 1\n}', '{"b":null}', "[1,2]", null],
                    ["-3", "1e3", "0", "", '"t"', "{}", "[]", null],
                ],
            ),
        ],
        run: async (lib) => run(await connected(lib), "SELECT * FROM T"),
    },
    {
        name: "a slow statement",
        answers: [
            login,
            {
                json: {
                    success: true,
                    code: "333333",
                    message: null,
                    data: { getResultUrl: "/queries/q-1/result", queryId: "q-1" },
                },
            },
            {
                json: {
                    success: true,
                    code: "333334",
                    message: null,
                    data: { getResultUrl: "/queries/q-1/result?disableOfflineChunks=false", queryId: "q-1" },
                },
            },
            status,
        ],
        run: async (lib) => run(await connected(lib), "COPY INTO T"),
    },
    {
        name: "a session that expired",
        answers: [
            login,
            { json: { success: false, code: "390112", message: "Session no longer exists.", data: null } },
            {
                json: {
                    success: true,
                    data: {
                        sessionToken: "T2",
                        masterToken: "M2",
                        validityInSecondsST: 3600,
                        validityInSecondsMT: 14400,
                    },
                },
            },
            status,
        ],
        run: async (lib) => run(await connected(lib), "SELECT 1"),
    },
    {
        name: "wrong SQL",
        answers: [
            login,
            failed("001003", "SQL compilation error:\nsyntax error line 1 at position 0 unexpected 'SELEC'.", "42000"),
        ],
        run: async (lib) => run(await connected(lib), "SELEC 1"),
    },
    {
        name: "wrong password",
        answers: [
            {
                json: {
                    success: false,
                    code: "390100",
                    message: "Incorrect username or password was specified.",
                    data: { nextAction: "RETRY_LOGIN", authnMethod: "USERNAME_PASSWORD" },
                },
            },
        ],
        run: (lib) => connected(lib),
    },
    { name: "no account", answers: [], run: (lib) => lib.createConnection({ username: "a", password: "b" }) },
    { name: "no user", answers: [], run: (lib) => lib.createConnection({ account: "a", password: "b" }) },
    { name: "no password", answers: [], run: (lib) => lib.createConnection({ account: "a", username: "b" }) },
    { name: "execute before connect", answers: [], run: (lib) => run(lib.createConnection(options), "SELECT 1") },
    {
        name: "execute after destroy",
        answers: [login, done],
        run: async (lib) => {
            const connection = await connected(lib);
            await asked((then) => connection.destroy(then));
            return run(connection, "SELECT 1");
        },
    },
].map((example) => ({
    module: "snowflake-sdk",
    ...example,
    answers: example.answers.map((answer) => ({ headers: { "content-type": "application/json" }, ...answer })),
    run: async (library, played) => {
        try {
            return await example.run(library, played);
        } finally {
            readable(played);
        }
    },
}));
