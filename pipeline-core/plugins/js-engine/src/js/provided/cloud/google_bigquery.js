// `@google-cloud/bigquery`: tables and their rows, and queries.
(require, module, exports) => {
    const { randomUUID } = require("crypto");
    const { ApiError, GoogleClient, PartialFailureError, existence, settle } = require("./google_client");
    const { encode, decodeRows, queryParameter, types } = require("./google_bigquery_values");

    const scopes = ["https://www.googleapis.com/auth/bigquery"];
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const last = (values) => (typeof values[values.length - 1] === "function" ? values.pop() : undefined);

    const schemaOf = (schema) => {
        if (typeof schema === "string") {
            const fields = schema.split(/\s*,\s*/).map((pair) => {
                const [name, type = "STRING"] = pair.split(":");
                return { name: name.trim(), type: type.toUpperCase().trim() };
            });
            return { fields };
        }
        const fields = Array.isArray(schema) ? schema : schema.fields;
        return {
            ...(Array.isArray(schema) ? {} : schema),
            fields: fields?.map((field) => (field.fields ? { ...field, type: "RECORD" } : field)),
        };
    };
    const tableMetadata = ({ name, schema, partitioning, view, ...rest }) => ({
        ...rest,
        ...(name && { friendlyName: name }),
        ...(schema && { schema: schemaOf(schema) }),
        ...(typeof partitioning === "string" && { timePartitioning: { type: partitioning.toUpperCase() } }),
        ...(view && { view: typeof view === "string" ? { query: view, useLegacySql: false } : view }),
    });

    // A dataset or a table: what can be looked up, made, changed and removed.
    class Resource {
        constructor(id, parent, path) {
            Object.assign(this, { id, parent, path, metadata: {} });
        }
        getMetadata(...rest) {
            return settle(
                this.read().then((metadata) => [metadata, metadata]),
                last(rest),
            );
        }
        async read() {
            this.metadata = await this.client().request({ path: this.path() });
            return this.metadata;
        }
        get(...rest) {
            const callback = last(rest);
            const [{ autoCreate = false, ...options } = {}] = rest;
            const run = async () => {
                try {
                    await this.read();
                } catch (error) {
                    if (error.code !== 404 || !autoCreate) throw error;
                    return this.create(options);
                }
                return [this, this.metadata];
            };
            return settle(run(), callback);
        }
        exists(...rest) {
            return settle(existence(this.read()), last(rest));
        }
        setMetadata(metadata, ...rest) {
            const run = async () => {
                const json = this.format(metadata);
                const headers = metadata.etag ? { "If-Match": metadata.etag } : {};
                this.metadata = await this.client().request({ method: "PATCH", path: this.path(), json, headers });
                return [this.metadata, this.metadata];
            };
            return settle(run(), last(rest));
        }
        delete(...rest) {
            const callback = last(rest);
            const [{ force } = {}] = rest;
            const query = force === undefined ? {} : { deleteContents: force };
            return settle(
                this.client()
                    .request({ method: "DELETE", path: this.path(), query })
                    .then((answer) => [answer]),
                callback,
            );
        }
        format(metadata) {
            return metadata;
        }
    }

    class Table extends Resource {
        constructor(dataset, id) {
            super(id, dataset, () => `${dataset.path()}/tables/${encodeURIComponent(id)}`);
            this.dataset = dataset;
            this.bigQuery = dataset.bigQuery;
        }
        client() {
            return this.bigQuery.client;
        }
        format(metadata) {
            return tableMetadata(metadata);
        }
        create(...rest) {
            const callback = last(rest);
            return settle(this.dataset.createTable(this.id, rest[0]), callback);
        }
        insert(rows, ...rest) {
            const callback = last(rest);
            return settle(
                this.insertOrCreate(rows, rest[0] ?? {}).then((answer) => [answer]),
                callback,
            );
        }
        async insertOrCreate(rows, options) {
            for (;;) {
                try {
                    return await this.insertWithRetry(rows, options);
                } catch (error) {
                    if (error.code !== 404 || !options.schema) throw error;
                }
                await this.create({ schema: options.schema }).catch((error) => {
                    if (error.code !== 409) throw error;
                });
                // The service remembers for a while that the table was missing.
                await pause(60000);
            }
        }
        // Rows that the service refused are sent again, the others are not.
        async insertWithRetry(given, options) {
            let rows = given;
            for (let left = Math.max(options.partialRetries ?? 3, 0); ; left -= 1) {
                try {
                    return await this.insertOnce(rows, options);
                } catch (error) {
                    rows = (error.errors ?? []).map((failure) => failure.row).filter(Boolean);
                    if (rows.length === 0 || left === 0) throw error;
                }
            }
        }
        async insertOnce(given, { createInsertId = true, partialRetries, raw = false, schema, ...options }) {
            const rows = Array.isArray(given) ? given : [given];
            if (rows.length === 0) throw new Error("You must provide at least 1 row to be inserted.");
            const sent = raw
                ? rows
                : rows.map((row) => ({ json: encode(row), ...(createInsertId && { insertId: randomUUID() }) }));
            const path = `${this.path()}/insertAll`;
            const answer = await this.client().request({ method: "POST", path, json: { ...options, rows: sent } });
            const errors = (answer.insertErrors ?? []).map(({ errors: inner, index }) => ({
                errors: inner.map(({ message, reason }) => ({ message, reason })),
                row: rows[index],
            }));
            if (errors.length > 0) {
                const {
                    index,
                    errors: [{ reason, message }],
                } = answer.insertErrors[0];
                const first = `row ${index}: ${[reason, message].filter(Boolean).join(": ")}`;
                throw new PartialFailureError({
                    errors,
                    response: answer,
                    message: `BigQuery refused ${errors.length} of ${rows.length} rows, first ${first}`,
                });
            }
            return answer;
        }
        getRows(...rest) {
            const callback = last(rest);
            const run = async () => {
                const { schema } = this.metadata.schema ? this.metadata : await this.read();
                const answer = await this.client().request({ path: `${this.path()}/data`, query: rest[0] });
                return [decodeRows(schema, answer.rows), null, answer];
            };
            return settle(run(), callback);
        }
        query(...values) {
            return this.dataset.query(...values);
        }
    }

    class Dataset extends Resource {
        constructor(bigQuery, id) {
            super(id, bigQuery, () => `${bigQuery.path()}/datasets/${encodeURIComponent(id)}`);
            this.bigQuery = bigQuery;
        }
        client() {
            return this.bigQuery.client;
        }
        table(id) {
            if (typeof id !== "string") throw new TypeError("A table ID is required.");
            return new Table(this, id);
        }
        create(...rest) {
            const callback = last(rest);
            return settle(this.bigQuery.createDataset(this.id, rest[0]), callback);
        }
        createTable(id, ...rest) {
            const callback = last(rest);
            const run = async () => {
                const tableReference = { datasetId: this.id, projectId: this.client().project(), tableId: id };
                const json = { ...tableMetadata(rest[0] ?? {}), tableReference };
                const table = this.table(id);
                table.metadata = await this.client().request({ method: "POST", path: `${this.path()}/tables`, json });
                return [table, table.metadata];
            };
            return settle(run(), callback);
        }
        getTables(...rest) {
            const callback = last(rest);
            const run = async () => {
                const found = await this.bigQuery.pages(`${this.path()}/tables`, rest[0] ?? {}, "tables");
                return [
                    found.map((metadata) => Object.assign(this.table(metadata.tableReference.tableId), { metadata })),
                ];
            };
            return settle(run(), callback);
        }
        query(given, ...rest) {
            const options = typeof given === "string" ? { query: given } : given;
            const defaultDataset = { datasetId: this.id };
            return this.bigQuery.query({ ...options, defaultDataset }, ...rest);
        }
    }

    class BigQuery {
        constructor(options = {}) {
            this.client = new GoogleClient(options, { host: "bigquery.googleapis.com", scopes });
            this.projectId = this.client.projectId;
            this.location = options.location;
        }
        path() {
            return `/bigquery/v2/projects/${this.client.project()}`;
        }
        dataset(id) {
            if (typeof id !== "string") throw new TypeError("A dataset ID is required.");
            return new Dataset(this, id);
        }
        createDataset(id, ...rest) {
            const callback = last(rest);
            const run = async () => {
                const location = this.location && { location: this.location };
                const json = { ...location, ...rest[0], datasetReference: { datasetId: id } };
                const dataset = this.dataset(id);
                dataset.metadata = await this.client.request({ method: "POST", path: `${this.path()}/datasets`, json });
                return [dataset, dataset.metadata];
            };
            return settle(run(), callback);
        }
        getDatasets(...rest) {
            const callback = last(rest);
            const run = async () => {
                const found = await this.pages(`${this.path()}/datasets`, rest[0] ?? {}, "datasets");
                return [
                    found.map((metadata) =>
                        Object.assign(this.dataset(metadata.datasetReference.datasetId), { metadata }),
                    ),
                ];
            };
            return settle(run(), callback);
        }
        async pages(path, { autoPaginate = true, maxApiCalls = Infinity, ...query }, member) {
            const found = [];
            let pageToken = query.pageToken;
            for (let calls = 0; calls < maxApiCalls; calls += 1) {
                const answer = await this.client.request({ path, query: { ...query, pageToken } });
                found.push(...(answer[member] ?? []));
                pageToken = answer.nextPageToken;
                if (!pageToken || !autoPaginate) break;
            }
            return found;
        }
        query(given, ...rest) {
            const callback = last(rest);
            return settle(this.runQuery(typeof given === "string" ? { query: given } : given, rest[0] ?? {}), callback);
        }
        async runQuery(
            { params, types: given, jobId = randomUUID(), location = this.location, labels, dryRun, ...query },
            options,
        ) {
            if (!query.query) throw new Error("A SQL query string is required.");
            const configured = { useLegacySql: false, ...query };
            if (params) {
                const isList = Array.isArray(params);
                configured.parameterMode = isList ? "positional" : "named";
                configured.queryParameters = isList
                    ? params.map((value, index) => queryParameter(value, given?.[index]))
                    : Object.entries(params).map(([name, value]) => ({
                          ...queryParameter(value, given?.[name]),
                          name,
                      }));
            }
            const configuration = { query: configured, ...(labels && { labels }), ...(dryRun && { dryRun }) };
            const jobReference = { projectId: this.client.project(), jobId, ...(location && { location }) };
            const job = await this.client.request({
                method: "POST",
                path: `${this.path()}/jobs`,
                json: { configuration, jobReference },
            });
            this.check(job);
            if (dryRun) return [[], job];
            const at = { location: job.jobReference?.location ?? location };
            const rows = [];
            let pageToken;
            for (;;) {
                const path = `${this.path()}/queries/${encodeURIComponent(jobId)}`;
                const answer = await this.client.request({ path, query: { ...at, ...options, pageToken } });
                if (answer.jobComplete === false) {
                    await pause(500);
                    continue;
                }
                this.check({ status: { errors: answer.errors } });
                rows.push(...decodeRows(answer.schema, answer.rows));
                pageToken = answer.pageToken;
                if (!pageToken) return [rows];
            }
        }
        check({ status }) {
            const errors = status?.errorResult ? [status.errorResult, ...(status.errors ?? [])] : [];
            if (errors.length > 0) throw new ApiError({ errors, response: { status } });
        }
    }
    for (const [name, make] of Object.entries(types)) {
        const lower = name[0].toLowerCase() + name.slice(1);
        BigQuery[lower] = make;
        BigQuery.prototype[lower] = make;
    }
    Object.assign(exports, { BigQuery, Dataset, Table });
}
