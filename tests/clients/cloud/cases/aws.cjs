// What plugins do with `aws-sdk`, and what AWS answers.
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const fast = { retryDelayOptions: { base: 1 } };
const eu = { ...key, ...fast, region: "eu-west-1" };
const local = { ...eu, endpoint: "http://minio.test:9000", s3ForcePathStyle: true, signatureVersion: "v4" };
const module_ = "aws-sdk";
const etag = { ETag: '"9b2cf535f27731c974343645a3985328"', "x-amz-request-id": "REQ1" };
const failure = (code, message) => ({
    headers: { "content-type": "application/xml", "x-amz-request-id": "REQ9" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>REQ9</RequestId><HostId>H</HostId></Error>`,
});
const forbidden = { status: 403, ...failure("AccessDenied", "Access Denied") };
const busy = { status: 503, ...failure("SlowDown", "Please reduce your request rate.") };
const later = (start) => new Promise((resolve, reject) => start((error, data) => (error ? reject(error) : resolve(data))));
const page = (members, objects) => ({
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name><Prefix>a&amp;b/</Prefix>${members}${objects
        .map((name, index) => `<Contents><Key>${name}</Key><LastModified>2023-05-01T10:00:0${index}.000Z</LastModified><ETag>&quot;e${index}&quot;</ETag><Size>${index + 5}</Size><StorageClass>STANDARD</StorageClass></Contents>`)
        .join("")}</ListBucketResult>`,
});
const uploads = [
    { body: '<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><Key>big</Key><UploadId>U-1</UploadId></InitiateMultipartUploadResult>' },
    { headers: { ETag: '"part1"' } },
    { headers: { ETag: '"part2"' } },
];
const json = (body, status = 200, headers = {}) => ({ status, json: body, headers: { "x-amzn-requestid": "R1", ...headers } });
const big = Buffer.alloc(5 * 1024 * 1024 + 3, "weir");

module.exports = [
    { name: "upload of a buffer", answers: [{ headers: etag }], run: ({ S3 }) => later((done) => new S3(eu).upload({ Bucket: "my-bucket", Key: "day/10:20 +a~(1)*.jsonl", Body: Buffer.from("{}\n{}") }, done)) },
    { name: "upload with kms", answers: [{ headers: { ...etag, "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "k1" } }], run: ({ S3 }) => later((done) => new S3(eu).upload({ Bucket: "my-bucket", Key: "k", Body: "text é", ServerSideEncryption: "aws:kms", SSEKMSKeyId: "k1", ACL: "private", ContentType: "text/plain", Metadata: { From: "Weir" }, Tagging: "a=b" }, done)) },
    { name: "upload to a custom endpoint", answers: [{ headers: etag }], run: ({ S3 }) => new S3(local).upload({ Bucket: "my-bucket", Key: "p/k", Body: "text" }).promise() },
    { name: "upload to an endpoint with the bucket in the host", answers: [{ headers: etag }], run: ({ S3 }) => new S3({ ...key, endpoint: "https://nyc3.spaces.test" }).upload({ Bucket: "my-bucket", Key: "k", Body: "text" }).promise() },
    { name: "upload in two parts", answers: [...uploads, { body: '<CompleteMultipartUploadResult><Location>https://x/b/big</Location><Bucket>b</Bucket><Key>big</Key><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>' }], run: async ({ S3 }, played) => {
        const result = await new S3(local).upload({ Bucket: "bbb", Key: "big", Body: big, ServerSideEncryption: "AES256" }, { queueSize: 1 }).promise();
        for (const request of played.requests) if (request.body.length > 1000) request.body = require("crypto").createHash("sha256").update(request.body).digest("hex");
        return result;
    } },
    { name: "a failed part gives the upload up", answers: [uploads[0], { headers: { ETag: '"part1"' } }, forbidden, { status: 204 }], run: async ({ S3 }, played) => {
        try {
            return await new S3(local).upload({ Bucket: "bbb", Key: "big", Body: big }, { queueSize: 1 }).promise();
        } finally {
            for (const request of played.requests) if (request.body.length > 1000) request.body = request.body.length;
        }
    } },
    { name: "completing fails after the status", answers: [{ status: 200, ...failure("InternalError", "We encountered an internal error.") }, { body: "<CompleteMultipartUploadResult><ETag>\"w\"</ETag></CompleteMultipartUploadResult>" }], run: ({ S3 }) => new S3(local).completeMultipartUpload({ Bucket: "bbb", Key: "k", UploadId: "U", MultipartUpload: { Parts: [{ ETag: '"a"', PartNumber: 1 }] } }).promise() },
    { name: "forbidden", answers: [forbidden], run: ({ S3 }) => later((done) => new S3(eu).upload({ Bucket: "my-bucket", Key: "k", Body: "x" }, done)) },
    { name: "busy, then well", answers: [busy, busy, { headers: etag }], run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my-bucket", Key: "k", Body: "x" }).promise() },
    { name: "busy for good", answers: [busy], run: ({ S3 }) => new S3({ ...eu, maxRetries: 2 }).putObject({ Bucket: "my-bucket", Key: "k", Body: "x" }).promise() },
    { name: "an answer that is not XML", answers: [{ status: 400, body: "<html>bad gateway" }], run: ({ S3 }) => new S3({ ...local, maxRetries: 0 }).putObject({ Bucket: "bbb", Key: "k", Body: "x" }).promise() },
    { name: "session token", answers: [{ headers: etag }], run: ({ S3 }) => new S3({ ...eu, sessionToken: "TOKEN==" }).putObject({ Bucket: "my-bucket", Key: "k", Body: "x" }).promise() },
    { name: "get", answers: [{ headers: { ...etag, "content-type": "text/csv", "last-modified": "Mon, 01 May 2023 10:00:00 GMT", "x-amz-meta-from": "Weir", "content-length": "4" }, body: "a,b\n" }], run: ({ S3 }) => new S3(eu).getObject({ Bucket: "my-bucket", Key: "a b/é.csv", Range: "bytes=0-3", ResponseContentType: "text/csv" }).promise() },
    { name: "get what is not there", answers: [{ status: 404, ...failure("NoSuchKey", "The specified key does not exist.") }], run: ({ S3 }) => new S3(eu).getObject({ Bucket: "my-bucket", Key: "k" }).promise() },
    { name: "head what is not there", answers: [{ status: 404 }], run: ({ S3 }) => new S3(eu).headObject({ Bucket: "my-bucket", Key: "k" }).promise() },
    { name: "list in two pages", answers: [page("<KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>1/N+x=</NextContinuationToken>", ["one", "two&amp;"]), page("<KeyCount>1</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>", ["three"])], run: async ({ S3 }) => {
        const s3 = new S3(eu);
        const first = await s3.listObjectsV2({ Bucket: "logs", Prefix: "a&b/", MaxKeys: 2 }).promise();
        return [first, await s3.listObjectsV2({ Bucket: "logs", Prefix: "a&b/", MaxKeys: 2, ContinuationToken: first.NextContinuationToken }).promise()];
    } },
    { name: "an empty listing", answers: [page("<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>", [])], run: ({ S3 }) => new S3(eu).listObjectsV2({ Bucket: "logs" }).promise() },
    { name: "delete", answers: [{ status: 204, headers: { "x-amz-version-id": "v1" } }], run: ({ S3 }) => new S3(eu).deleteObject({ Bucket: "my-bucket", Key: "k", VersionId: "v1" }).promise() },
    { name: "delete many", answers: [{ body: '<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>' }], run: ({ S3 }) => new S3(eu).deleteObjects({ Bucket: "my-bucket", Delete: { Objects: [{ Key: "a" }, { Key: "b<&>" }], Quiet: false } }).promise() },
    { name: "copy", answers: [{ body: '<CopyObjectResult><LastModified>2023-05-01T10:00:00.000Z</LastModified><ETag>"c"</ETag></CopyObjectResult>' }], run: ({ S3 }) => new S3(eu).copyObject({ Bucket: "my-bucket", Key: "k2", CopySource: "my-bucket/k" }).promise() },
    { name: "buckets", answers: [{ body: "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets><Bucket><Name>one</Name><CreationDate>2023-05-01T10:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>" }], run: ({ S3 }) => new S3(key).listBuckets().promise() },
    { name: "a bucket with a dot", answers: [{ headers: etag }], run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my.bucket", Key: "k", Body: "x" }).promise() },
    { name: "a folder behind the bucket", answers: [{ headers: etag }], run: ({ S3 }) => new S3(eu).putObject({ Bucket: "my-bucket/folder", Key: "k", Body: "x" }).promise() },
    { name: "a missing key", answers: [], run: ({ S3 }) => new S3(eu).putObject({ Bucket: "b" }).promise() },
    { name: "signed link", answers: [], run: ({ S3 }) => new S3({ ...eu, signatureVersion: "v4" }).getSignedUrl("getObject", { Bucket: "my-bucket", Key: "a b.csv", Expires: 60 }) },
    { name: "signed link to put", answers: [], run: ({ S3 }) => new S3({ ...local, sessionToken: "T/=" }).getSignedUrlPromise("putObject", { Bucket: "my-bucket", Key: "k", ContentType: "text/csv", ACL: "private" }) },

    { name: "kinesis describe", answers: [json({ StreamDescription: { StreamName: "s", Shards: [{ ShardId: "shardId-000000000000" }], StreamCreationTimestamp: 1683000000.5 } })], run: ({ Kinesis }) => later((done) => new Kinesis(eu).describeStream({ StreamName: "s" }, done)) },
    { name: "kinesis iterator", answers: [json({ ShardIterator: "AAAA" })], run: ({ Kinesis }) => later((done) => new Kinesis(eu).getShardIterator({ ShardId: "shardId-0", ShardIteratorType: "LATEST", StreamName: "s" }, done)) },
    { name: "kinesis records", answers: [json({ MillisBehindLatest: 0, NextShardIterator: "BBBB", Records: [{ ApproximateArrivalTimestamp: 1683000000, Data: "eyJhIjoxfQ==", PartitionKey: "p", SequenceNumber: "1" }] })], run: ({ Kinesis }) => new Kinesis(eu).getRecords({ ShardIterator: "AAAA" }).promise() },
    { name: "kinesis iterator too old", answers: [json({ __type: "ExpiredIteratorException", message: "Iterator expired." }, 400)], run: ({ Kinesis }) => new Kinesis(eu).getRecords({ ShardIterator: "AAAA" }).promise() },
    { name: "kinesis throttled, then well", answers: [json({ __type: "ProvisionedThroughputExceededException", message: "slow" }, 400), json({ SequenceNumber: "1", ShardId: "s" })], run: ({ Kinesis }) => new Kinesis(eu).putRecord({ Data: "text", PartitionKey: "p", StreamName: "s" }).promise() },
    { name: "kinesis put many", answers: [json({ FailedRecordCount: 1, Records: [{ SequenceNumber: "1", ShardId: "s" }, { ErrorCode: "InternalFailure", ErrorMessage: "x" }] })], run: ({ Kinesis }) => new Kinesis(eu).putRecords({ StreamName: "s", Records: [{ Data: Buffer.from([0, 255]), PartitionKey: "a" }, { Data: "é", PartitionKey: "b" }] }).promise() },
    { name: "firehose put many", answers: [json({ FailedPutCount: 0, Encrypted: false, RequestResponses: [{ RecordId: "r" }] })], run: ({ Firehose }) => new Firehose(eu).putRecordBatch({ DeliveryStreamName: "d", Records: [{ Data: "{}\n" }] }).promise() },
    { name: "sqs send", answers: [json({ MessageId: "m", MD5OfMessageBody: "5eb63bbbe01eeed093cb22bb8f5acdc3" })], run: ({ SQS }) => new SQS(eu).sendMessage({ QueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/q", MessageBody: "hello world", MessageAttributes: { a: { DataType: "String", StringValue: "b" } } }).promise() },
    { name: "sqs missing queue", answers: [json({ __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "gone" }, 400, { "x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender" })], run: ({ SQS }) => new SQS(eu).sendMessage({ QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q", MessageBody: "x" }).promise() },
    { name: "sqs send many", answers: [json({ Successful: [{ Id: "1", MessageId: "m", MD5OfMessageBody: "0cc175b9c0f1b6a831c399e269772661" }], Failed: [] })], run: ({ SQS }) => new SQS(eu).sendMessageBatch({ QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q", Entries: [{ Id: "1", MessageBody: "a" }] }).promise() },
    { name: "sns publish", answers: [{ body: '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>' }], run: ({ SNS }) => new SNS(eu).publish({ TopicArn: "arn:aws:sns:eu-west-1:1:t", Message: "it's *new*", MessageAttributes: { kind: { DataType: "String", StringValue: "x y" } } }).promise() },
    { name: "sns refused", answers: [{ status: 403, body: '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not allowed</Message></Error><RequestId>r</RequestId></ErrorResponse>' }], run: ({ SNS }) => new SNS(eu).publish({ TopicArn: "arn:aws:sns:eu-west-1:1:t", Message: "m" }).promise() },
    { name: "ses send", answers: [{ body: '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>m</MessageId></SendEmailResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendEmailResponse>' }], run: ({ SES }) => new SES(eu).sendEmail({ Source: "a@x.test", Destination: { ToAddresses: ["b@x.test", "c@x.test"] }, Message: { Subject: { Data: "s" }, Body: { Text: { Data: "t", Charset: "UTF-8" } } } }).promise() },
    { name: "lambda invoke", answers: [{ status: 200, headers: { "x-amz-executed-version": "$LATEST", "x-amz-function-error": "Unhandled" }, body: '{"errorMessage":"x"}' }], run: ({ Lambda }) => new Lambda(eu).invoke({ FunctionName: "arn:aws:lambda:eu-west-1:1:function:f", InvocationType: "RequestResponse", Payload: '{"a":1}', Qualifier: "live" }).promise() },
    { name: "lambda is not there", answers: [json({ Type: "User", message: "Function not found" }, 404, { "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/" })], run: ({ Lambda }) => new Lambda(eu).invoke({ FunctionName: "f", Payload: "{}" }).promise() },
    { name: "pinpoint events", answers: [json({ Results: { e: { EndpointItemResponse: { StatusCode: 202, Message: "Accepted" } } } }, 202)], run: ({ Pinpoint }) => later((done) => new Pinpoint({ ...fast, credentials: key, region: "us-east-1" }).putEvents({ ApplicationId: "app", EventsRequest: { BatchItem: { e: { Endpoint: { Address: "a@x.test", ChannelType: "EMAIL" }, Events: { u: { EventType: "t", Timestamp: "2023-05-01T10:00:00Z", Attributes: { a: "b" } } } } } } }, done)) },
    { name: "dynamodb put and get", answers: [json({}), json({ Item: { id: { S: "1" }, n: { N: "2.5" }, l: { L: [{ BOOL: true }, { NULL: true }] } } })], run: async ({ DynamoDB }) => {
        const client = new DynamoDB.DocumentClient(eu);
        await client.put({ TableName: "t", Item: { id: "1", n: 2.5, l: [true, null], m: { a: "b" } } }).promise();
        return client.get({ TableName: "t", Key: { id: "1" } }).promise();
    } },
    { name: "dynamodb query", answers: [json({ Count: 1, ScannedCount: 1, Items: [{ id: { S: "1" } }], LastEvaluatedKey: { id: { S: "1" } } })], run: ({ DynamoDB }) => new DynamoDB.DocumentClient(eu).query({ TableName: "t", KeyConditionExpression: "id = :i", ExpressionAttributeValues: { ":i": "1" }, ExclusiveStartKey: { id: "0" } }).promise() },
    { name: "dynamodb condition", answers: [json({ __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "The conditional request failed" }, 400)], run: ({ DynamoDB }) => new DynamoDB.DocumentClient(eu).update({ TableName: "t", Key: { id: "1" }, UpdateExpression: "SET n = :n", ExpressionAttributeValues: { ":n": 1 } }).promise() },
    { name: "no region", answers: [], run: ({ Kinesis }) => new Kinesis(key).getRecords({ ShardIterator: "A" }).promise() },
    { name: "a global configuration", answers: [{ headers: etag }], run: async (AWS) => {
        const before = { ...AWS.config };
        AWS.config.update({ ...key, region: "eu-central-1" });
        try {
            return await new AWS.S3({ params: { Bucket: "my-bucket" } }).putObject({ Key: "k", Body: "x" }).promise();
        } finally {
            Object.assign(AWS.config, { credentials: before.credentials ?? null, region: before.region });
        }
    } },
].map((example) => ({ module: module_, ...example }));
