// What plugins do with S3 through `aws-sdk`, and what AWS answers.
const { key, eu, later } = require("../aws_clients.cjs");

const local = { ...eu, endpoint: "http://minio.test:9000", s3ForcePathStyle: true, signatureVersion: "v4" };
const etag = { ETag: '"9b2cf535f27731c974343645a3985328"', "x-amz-request-id": "REQ1" };
const failure = (code, message) => ({
    headers: { "content-type": "application/xml", "x-amz-request-id": "REQ9" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>REQ9</RequestId><HostId>H</HostId></Error>`,
});
const forbidden = { status: 403, ...failure("AccessDenied", "Access Denied") };
const busy = { status: 503, ...failure("SlowDown", "Please reduce your request rate.") };
const page = (members, objects) => ({
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name><Prefix>a&amp;b/</Prefix>${members}${objects
        .map(
            (name, index) =>
                `<Contents><Key>${name}</Key><LastModified>2023-05-01T10:00:0${index}.000Z</LastModified><ETag>&quot;e${index}&quot;</ETag><Size>${index + 5}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
        )
        .join("")}</ListBucketResult>`,
});
const uploads = [
    {
        body: '<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><Key>big</Key><UploadId>U-1</UploadId></InitiateMultipartUploadResult>',
    },
    { headers: { ETag: '"part1"' } },
    { headers: { ETag: '"part2"' } },
];
const big = Buffer.alloc(5 * 1024 * 1024 + 3, "weir");

module.exports = [
    {
        name: "upload of a buffer",
        answers: [{ headers: etag }],
        run: ({ S3 }) =>
            later((done) =>
                new S3(eu).upload(
                    { Bucket: "my-bucket", Key: "day/10:20 +a~(1)*.jsonl", Body: Buffer.from("{}\n{}") },
                    done,
                ),
            ),
    },
    {
        name: "upload with kms",
        answers: [
            {
                headers: {
                    ...etag,
                    "x-amz-server-side-encryption": "aws:kms",
                    "x-amz-server-side-encryption-aws-kms-key-id": "k1",
                },
            },
        ],
        run: ({ S3 }) =>
            later((done) =>
                new S3(eu).upload(
                    {
                        Bucket: "my-bucket",
                        Key: "k",
                        Body: "text é",
                        ServerSideEncryption: "aws:kms",
                        SSEKMSKeyId: "k1",
                        ACL: "private",
                        ContentType: "text/plain",
                        Metadata: { From: "Weir" },
                        Tagging: "a=b",
                    },
                    done,
                ),
            ),
    },
    {
        name: "upload to a custom endpoint",
        answers: [{ headers: etag }],
        run: ({ S3 }) => new S3(local).upload({ Bucket: "my-bucket", Key: "p/k", Body: "text" }).promise(),
    },
    {
        name: "upload to an endpoint with the bucket in the host",
        answers: [{ headers: etag }],
        run: ({ S3 }) =>
            new S3({ ...key, endpoint: "https://nyc3.spaces.test" })
                .upload({ Bucket: "my-bucket", Key: "k", Body: "text" })
                .promise(),
    },
    {
        name: "upload in two parts",
        answers: [
            ...uploads,
            {
                body: '<CompleteMultipartUploadResult><Location>https://x/b/big</Location><Bucket>b</Bucket><Key>big</Key><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>',
            },
        ],
        run: async ({ S3 }, played) => {
            const result = await new S3(local)
                .upload({ Bucket: "bbb", Key: "big", Body: big, ServerSideEncryption: "AES256" }, { queueSize: 1 })
                .promise();
            for (const request of played.requests)
                if (request.body.length > 1000)
                    request.body = require("crypto").createHash("sha256").update(request.body).digest("hex");
            return result;
        },
    },
    {
        name: "a failed part gives the upload up",
        answers: [uploads[0], { headers: { ETag: '"part1"' } }, forbidden, { status: 204 }],
        run: async ({ S3 }, played) => {
            try {
                return await new S3(local).upload({ Bucket: "bbb", Key: "big", Body: big }, { queueSize: 1 }).promise();
            } finally {
                for (const request of played.requests)
                    if (request.body.length > 1000) request.body = request.body.length;
            }
        },
    },
    {
        name: "completing fails after the status",
        answers: [
            { status: 200, ...failure("InternalError", "We encountered an internal error.") },
            { body: '<CompleteMultipartUploadResult><ETag>"w"</ETag></CompleteMultipartUploadResult>' },
        ],
        run: ({ S3 }) =>
            new S3(local)
                .completeMultipartUpload({
                    Bucket: "bbb",
                    Key: "k",
                    UploadId: "U",
                    MultipartUpload: { Parts: [{ ETag: '"a"', PartNumber: 1 }] },
                })
                .promise(),
    },
    {
        name: "forbidden",
        answers: [forbidden],
        run: ({ S3 }) => later((done) => new S3(eu).upload({ Bucket: "my-bucket", Key: "k", Body: "x" }, done)),
    },
    {
        name: "busy, then well",
        answers: [busy, busy, { headers: etag }],
        run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my-bucket", Key: "k", Body: "x" }).promise(),
    },
    {
        name: "busy for good",
        answers: [busy],
        run: ({ S3 }) =>
            new S3({ ...eu, maxRetries: 2 }).putObject({ Bucket: "my-bucket", Key: "k", Body: "x" }).promise(),
    },
    {
        name: "an answer that is not XML",
        answers: [{ status: 400, body: "<html>bad gateway" }],
        run: ({ S3 }) =>
            new S3({ ...local, maxRetries: 0 }).putObject({ Bucket: "bbb", Key: "k", Body: "x" }).promise(),
    },
    {
        name: "session token",
        answers: [{ headers: etag }],
        run: ({ S3 }) =>
            new S3({ ...eu, sessionToken: "TOKEN==" })
                .putObject({ Bucket: "my-bucket", Key: "k", Body: "x" })
                .promise(),
    },
    {
        name: "get",
        answers: [
            {
                headers: {
                    ...etag,
                    "content-type": "text/csv",
                    "last-modified": "Mon, 01 May 2023 10:00:00 GMT",
                    "x-amz-meta-from": "Weir",
                    "content-length": "4",
                },
                body: "a,b\n",
            },
        ],
        run: ({ S3 }) =>
            new S3(eu)
                .getObject({
                    Bucket: "my-bucket",
                    Key: "a b/é.csv",
                    Range: "bytes=0-3",
                    ResponseContentType: "text/csv",
                })
                .promise(),
    },
    {
        name: "get what is not there",
        answers: [{ status: 404, ...failure("NoSuchKey", "The specified key does not exist.") }],
        run: ({ S3 }) => new S3(eu).getObject({ Bucket: "my-bucket", Key: "k" }).promise(),
    },
    {
        name: "head what is not there",
        answers: [{ status: 404 }],
        run: ({ S3 }) => new S3(eu).headObject({ Bucket: "my-bucket", Key: "k" }).promise(),
    },
    {
        name: "list in two pages",
        answers: [
            page(
                "<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>1/N+x=</NextContinuationToken>",
                ["one", "two&amp;"],
            ),
            page(
                "<KeyCount>1</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>",
                ["three"],
            ),
        ],
        run: async ({ S3 }) => {
            const s3 = new S3(eu);
            const first = await s3.listObjectsV2({ Bucket: "logs", Prefix: "a&b/", MaxKeys: 2 }).promise();
            return [
                first,
                await s3
                    .listObjectsV2({
                        Bucket: "logs",
                        Prefix: "a&b/",
                        MaxKeys: 2,
                        ContinuationToken: first.NextContinuationToken,
                    })
                    .promise(),
            ];
        },
    },
    {
        name: "an empty listing",
        answers: [page("<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>", [])],
        run: ({ S3 }) => new S3(eu).listObjectsV2({ Bucket: "logs" }).promise(),
    },
    {
        name: "delete",
        answers: [{ status: 204, headers: { "x-amz-version-id": "v1" } }],
        run: ({ S3 }) => new S3(eu).deleteObject({ Bucket: "my-bucket", Key: "k", VersionId: "v1" }).promise(),
    },
    {
        name: "delete many",
        answers: [
            {
                body: "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>",
            },
        ],
        run: ({ S3 }) =>
            new S3(eu)
                .deleteObjects({
                    Bucket: "my-bucket",
                    Delete: { Objects: [{ Key: "a" }, { Key: "b<&>" }], Quiet: false },
                })
                .promise(),
    },
    {
        name: "copy",
        answers: [
            {
                body: '<CopyObjectResult><LastModified>2023-05-01T10:00:00.000Z</LastModified><ETag>"c"</ETag></CopyObjectResult>',
            },
        ],
        run: ({ S3 }) => new S3(eu).copyObject({ Bucket: "my-bucket", Key: "k2", CopySource: "my-bucket/k" }).promise(),
    },
    {
        name: "buckets",
        answers: [
            {
                body: "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets><Bucket><Name>one</Name><CreationDate>2023-05-01T10:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>",
            },
        ],
        run: ({ S3 }) => new S3(key).listBuckets().promise(),
    },
    {
        name: "a bucket with a dot",
        answers: [{ headers: etag }],
        run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my.bucket", Key: "k", Body: "x" }).promise(),
    },
    {
        name: "a folder behind the bucket",
        answers: [{ headers: etag }],
        run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my-bucket/folder", Key: "k", Body: "x" }).promise(),
    },
    { name: "a missing key", answers: [], run: ({ S3 }) => new S3(eu).putObject({ Bucket: "b" }).promise() },
    {
        name: "signed link",
        answers: [],
        run: ({ S3 }) =>
            new S3({ ...eu, signatureVersion: "v4" }).getSignedUrl("getObject", {
                Bucket: "my-bucket",
                Key: "a b.csv",
                Expires: 60,
            }),
    },
    {
        name: "signed link to put",
        answers: [],
        run: ({ S3 }) =>
            new S3({ ...local, sessionToken: "T/=" }).getSignedUrlPromise("putObject", {
                Bucket: "my-bucket",
                Key: "k",
                ContentType: "text/csv",
                ACL: "private",
            }),
    },

    {
        name: "a global configuration",
        answers: [{ headers: etag }],
        run: async (AWS) => {
            const before = { ...AWS.config };
            AWS.config.update({ ...key, region: "eu-central-1" });
            try {
                return await new AWS.S3({ params: { Bucket: "my-bucket" } })
                    .putObject({ Key: "k", Body: "x" })
                    .promise();
            } finally {
                Object.assign(AWS.config, { credentials: before.credentials ?? null, region: before.region });
            }
        },
    },
].map((example) => ({ module: "aws-sdk", ...example }));
