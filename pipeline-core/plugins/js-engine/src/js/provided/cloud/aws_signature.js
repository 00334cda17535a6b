// Signature Version 4, as AWS and the services that copy it (MinIO, R2, Spaces) check it.
//
// The canonical request has one trap: S3 signs the path as it is sent, every other service signs it escaped
// once more. `doubleEscape` says which.
(require, module, exports) => {
    const { createHash, createHmac } = require("crypto");

    const algorithm = "AWS4-HMAC-SHA256";
    const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    // Proxies may change these, or the sender sets them after signing.
    const unsigned = new Set([
        "authorization",
        "content-type",
        "content-length",
        "user-agent",
        "expect",
        "x-amzn-trace-id",
    ]);

    const sha256 = (data) => createHash("sha256").update(data).digest("hex");
    const hmac = (key, data) => createHmac("sha256", key).update(data).digest();

    const escapeUri = (value) =>
        encodeURIComponent(value).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
    const escapePath = (path) => path.split("/").map(escapeUri).join("/");

    const timestamp = (date) => date.toISOString().replace(/[:-]|\.\d{3}/g, "");
    const byCodeUnit = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

    // `query` is a list of [name, value] pairs, not yet escaped.
    const canonicalQuery = (query) =>
        query
            .map(([name, value]) => [escapeUri(name), escapeUri(String(value ?? ""))])
            .sort((a, b) => byCodeUnit(a[0], b[0]) || byCodeUnit(a[1], b[1]))
            .map((pair) => pair.join("="))
            .join("&");

    const signedHeaders = (headers) =>
        Object.entries(headers)
            .map(([name, value]) => [name.toLowerCase(), String(value).replace(/\s+/g, " ").trim()])
            .filter(([name]) => !unsigned.has(name))
            .sort((a, b) => byCodeUnit(a[0], b[0]));

    const scopeOf = (time, region, service) => `${time.slice(0, 8)}/${region}/${service}/aws4_request`;

    const signature = (request, headers, payloadHash, time) => {
        const { method, path, query, region, service, credentials, doubleEscape } = request;
        const canonical = [
            method,
            doubleEscape ? escapePath(path) : path,
            canonicalQuery(query),
            ...headers.map((pair) => pair.join(":")),
            "",
            headers.map((pair) => pair[0]).join(";"),
            payloadHash,
        ].join("\n");
        const scope = scopeOf(time, region, service);
        const toSign = [algorithm, time, scope, sha256(canonical)].join("\n");
        const key = [time.slice(0, 8), region, service, "aws4_request"].reduce(
            hmac,
            "AWS4" + credentials.secretAccessKey,
        );
        return createHmac("sha256", key).update(toSign).digest("hex");
    };

    // Adds the date, the token and `Authorization` to `request.headers`. `payloadHash` may be given, as S3
    // lets a sender leave the body out of the signature over TLS.
    exports.signHeaders = (request, date) => {
        const { headers, credentials, region, service, body, payloadHash } = request;
        const time = timestamp(date);
        headers["X-Amz-Date"] = time;
        if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;
        const signed = signedHeaders(headers);
        const hash = payloadHash ?? (body === undefined ? emptyHash : sha256(body));
        headers.Authorization = [
            `${algorithm} Credential=${credentials.accessKeyId}/${scopeOf(time, region, service)}`,
            `SignedHeaders=${signed.map((pair) => pair[0]).join(";")}`,
            `Signature=${signature(request, signed, hash, time)}`,
        ].join(", ");
    };

    // Returns the query of a link that works without headers until it expires. `request.headers` are those
    // that whoever uses the link has to send again.
    exports.presignedQuery = (request, date, expiresSeconds) => {
        const { headers, credentials, region, service, query, payloadHash } = request;
        const time = timestamp(date);
        const signed = signedHeaders(headers);
        const full = [
            ...query,
            ["X-Amz-Algorithm", algorithm],
            ["X-Amz-Credential", `${credentials.accessKeyId}/${scopeOf(time, region, service)}`],
            ["X-Amz-Date", time],
            ["X-Amz-Expires", expiresSeconds],
            ["X-Amz-SignedHeaders", signed.map((pair) => pair[0]).join(";")],
        ];
        if (credentials.sessionToken) full.push(["X-Amz-Security-Token", credentials.sessionToken]);
        const hash = payloadHash ?? "UNSIGNED-PAYLOAD";
        const sign = signature({ ...request, query: full }, signed, hash, time);
        return canonicalQuery([...full, ["X-Amz-Signature", sign]]);
    };

    Object.assign(exports, { escapeUri, escapePath, canonicalQuery, sha256, emptyHash });
}
