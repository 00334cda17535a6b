// S3 over its REST interface: paths and hosts of buckets, digests, listings and errors.
(require, module, exports) => {
    const { createHash } = require("crypto");
    const { escapePath, escapeUri, canonicalQuery, presignedQuery, sha256, emptyHash } = require("./aws_signature");
    const { awsError, defineOperations, dnsSuffix, Endpoint, Service } = require("./aws_service");
    const {
        operations,
        requestHeaders,
        queryNames,
        answerHeaders,
        ownHeaders,
        listedBuckets,
    } = require("./aws_s3_model");
    const { ManagedUpload } = require("./aws_s3_upload");
    const { collect } = require("./body");
    const xml = require("./aws_xml");

    const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    const md5 = (data) => createHash("md5").update(data).digest("base64");
    const isDnsName = (bucket) =>
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) &&
        !/^\d+\.\d+\.\d+\.\d+$/.test(bucket) &&
        !bucket.includes("..");

    const byStatus = { 304: "NotModified", 400: "BadRequest", 403: "Forbidden", 404: "NotFound" };
    const ownError = ["Code", "Message", "RequestId", "HostId"];

    // Writes a payload's members in the element names S3 reads.
    const payloadXml = ({ root }, value) => {
        if (root === "CompleteMultipartUpload") {
            const parts = (value.Parts ?? []).map(({ ETag, PartNumber }) => ({ ETag, PartNumber }));
            return xml.document(root, namespace, { Part: parts });
        }
        if (root === "Delete") {
            const objects = (value.Objects ?? []).map(({ Key, VersionId }) => ({ Key, VersionId }));
            return xml.document(root, namespace, { Object: objects, Quiet: value.Quiet });
        }
        return xml.document(root, namespace, value);
    };

    class S3 extends Service {
        static endpointPrefix = "s3";
        static signingName = "s3";
        doubleEscape = false;

        validate() {
            this.config.region ??= "us-east-1";
            const version = this.config.signatureVersion;
            if (version !== undefined && version !== "v4") {
                throw awsError(
                    "InvalidSignatureVersion",
                    `signatureVersion "${version}" is not provided, as S3 has retired it: leave it out or set "v4"`,
                );
            }
        }
        hostOf(region) {
            return region === "us-east-1" ? "s3.amazonaws.com" : `s3.${region}.${dnsSuffix(region)}`;
        }

        // The host and the path of a bucket and key, with the bucket in the host wherever TLS allows it.
        place(bucket, key) {
            const endpoint = new Endpoint(this.endpoint);
            const base = endpoint.pathname.replace(/\/+$/, "");
            const path = key === undefined ? "/" : `/${escapePath(key)}`;
            if (bucket === undefined) return { endpoint, path: base + "/" };
            const { s3ForcePathStyle, s3BucketEndpoint } = this.config;
            const dotted = endpoint.protocol === "https:" && bucket.includes(".");
            if (s3ForcePathStyle || (!s3BucketEndpoint && (!isDnsName(bucket) || dotted))) {
                return { endpoint, path: `${base}/${escapeUri(bucket)}${key === undefined ? "" : path}` };
            }
            if (!s3BucketEndpoint) {
                endpoint.hostname = `${bucket}.${endpoint.hostname}`;
                endpoint.host = `${bucket}.${endpoint.host}`;
            }
            return { endpoint, path: base + path };
        }

        // Everything but the body, so that a link can be signed without waiting.
        plan(name, given) {
            const operation = operations[name];
            let params = given;
            // Old plugins put a folder behind the bucket's name.
            const slash = typeof params.Bucket === "string" ? params.Bucket.indexOf("/") : -1;
            if (slash > 0 && typeof params.Key === "string") {
                const folder = params.Bucket.slice(slash + 1);
                params = { ...params, Bucket: params.Bucket.slice(0, slash), Key: `${folder}/${params.Key}` };
            }
            this.required(name, params, operation.required);
            const unknown = Object.keys(params).find(
                (member) => !operation.members.has(member) && params[member] !== undefined,
            );
            if (unknown !== undefined) {
                throw awsError("UnexpectedParameter", `Unexpected key '${unknown}' found in params of ${name}`);
            }
            const { endpoint, path } = this.place(params.Bucket, params.Key);
            if (params.SSECustomerKey && endpoint.protocol !== "https:") {
                throw awsError("ConfigError", "Cannot send SSE keys over HTTP: use an https endpoint");
            }
            const headers = {};
            const query = [];
            for (const [member, value] of Object.entries(params)) {
                if (value === undefined || value === null) continue;
                if (requestHeaders[member]) headers[requestHeaders[member]] = this.headerValue(member, value);
                else if (queryNames[member]) query.push([queryNames[member], String(value)]);
            }
            for (const [key, value] of Object.entries(params.Metadata ?? {}))
                headers[`x-amz-meta-${key}`] = String(value);
            if (params.SSECustomerKey)
                headers["x-amz-server-side-encryption-customer-key-MD5"] = md5(params.SSECustomerKey);
            if (operation.method !== "GET" && operation.method !== "HEAD" && params.Body !== undefined) {
                headers["Content-Type"] ??= "application/octet-stream";
            }
            const search = [operation.query, query]
                .map((part) => canonicalQuery(part).replace(/=(?=&|$)/g, ""))
                .filter(Boolean)
                .join("&");
            query.unshift(...operation.query.map(([key, value]) => [key, value ?? ""]));
            return {
                method: operation.method,
                endpoint,
                path,
                search: search && `?${search}`,
                query,
                headers,
                operation,
                params,
            };
        }
        async build(name, given) {
            const { operation, params, ...http } = this.plan(name, given);
            const { headers, endpoint } = http;
            const body = await this.body(operation, params, headers);
            const overTls = endpoint.protocol === "https:";
            if (
                body !== undefined &&
                overTls &&
                operation.payload === "Body" &&
                this.config.computeChecksums &&
                !params.ContentMD5
            ) {
                headers["Content-MD5"] = md5(body);
            }
            // TLS protects the body already; hashing megabytes twice would only cost CPU budget.
            const payloadHash = overTls ? "UNSIGNED-PAYLOAD" : body === undefined ? emptyHash : sha256(body);
            return { ...http, body, payloadHash };
        }
        headerValue(member, value) {
            if (value instanceof Date) return value.toUTCString();
            if (member === "SSECustomerKey") return Buffer.from(value).toString("base64");
            return String(value);
        }
        async body(operation, params, headers) {
            const reads = operation.method === "GET" || operation.method === "HEAD";
            if (!reads) headers["Content-Type"] ??= "application/octet-stream";
            if (operation.payload === undefined) return undefined;
            const value = params[operation.payload];
            if (value === undefined || value === null) return undefined;
            if (operation.payload === "Body") return collect(value, "Body");
            const body = Buffer.from(payloadXml(operation, value), "utf8");
            if (operation.needsDigest) headers["Content-MD5"] = md5(body);
            return body;
        }

        data(request, answer) {
            const operation = operations[request.operation];
            const body = operation.method === "HEAD" ? "" : answer.body;
            // Copying and completing may fail after the status has gone out.
            if (operation.xml && body.toString("utf8").trimEnd().endsWith("</Error>")) {
                throw this.failure(request, answer, true);
            }
            const data = {};
            if (operation.xml) {
                const read = xml.read(xml.parse(body.toString("utf8")), operation.xml);
                for (const [from, to] of Object.entries(operation.rename ?? {})) {
                    read[to] = read[from];
                    delete read[from];
                }
                Object.assign(data, operation.wrap ? { [operation.wrap]: read } : read);
            }
            if (operation.answer === "location") {
                data.LocationConstraint = xml.parse(body.toString("utf8")).text;
            } else if (operation.answer === "buckets") {
                const { Buckets, Owner } = xml.read(xml.parse(body.toString("utf8")), listedBuckets);
                Object.assign(data, { Buckets: Buckets?.Bucket ?? [], Owner });
            }
            const table = operation.answer === "object" ? answerHeaders : operation.xml ? [] : ownHeaders;
            for (const [member, header, kind] of table) {
                const value = answer.headers[header];
                if (value !== undefined) data[member] = xml.read({ text: value, children: [] }, kind);
            }
            if (operation.answer === "object") {
                data.Metadata = Object.fromEntries(
                    Object.entries(answer.headers)
                        .filter(([name]) => name.startsWith("x-amz-meta-"))
                        .map(([name, value]) => [name.slice("x-amz-meta-".length), value]),
                );
                if (operation.method === "GET") data.Body = answer.body;
            }
            return data;
        }
        failure(request, answer, afterTheStatus = false) {
            const error = super.failure(request, answer);
            if (afterTheStatus) error.retryable = true;
            error.extendedRequestId = answer.headers["x-amz-id-2"];
            return error;
        }
        readError(answer) {
            const { statusCode, body } = answer;
            const region = answer.headers["x-amz-bucket-region"];
            let root;
            try {
                root = body.length > 0 ? xml.parse(body.toString("utf8")) : undefined;
            } catch {
                // A proxy's page rather than S3's answer, so the next attempt may fare better.
                const start = body.toString("utf8").slice(0, 100);
                return {
                    code: "XMLParserError",
                    message: `S3 answered with status ${statusCode} and no XML: ${start}`,
                    retryable: true,
                };
            }
            const code = xml.textOf(root, "Code") ?? byStatus[statusCode] ?? statusCode;
            const message = xml.textOf(root, "Message") ?? (root === undefined ? null : code);
            const more = region ? { region } : {};
            for (const child of root?.children ?? []) if (!ownError.includes(child.name)) more[child.name] = child.text;
            if (code === "PermanentRedirect" || code === "AuthorizationHeaderMalformed" || statusCode === 301) {
                const where = region ?? xml.textOf(root, "Region") ?? xml.textOf(root, "Endpoint");
                const hint = where ? `: set region or endpoint to "${where}"` : "";
                return { code, message: `${message ?? "The bucket is in another region"}${hint}`, ...more };
            }
            return { code: String(code), message, ...more };
        }
        requestId(answer) {
            return answer.headers["x-amz-request-id"];
        }
        nextPage({ request, data }) {
            if (!data?.IsTruncated) return undefined;
            if (request.operation === "listObjectsV2") {
                return { ...request.params, ContinuationToken: data.NextContinuationToken };
            }
            if (request.operation === "listObjects") {
                const last = data.Contents[data.Contents.length - 1]?.Key;
                return { ...request.params, Marker: data.NextMarker ?? last };
            }
            if (request.operation === "listParts") {
                return { ...request.params, PartNumberMarker: data.NextPartNumberMarker };
            }
            return undefined;
        }

        upload(params, options, callback) {
            if (typeof options === "function") [options, callback] = [undefined, options];
            const upload = new ManagedUpload({ ...options, service: this, params });
            if (typeof callback === "function") upload.send(callback);
            return upload;
        }
        // Signing needs no answer from anybody, so the link is there at once unless the credentials are not.
        getSignedUrl(name, given, callback) {
            if (typeof given === "function") [given, callback] = [undefined, given];
            if (callback) {
                this.getSignedUrlPromise(name, given).then(
                    (url) => callback(null, url),
                    (error) => callback(error),
                );
                return undefined;
            }
            return this.signedUrl(name, given, this.config.credentials);
        }
        async getSignedUrlPromise(name, given) {
            return this.signedUrl(name, given, await this.credentials());
        }
        signedUrl(name, { Expires: seconds = 900, ...params } = {}, credentials) {
            if (!operations[name]) {
                throw awsError(
                    "UnknownOperation",
                    `${name} is not an operation of S3. Known: ${Object.keys(operations).join(", ")}`,
                );
            }
            if (!credentials?.accessKeyId) {
                throw awsError(
                    "CredentialsError",
                    "getSignedUrl without a callback needs credentials: give accessKeyId and secretAccessKey",
                );
            }
            const { method, endpoint, path, query, headers } = this.plan(name, { ...this.config.params, ...params });
            const kept = { Host: endpoint.host };
            for (const [header, value] of Object.entries(headers)) {
                if (/^(x-amz-|content-type$|content-md5$|cache-control$)/i.test(header)) query.push([header, value]);
                if (/^x-amz-/i.test(header)) kept[header] = value;
            }
            const { region } = this.config;
            const request = { method, path, query, headers: kept, region, service: "s3", credentials };
            return `${endpoint.protocol}//${endpoint.host}${path}?${presignedQuery(request, new Date(), seconds)}`;
        }
    }
    S3.ManagedUpload = ManagedUpload;
    defineOperations(S3, Object.keys(operations));
    exports.S3 = S3;
}
