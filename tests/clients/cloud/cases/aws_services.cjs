// What plugins do with the other services of `aws-sdk`, and what AWS answers.
const { key, fast, eu, later } = require("../aws_clients.cjs");

const json = (body, status = 200, headers = {}) => ({
    status,
    json: body,
    headers: { "x-amzn-requestid": "R1", ...headers },
});

module.exports = [
    {
        name: "kinesis describe",
        answers: [
            json({
                StreamDescription: {
                    StreamName: "s",
                    Shards: [{ ShardId: "shardId-000000000000" }],
                    StreamCreationTimestamp: 1683000000.5,
                },
            }),
        ],
        run: ({ Kinesis }) => later((done) => new Kinesis(eu).describeStream({ StreamName: "s" }, done)),
    },
    {
        name: "kinesis iterator",
        answers: [json({ ShardIterator: "AAAA" })],
        run: ({ Kinesis }) =>
            later((done) =>
                new Kinesis(eu).getShardIterator(
                    { ShardId: "shardId-0", ShardIteratorType: "LATEST", StreamName: "s" },
                    done,
                ),
            ),
    },
    {
        name: "kinesis records",
        answers: [
            json({
                MillisBehindLatest: 0,
                NextShardIterator: "BBBB",
                Records: [
                    {
                        ApproximateArrivalTimestamp: 1683000000,
                        Data: "eyJhIjoxfQ==",
                        PartitionKey: "p",
                        SequenceNumber: "1",
                    },
                ],
            }),
        ],
        run: ({ Kinesis }) => new Kinesis(eu).getRecords({ ShardIterator: "AAAA" }).promise(),
    },
    {
        name: "kinesis iterator too old",
        answers: [json({ __type: "ExpiredIteratorException", message: "Iterator expired." }, 400)],
        run: ({ Kinesis }) => new Kinesis(eu).getRecords({ ShardIterator: "AAAA" }).promise(),
    },
    {
        name: "kinesis throttled, then well",
        answers: [
            json({ __type: "ProvisionedThroughputExceededException", message: "slow" }, 400),
            json({ SequenceNumber: "1", ShardId: "s" }),
        ],
        run: ({ Kinesis }) => new Kinesis(eu).putRecord({ Data: "text", PartitionKey: "p", StreamName: "s" }).promise(),
    },
    {
        name: "kinesis put many",
        answers: [
            json({
                FailedRecordCount: 1,
                Records: [
                    { SequenceNumber: "1", ShardId: "s" },
                    { ErrorCode: "InternalFailure", ErrorMessage: "x" },
                ],
            }),
        ],
        run: ({ Kinesis }) =>
            new Kinesis(eu)
                .putRecords({
                    StreamName: "s",
                    Records: [
                        { Data: Buffer.from([0, 255]), PartitionKey: "a" },
                        { Data: "é", PartitionKey: "b" },
                    ],
                })
                .promise(),
    },
    {
        name: "firehose put many",
        answers: [json({ FailedPutCount: 0, Encrypted: false, RequestResponses: [{ RecordId: "r" }] })],
        run: ({ Firehose }) =>
            new Firehose(eu).putRecordBatch({ DeliveryStreamName: "d", Records: [{ Data: "{}\n" }] }).promise(),
    },
    {
        name: "sqs send",
        answers: [json({ MessageId: "m", MD5OfMessageBody: "5eb63bbbe01eeed093cb22bb8f5acdc3" })],
        run: ({ SQS }) =>
            new SQS(eu)
                .sendMessage({
                    QueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
                    MessageBody: "hello world",
                    MessageAttributes: { a: { DataType: "String", StringValue: "b" } },
                })
                .promise(),
    },
    {
        name: "sqs missing queue",
        answers: [
            json({ __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "gone" }, 400, {
                "x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender",
            }),
        ],
        run: ({ SQS }) =>
            new SQS(eu)
                .sendMessage({ QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q", MessageBody: "x" })
                .promise(),
    },
    {
        name: "sqs send many",
        answers: [
            json({
                Successful: [{ Id: "1", MessageId: "m", MD5OfMessageBody: "0cc175b9c0f1b6a831c399e269772661" }],
                Failed: [],
            }),
        ],
        run: ({ SQS }) =>
            new SQS(eu)
                .sendMessageBatch({
                    QueueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q",
                    Entries: [{ Id: "1", MessageBody: "a" }],
                })
                .promise(),
    },
    {
        name: "sns publish",
        answers: [
            {
                body: '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>',
            },
        ],
        run: ({ SNS }) =>
            new SNS(eu)
                .publish({
                    TopicArn: "arn:aws:sns:eu-west-1:1:t",
                    Message: "it's *new*",
                    MessageAttributes: { kind: { DataType: "String", StringValue: "x y" } },
                })
                .promise(),
    },
    {
        name: "sns refused",
        answers: [
            {
                status: 403,
                body: '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not allowed</Message></Error><RequestId>r</RequestId></ErrorResponse>',
            },
        ],
        run: ({ SNS }) => new SNS(eu).publish({ TopicArn: "arn:aws:sns:eu-west-1:1:t", Message: "m" }).promise(),
    },
    {
        name: "ses send",
        answers: [
            {
                body: '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>m</MessageId></SendEmailResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendEmailResponse>',
            },
        ],
        run: ({ SES }) =>
            new SES(eu)
                .sendEmail({
                    Source: "a@x.test",
                    Destination: { ToAddresses: ["b@x.test", "c@x.test"] },
                    Message: { Subject: { Data: "s" }, Body: { Text: { Data: "t", Charset: "UTF-8" } } },
                })
                .promise(),
    },
    {
        name: "lambda invoke",
        answers: [
            {
                status: 200,
                headers: { "x-amz-executed-version": "$LATEST", "x-amz-function-error": "Unhandled" },
                body: '{"errorMessage":"x"}',
            },
        ],
        run: ({ Lambda }) =>
            new Lambda(eu)
                .invoke({
                    FunctionName: "arn:aws:lambda:eu-west-1:1:function:f",
                    InvocationType: "RequestResponse",
                    Payload: '{"a":1}',
                    Qualifier: "live",
                })
                .promise(),
    },
    {
        name: "lambda is not there",
        answers: [
            json({ Type: "User", message: "Function not found" }, 404, {
                "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/",
            }),
        ],
        run: ({ Lambda }) => new Lambda(eu).invoke({ FunctionName: "f", Payload: "{}" }).promise(),
    },
    {
        name: "pinpoint events",
        answers: [json({ Results: { e: { EndpointItemResponse: { StatusCode: 202, Message: "Accepted" } } } }, 202)],
        run: ({ Pinpoint }) =>
            later((done) =>
                new Pinpoint({ ...fast, credentials: key, region: "us-east-1" }).putEvents(
                    {
                        ApplicationId: "app",
                        EventsRequest: {
                            BatchItem: {
                                e: {
                                    Endpoint: { Address: "a@x.test", ChannelType: "EMAIL" },
                                    Events: {
                                        u: {
                                            EventType: "t",
                                            Timestamp: "2023-05-01T10:00:00Z",
                                            Attributes: { a: "b" },
                                        },
                                    },
                                },
                            },
                        },
                    },
                    done,
                ),
            ),
    },
    {
        name: "dynamodb put and get",
        answers: [
            json({}),
            json({ Item: { id: { S: "1" }, n: { N: "2.5" }, l: { L: [{ BOOL: true }, { NULL: true }] } } }),
        ],
        run: async ({ DynamoDB }) => {
            const client = new DynamoDB.DocumentClient(eu);
            await client.put({ TableName: "t", Item: { id: "1", n: 2.5, l: [true, null], m: { a: "b" } } }).promise();
            return client.get({ TableName: "t", Key: { id: "1" } }).promise();
        },
    },
    {
        name: "dynamodb query",
        answers: [
            json({ Count: 1, ScannedCount: 1, Items: [{ id: { S: "1" } }], LastEvaluatedKey: { id: { S: "1" } } }),
        ],
        run: ({ DynamoDB }) =>
            new DynamoDB.DocumentClient(eu)
                .query({
                    TableName: "t",
                    KeyConditionExpression: "id = :i",
                    ExpressionAttributeValues: { ":i": "1" },
                    ExclusiveStartKey: { id: "0" },
                })
                .promise(),
    },
    {
        name: "dynamodb condition",
        answers: [
            json(
                {
                    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                    message: "The conditional request failed",
                },
                400,
            ),
        ],
        run: ({ DynamoDB }) =>
            new DynamoDB.DocumentClient(eu)
                .update({
                    TableName: "t",
                    Key: { id: "1" },
                    UpdateExpression: "SET n = :n",
                    ExpressionAttributeValues: { ":n": 1 },
                })
                .promise(),
    },
    {
        name: "no region",
        answers: [],
        run: ({ Kinesis }) => new Kinesis(key).getRecords({ ShardIterator: "A" }).promise(),
    },
].map((example) => ({ module: "aws-sdk", ...example }));
