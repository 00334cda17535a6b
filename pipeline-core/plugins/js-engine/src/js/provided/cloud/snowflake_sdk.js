// `snowflake-sdk`: a session over the HTTP interface that Snowflake's drivers use. Log in, run statements, wait
// for the slow ones, fetch large results in their chunks, and renew the session when it has expired.
(require, module, exports) => {
    const { randomUUID } = require("crypto");
    const { Readable } = require("stream");
    const { bindings, rowReader } = require("./snowflake_values");

    const messages = {
        401001: "Network error. Could not reach Snowflake.",
        402001: "Request to Snowflake failed.",
        404001: "Connection options must be specified.",
        404003: "A user name must be specified.",
        404005: "A password must be specified.",
        404007: "An account must be specified.",
        405001: "Invalid callback. The specified value must be a function.",
        405501: "Connection already in progress.",
        405502: "Already connected.",
        405503: "Connection already terminated. Cannot connect again.",
        406501: "Not connected, so nothing to destroy.",
        406502: "Already disconnected.",
        407001: "Unable to perform operation because a connection was never established.",
        407002: "Unable to perform operation using terminated connection.",
        409001: "Invalid sqlText. The specified value must be a string.",
    };
    const sqlStates = { 401001: "08001", 407001: "08003", 407002: "08003", 405501: "08002", 405502: "08002" };
    const failure = (name, code, more = {}) => {
        const error = new Error(more.message ?? messages[code]);
        const sqlState = more.sqlState ?? sqlStates[code];
        return Object.assign(error, { name, code, ...more, message: error.message, ...(sqlState && { sqlState }) });
    };
    const clientError = (code) => failure("ClientError", code);
    const missing = (code) => failure("MissingParameterError", code);
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

    const isRunning = ({ code }) => code === "333333" || code === "333334";
    const isExpired = ({ code }) => code === "390112";
    const loginAttempts = 7;

    // What a statement's callback gets: the facts about its result.
    class Statement {
        constructor(options, requestId) {
            Object.assign(this, { options, requestId, status: "fetching", data: {}, rows: undefined });
        }
        getSqlText() {
            return this.options.sqlText;
        }
        getStatus() {
            return this.status;
        }
        getStatementId() {
            return this.data.queryId;
        }
        getRequestId() {
            return this.requestId;
        }
        getNumRows() {
            return this.data.total ?? this.data.returned;
        }
        getNumUpdatedRows() {
            const isChange = this.data.statementTypeId >= 0x3000 && this.data.statementTypeId < 0x4000;
            return isChange
                ? (this.rows ?? []).reduce((sum, row) => sum + Object.values(row).reduce((a, b) => a + Number(b), 0), 0)
                : undefined;
        }
        getColumns() {
            return (this.data.rowtype ?? []).map(({ name, type, scale, nullable }, index) => ({
                getName: () => name,
                getType: () => type,
                getScale: () => scale,
                getIndex: () => index,
                isNullable: () => nullable,
            }));
        }
        getColumn(which) {
            return this.getColumns().find((column, index) => column.getName() === which || index === which);
        }
        streamRows({ start = 0, end = Infinity } = {}) {
            return Readable.from((this.rows ?? []).slice(start, end === Infinity ? undefined : end + 1));
        }
        cancel(callback) {
            callback?.(failure("ClientError", 0, { message: "Cancelling a statement is not provided" }), this);
        }
    }

    class Connection {
        #options;
        #token;
        #masterToken;
        #state = "new";
        #id = randomUUID();

        constructor(options) {
            this.#options = options;
            const { account, region, accessUrl } = options;
            this.baseUrl = (
                accessUrl ?? `https://${account}${region ? `.${region}` : ""}.snowflakecomputing.com`
            ).replace(/\/+$/, "");
        }
        getId() {
            return this.#id;
        }
        isUp() {
            return this.#state === "connected";
        }
        connect(callback) {
            const wrong = { connecting: 405501, connected: 405502, gone: 405503 }[this.#state];
            this.#state = wrong ? this.#state : "connecting";
            const run = wrong ? Promise.reject(clientError(wrong)) : this.#login();
            run.then(
                () => callback?.(null, this),
                (error) => callback?.(error, this),
            );
            return this;
        }
        connectAsync(callback) {
            return new Promise((resolve) => {
                this.connect((error, connection) => {
                    callback?.(error, connection);
                    resolve();
                });
            });
        }
        async #login() {
            const { account, username, password, warehouse, database, schema, role, token, application } =
                this.#options;
            const named = {
                requestId: randomUUID(),
                warehouse,
                databaseName: database,
                schemaName: schema,
                roleName: role,
            };
            const query = Object.entries(named).filter(([, value]) => value);
            const search = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
            const secret = token
                ? { AUTHENTICATOR: "OAUTH", TOKEN: token }
                : { AUTHENTICATOR: "SNOWFLAKE", PASSWORD: password };
            const data = {
                ACCOUNT_NAME: account.split(".")[0],
                LOGIN_NAME: username,
                ...secret,
                CLIENT_APP_ID: "JavaScript",
                CLIENT_APP_VERSION: "1.6.23",
                CLIENT_ENVIRONMENT: application ? { APPLICATION: application } : {},
                SESSION_PARAMETERS: {},
            };
            try {
                const answer = await this.#post(
                    `/session/v1/login-request?${search}`,
                    { data },
                    undefined,
                    loginAttempts,
                );
                this.#token = answer.data.token;
                this.#masterToken = answer.data.masterToken;
                this.#state = "connected";
            } catch (error) {
                this.#state = "gone";
                throw error;
            }
        }
        // Answers are JSON with `success`; an answer without it is an error of the service's own.
        async #send(method, path, json, token, attempts = 1) {
            const url = /^https?:/.test(path) ? path : this.baseUrl + path;
            const headers = { Accept: "application/json", "Content-Type": "application/json" };
            if (token) headers.Authorization = `Snowflake Token="${token}"`;
            const body = json === undefined ? undefined : JSON.stringify(json);
            for (let attempt = 1; ; attempt += 1) {
                let response;
                try {
                    response = await fetch(url, { method, headers, body });
                } catch (cause) {
                    throw failure("NetworkError", 401001, { cause, isFatal: true });
                }
                if (response.ok) return response.json();
                const text = await response.text();
                const passing = response.status >= 500 || [403, 408, 429].includes(response.status);
                if (!passing || attempt >= attempts) {
                    throw failure("RequestFailedError", 402001, {
                        response: { statusCode: response.status, body: text },
                        isFatal: false,
                    });
                }
                await pause(Math.min(2 ** attempt, 16) * 1000 * Math.random());
            }
        }
        async #post(path, json, token, attempts) {
            const answer = await this.#send("POST", path, json, token, attempts);
            if (answer.success || isRunning(answer)) return answer;
            const { code, message, data } = answer;
            throw failure("OperationFailedError", code, { message, data, sqlState: data?.sqlState });
        }
        async #renew() {
            const json = { REQUEST_TYPE: "RENEW", oldSessionToken: this.#token };
            const { data } = await this.#post("/session/token-request", json, this.#masterToken);
            this.#token = data.sessionToken;
            this.#masterToken = data.masterToken ?? this.#masterToken;
        }
        async #withSession(run) {
            if (this.#state === "new") throw clientError(407001);
            if (this.#state === "gone") throw clientError(407002);
            try {
                return await run(this.#token);
            } catch (error) {
                if (!isExpired(error)) throw error;
                await this.#renew();
                return run(this.#token);
            }
        }
        execute(options) {
            if (typeof options?.sqlText !== "string") throw clientError(409001);
            const statement = new Statement(options, options.requestId ?? randomUUID());
            this.#run(statement).then(
                (rows) => {
                    statement.status = "complete";
                    statement.rows = rows;
                    options.complete?.(null, statement, options.streamResult ? undefined : rows);
                },
                (error) => {
                    statement.status = "complete";
                    options.complete?.(error, statement, undefined);
                },
            );
            return statement;
        }
        async #run(statement) {
            const { sqlText, binds, parameters } = statement.options;
            const json = { disableOfflineChunks: false, sqlText };
            if (binds) json.bindings = bindings(binds);
            if (parameters) json.parameters = parameters;
            const path = `/queries/v1/query-request?requestId=${statement.requestId}`;
            let answer = await this.#withSession((token) => this.#post(path, json, token));
            while (isRunning(answer)) {
                const { getResultUrl } = answer.data;
                answer = await this.#withSession(async (token) => {
                    const next = await this.#send("GET", getResultUrl, undefined, token);
                    if (next.success || isRunning(next)) return next;
                    throw failure("OperationFailedError", next.code, {
                        message: next.message,
                        data: next.data,
                        sqlState: next.data?.sqlState,
                    });
                });
            }
            const { data } = answer;
            if (data.command) {
                throw failure("ClientError", 0, {
                    message: `${data.command} moves files, which a sandbox has not got: stage the file in a bucket instead`,
                });
            }
            statement.data = data;
            const read = rowReader(data.rowtype ?? [], statement.options.fetchAsString);
            const rows = (data.rowset ?? []).map(read);
            for (const chunk of data.chunks ?? []) {
                for (const row of await this.#chunk(chunk, data)) rows.push(read(row));
            }
            return rows;
        }
        // A chunk is the inside of a list, on the storage of the cloud that Snowflake runs in.
        async #chunk({ url }, { chunkHeaders, qrmk }) {
            const encryption = "x-amz-server-side-encryption-customer";
            const headers =
                chunkHeaders ?? (qrmk ? { [`${encryption}-algorithm`]: "AES256", [`${encryption}-key`]: qrmk } : {});
            const response = await fetch(url, { headers });
            if (!response.ok)
                throw failure("RequestFailedError", 402001, {
                    response: { statusCode: response.status },
                    isFatal: false,
                });
            return JSON.parse(`[${await response.text()}]`);
        }
        destroy(callback) {
            const wrong = { new: 406501, gone: 406502 }[this.#state];
            const token = this.#token;
            const run = async () => {
                if (wrong) throw clientError(wrong);
                this.#state = "gone";
                await this.#post(`/session?delete=true&requestId=${randomUUID()}`, undefined, token).catch((error) => {
                    // A session that has expired is gone already.
                    if (!["390111", "390112"].includes(error.code)) throw error;
                });
            };
            run().then(
                () => callback?.(null, this),
                (error) => callback?.(error, this),
            );
            return this;
        }
    }

    exports.createConnection = (options) => {
        if (options === undefined || options === null) throw missing(404001);
        const method = options.authenticator?.toUpperCase() ?? "SNOWFLAKE";
        if (method !== "SNOWFLAKE" && method !== "OAUTH") {
            throw failure("ClientError", 0, {
                message: `The authenticator ${options.authenticator} is not provided: use a password, or OAUTH with a token`,
            });
        }
        if (!options.username && method !== "OAUTH") throw missing(404003);
        if (method === "SNOWFLAKE" && !options.password) throw missing(404005);
        if (!options.account) throw missing(404007);
        return new Connection(options);
    };
    exports.createPool = () => {
        throw failure("ClientError", 0, {
            message: "createPool is not provided: use createPool of generic-pool with createConnection",
        });
    };
    exports.configure = () => {};
    Object.assign(exports, {
        STRING: "STRING",
        BOOLEAN: "BOOLEAN",
        NUMBER: "NUMBER",
        DATE: "DATE",
        JSON: "JSON",
        BUFFER: "BUFFER",
    });
}
