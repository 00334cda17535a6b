// The AWS shim over a real connection, against a server that checks each signature by its own reading of the
// rules: it takes the request as it came, never anything the client computed.
const test = require("node:test");
const assert = require("node:assert");
const crypto = require("crypto");
const { PassThrough } = require("stream");
const { load } = require("./engine.cjs");
const { serve, hasty } = require("./server.cjs");

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret };
const aws = () => load("aws-sdk", { setTimeout: hasty });

const hmac = (by, text) => crypto.createHmac("sha256", by).update(text).digest();
const sha256 = (data) => crypto.createHash("sha256").update(data).digest("hex");

const signatureOf = ({ method, url, headers, body }, service) => {
    const [, scope, names, signature] =
        /Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(headers.authorization) ??
        assert.fail("no signature");
    const [day, region, name] = scope.split("/");
    assert.strictEqual(name, service);
    const at = url.indexOf("?");
    const path = at < 0 ? url : url.slice(0, at);
    const query =
        at < 0
            ? ""
            : url
                  .slice(at + 1)
                  .split("&")
                  .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
                  .sort()
                  .join("&");
    const hash = service === "s3" ? headers["x-amz-content-sha256"] : sha256(body);
    if (hash !== "UNSIGNED-PAYLOAD") assert.strictEqual(hash, sha256(body), "the body is not the one that was signed");
    const canonical = [
        method,
        path,
        query,
        ...names.split(";").map((one) => `${one}:${headers[one].trim().replace(/ +/g, " ")}`),
        "",
        names,
        hash,
    ].join("\n");
    const signingKey = [day, region, service, "aws4_request"].reduce(hmac, `AWS4${secret}`);
    const wanted = hmac(
        signingKey,
        ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n"),
    ).toString("hex");
    return { wanted, signature };
};
// Answers as AWS would: a wrong signature is refused.
const guarded = (service, answer) => (request, index) => {
    const { wanted, signature } = signatureOf(request, service);
    if (wanted !== signature)
        return { status: 403, body: "<Error><Code>SignatureDoesNotMatch</Code><Message>wrong</Message></Error>" };
    return answer(request, index);
};
const within = async (answer, run) => {
    const server = await serve(answer);
    try {
        return await run(server);
    } finally {
        await server.close();
    }
};
const s3At = (server, more) =>
    new (aws().S3)({
        ...key,
        region: "eu-west-1",
        endpoint: server.url,
        s3ForcePathStyle: true,
        signatureVersion: "v4",
        ...more,
    });

test("the server refuses a wrong key, so the other tests can fail", () =>
    within(
        guarded("s3", () => ({})),
        async (server) => {
            const s3 = s3At(server, { secretAccessKey: "other" });
            await assert.rejects(s3.putObject({ Bucket: "bbb", Key: "k", Body: "x" }).promise(), {
                code: "SignatureDoesNotMatch",
                statusCode: 403,
                retryable: false,
            });
        },
    ));

test("signatures hold for hard keys, queries and headers", () =>
    within(
        guarded("s3", () => ({ headers: { etag: '"e"' }, body: "" })),
        async (server) => {
            const s3 = s3At(server, { sessionToken: "T0/+=" });
            for (const Key of [
                "a b+c.csv",
                "é/ü/日本.jsonl.gz",
                "day=1/(x)*!'~.txt",
                "a//b",
                "100%/25",
                "?x=1&y#z",
                "...",
            ]) {
                await s3
                    .putObject({
                        Bucket: "bbb",
                        Key,
                        Body: "text",
                        Metadata: { note: "two  spaces  " },
                        Tagging: "a=b&c=d",
                        CacheControl: "max-age=5",
                    })
                    .promise();
                await s3.deleteObject({ Bucket: "bbb", Key, VersionId: "v+/=1" }).promise();
                assert.strictEqual(
                    decodeURIComponent(server.requests.at(-1).url.split("?")[0].slice("/bbb/".length)),
                    Key,
                );
            }
            assert.strictEqual(server.requests.length, 14);
        },
    ));

