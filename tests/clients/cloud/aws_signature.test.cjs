// Signature Version 4 against the examples that AWS publishes: the suite of its General Reference (access key
// AKIDEXAMPLE) and the examples of the S3 API reference (AKIAIOSFODNN7EXAMPLE).
const test = require("node:test");
const assert = require("node:assert");
const { load } = require("./engine.cjs");

const { signHeaders, presignedQuery, emptyHash, sha256 } = load("./aws_signature");
const suite = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const s3 = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const signatureOf = ({ headers }) => headers.Authorization.split("Signature=")[1];

const general = (more) => ({
    method: "GET",
    path: "/",
    query: [],
    headers: { Host: "example.amazonaws.com" },
    region: "us-east-1",
    service: "service",
    credentials: suite,
    doubleEscape: true,
    ...more,
});
const generalDate = new Date("2015-08-30T12:36:00Z");
const examples = [
    ["get-vanilla", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
        "get-vanilla-query-order-key-case",
        {
            query: [
                ["Param2", "value2"],
                ["Param1", "value1"],
            ],
        },
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    ["post-vanilla", { method: "POST" }, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
];
for (const [name, more, expected] of examples) {
    test(`suite: ${name}`, () => {
        const request = general(more);
        signHeaders(request, generalDate);
        assert.strictEqual(signatureOf(request), expected);
        assert.strictEqual(request.headers["X-Amz-Date"], "20150830T123600Z");
    });
}

const bucket = (more) => ({
    method: "GET",
    path: "/",
    query: [],
    region: "us-east-1",
    service: "s3",
    credentials: s3,
    payloadHash: emptyHash,
    ...more,
    headers: {
        Host: "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": more.payloadHash ?? emptyHash,
        ...more.headers,
    },
});
const bucketDate = new Date("2013-05-24T00:00:00Z");
const text = "Welcome to Amazon S3.";
const s3Examples = [
    [
        "get an object",
        { path: "/test.txt", headers: { Range: "bytes=0-9" } },
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ],
    [
        "put an object",
        {
            method: "PUT",
            path: "/test%24file.text",
            payloadHash: sha256(text),
            headers: { Date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        },
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ],
    [
        "get a bucket's lifecycle",
        { query: [["lifecycle", ""]] },
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
        "list objects",
        {
            query: [
                ["max-keys", "2"],
                ["prefix", "J"],
            ],
        },
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
];
for (const [name, more, expected] of s3Examples) {
    test(`S3: ${name}`, () => {
        const request = bucket(more);
        signHeaders(request, bucketDate);
        assert.strictEqual(signatureOf(request), expected);
    });
}

test("S3: a link", () => {
    const request = {
        method: "GET",
        path: "/test.txt",
        query: [],
        headers: { Host: "examplebucket.s3.amazonaws.com" },
        region: "us-east-1",
        service: "s3",
        credentials: s3,
    };
    const query = new URLSearchParams(presignedQuery(request, bucketDate, 86400));
    assert.strictEqual(
        query.get("X-Amz-Signature"),
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
    assert.strictEqual(query.get("X-Amz-Credential"), "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request");
});