test("a large stream goes in parts, four at a time, and comes together again", () => {
    const parts = new Map();
    let open = 0;
    let most = 0;
    const failing = new Set(["2"]);
    const answer = guarded("s3", async ({ method, url, body }) => {
        const query = new URLSearchParams(url.split("?")[1]);
        if (method === "POST" && query.has("uploads")) return { body: "<R><UploadId>U&amp;1</UploadId></R>" };
        if (method === "PUT") {
            open += 1;
            most = Math.max(most, open);
            await new Promise((resolve) => setTimeout(resolve, 300));
            open -= 1;
            const number = query.get("partNumber");
            assert.strictEqual(query.get("uploadId"), "U&1");
            if (failing.delete(number))
                return { status: 500, body: "<Error><Code>InternalError</Code><Message>again</Message></Error>" };
            parts.set(Number(number), body);
            return { headers: { etag: `"part-${number}"` } };
        }
        assert.deepStrictEqual(
            [...body.toString().matchAll(/<ETag>"part-(\d)"<\/ETag><PartNumber>(\d)/g)].map((found) => found.slice(1)),
            [
                ["1", "1"],
                ["2", "2"],
                ["3", "3"],
                ["4", "4"],
                ["5", "5"],
            ],
        );
        return { body: '<R><Location>there</Location><Bucket>bbb</Bucket><Key>big</Key><ETag>"all"</ETag></R>' };
    });
    return within(answer, async (server) => {
        const whole = crypto.randomBytes(22 * 1024 * 1024);
        const Body = new PassThrough();
        for (let at = 0; at < whole.length; at += 1000000) Body.write(whole.subarray(at, at + 1000000));
        Body.end();
        const progress = [];
        const upload = s3At(server).upload({ Bucket: "bbb", Key: "big", Body });
        upload.on("httpUploadProgress", ({ loaded }) => progress.push(loaded));
        const data = await upload.promise();
        assert.strictEqual(data.ETag, '"all"');
        assert.strictEqual(most, 4);
        assert.strictEqual(progress.at(-1), whole.length);
        assert.ok(Buffer.concat([...parts].sort((a, b) => a[0] - b[0]).map((part) => part[1])).equals(whole));
    });
});

test("a part that fails for good: the upload is given up and the first error told", () => {
    const answer = guarded("s3", ({ method, url }) => {
        if (url.includes("uploads")) return { body: "<R><UploadId>U</UploadId></R>" };
        if (method === "DELETE") return { status: 204 };
        return { status: 403, body: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>" };
    });
    return within(answer, async (server) => {
        const Body = Buffer.alloc(11 * 1024 * 1024);
        await assert.rejects(s3At(server).upload({ Bucket: "bbb", Key: "big", Body }).promise(), {
            code: "AccessDenied",
        });
        assert.deepStrictEqual(
            server.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url),
            ["/bbb/big?uploadId=U"],
        );
        await assert.rejects(
            s3At(server).upload({ Bucket: "bbb", Key: "big", Body }, { leavePartsOnError: true }).promise(),
            { code: "AccessDenied" },
        );
        assert.strictEqual(server.requests.filter(({ method }) => method === "DELETE").length, 1);
    });
});

test("pages of a listing", () => {
    const answer = guarded("s3", ({ url }) => {
        const page = Number(new URLSearchParams(url.split("?")[1]).get("continuation-token") ?? 0);
        const next =
            page < 2
                ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page + 1}</NextContinuationToken>`
                : "<IsTruncated>false</IsTruncated>";
        return { body: `<R>${next}<Contents><Key>k${page}</Key></Contents></R>` };
    });
    return within(answer, async (server) => {
        const found = [];
        await s3At(server)
            .listObjectsV2({ Bucket: "bbb" })
            .eachPage((error, page) => {
                assert.ifError(error);
                if (page) found.push(...page.Contents.map(({ Key }) => Key));
            });
        assert.deepStrictEqual(found, ["k0", "k1", "k2"]);
    });
});

test("throttling, server errors and broken connections are tried again, refusals are not", () => {
    const kinesisAt = (server, more) =>
        new (aws().Kinesis)({ ...key, region: "eu-west-1", endpoint: server.url, ...more });
    const put = (kinesis) => kinesis.putRecord({ StreamName: "s", PartitionKey: "p", Data: "d" }).promise();
    const well = { json: { SequenceNumber: "1", ShardId: "s" } };
    const runs = [
        [[{ status: 429, json: { message: "slow" } }, { status: 503, body: "busy" }, well], 3, undefined],
        [[{ destroy: true }, well], 2, undefined],
        [
            [{ status: 500, json: { __type: "InternalFailure", message: "x" } }],
            4,
            { code: "InternalFailure", statusCode: 500, retryable: true },
        ],
        [
            [{ status: 400, json: { __type: "ResourceNotFoundException", message: "no stream" } }],
            1,
            { name: "ResourceNotFoundException", message: "no stream" },
        ],
    ];
    return Promise.all(
        runs.map(([answers, attempts, error]) =>
            within(
                guarded("kinesis", (request, index) => answers[Math.min(index, answers.length - 1)]),
                async (server) => {
                    if (error) await assert.rejects(put(kinesisAt(server)), error);
                    else assert.strictEqual((await put(kinesisAt(server))).SequenceNumber, "1");
                    assert.strictEqual(server.requests.length, attempts);
                },
            ),
        ),
    );
});

test("nobody answers", async () => {
    const server = await serve(() => ({}));
    await server.close();
    await assert.rejects(s3At(server, { maxRetries: 1 }).putObject({ Bucket: "bbb", Key: "k", Body: "x" }).promise(), {
        code: "NetworkingError",
        retryable: true,
    });
});

test("a host that refuses the call is not asked again", async () => {
    let asked = 0;
    const fetch = async () => {
        asked += 1;
        throw Object.assign(new Error("no mock for PUT https://..."), { code: "NoMock" });
    };
    const { S3 } = load("aws-sdk", { fetch, setTimeout: hasty });
    await assert.rejects(new S3(key).putObject({ Bucket: "bbb", Key: "k", Body: "x" }).promise(), {
        code: "NetworkingError",
        message: /no mock for PUT/,
    });
    assert.strictEqual(asked, 1);
});

test("callbacks, events, streams and aborting", () =>
    within(
        guarded("s3", () => ({ body: "content" })),
        async (server) => {
            const s3 = s3At(server);
            const seen = [];
            await new Promise((resolve) => {
                s3.getObject({ Bucket: "bbb", Key: "k" })
                    .on("success", ({ data }) => seen.push(String(data.Body)))
                    .on("complete", resolve)
                    .send();
            });
            await new Promise((resolve) =>
                s3.getObject({ Bucket: "bbb", Key: "k" }, function (error, data) {
                    seen.push(String(data.Body), this.httpResponse.statusCode);
                    resolve();
                }),
            );
            const chunks = [];
            for await (const chunk of s3.getObject({ Bucket: "bbb", Key: "k" }).createReadStream()) chunks.push(chunk);
            assert.deepStrictEqual([...seen, Buffer.concat(chunks).toString()], ["content", "content", 200, "content"]);
            await assert.rejects(s3.getObject({ Bucket: "bbb", Key: "k" }).abort().promise(), {
                code: "RequestAbortedError",
            });
            assert.strictEqual(server.requests.length, 3);
        },
    ));

test("what is not there says so", async () => {
    const sdk = aws();
    assert.throws(() => new sdk.Redshift(), { code: "NotProvided", message: /Redshift is not provided.*S3/ });
    assert.throws(() => new sdk.S3({ ...key, signatureVersion: "v2" }), {
        code: "InvalidSignatureVersion",
        message: /leave it out or set "v4"/,
    });
    assert.throws(() => new sdk.S3({ ...key, endpoint: "http://[" }), { code: "InvalidEndpoint" });
    await assert.rejects(new sdk.S3({ region: "eu-west-1" }).listBuckets().promise(), {
        code: "CredentialsError",
        message: /accessKeyId/,
    });
    await assert.rejects(new sdk.S3(key).putObject({ Bucket: "b", Key: "k", body: "x" }).promise(), {
        code: "UnexpectedParameter",
        message: /'body'/,
    });
    await assert.rejects(new sdk.S3(key).putObject({ Bucket: "b", Key: "k", Body: 5 }).promise(), {
        message: /Expected Body to be a string, Buffer/,
    });
});
