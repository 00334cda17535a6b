// The services that speak JSON: one address, and the operation named in a header.
//
// Bytes travel as base64 and moments as seconds. Which members these are is listed by name for each service,
// since inside one service a name always means the same.
(require, module, exports) => {
    const { Service, defineOperations, awsError } = require("./aws_service");

    const encode = (value, names, key) => {
        if (value instanceof Date) return value.getTime() / 1000;
        const isBytes = ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
        if (names.has(key) && (isBytes || typeof value === "string")) return Buffer.from(value).toString("base64");
        if (isBytes) return Buffer.from(value).toString("base64");
        if (Array.isArray(value)) return value.map((item) => encode(item, names, key));
        if (typeof value !== "object" || value === null) return value;
        const entries = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
        return Object.fromEntries(entries.map(([name, member]) => [name, encode(member, names, name)]));
    };
    const decode = (value, bytes, moments, key) => {
        if (Array.isArray(value)) return value.map((item) => decode(item, bytes, moments, key));
        if (typeof value === "string" && bytes.has(key)) return Buffer.from(value, "base64");
        if (typeof value === "number" && moments.has(key)) return new Date(value * 1000);
        if (typeof value !== "object" || value === null) return value;
        return Object.fromEntries(
            Object.entries(value).map(([name, member]) => [name, decode(member, bytes, moments, name)]),
        );
    };
    const upper = (name) => name[0].toUpperCase() + name.slice(1);

    // Reads `{"__type": "com.amazonaws#Code", "message": "..."}` and its variants.
    const readError = (answer) => {
        let body = {};
        try {
            body = JSON.parse(answer.body.toString("utf8"));
        } catch {
            // Not JSON: a proxy answered. The status has to do.
        }
        const named = answer.headers["x-amzn-errortype"] ?? body.__type ?? body.code ?? body.Code;
        const query = answer.headers["x-amzn-query-error"]?.split(";")[0];
        const name = named ? String(named).split("#").pop().split(":")[0] : "UnknownError";
        const message = body.message ?? body.Message ?? body.errorMessage;
        // SQS gives the code of its older protocol beside the new one, and plugins test for the older.
        return { code: query ?? name, name, message: message ?? null };
    };

    class JsonService extends Service {
        async build(name, params) {
            const { target, version, bytes, required } = this.constructor;
            this.required(name, params, required[name] ?? []);
            const endpoint = this.endpoint;
            const body = Buffer.from(JSON.stringify(encode(params, bytes)), "utf8");
            const headers = {
                "Content-Type": `application/x-amz-json-${version}`,
                "X-Amz-Target": `${target}.${upper(name)}`,
            };
            return { method: "POST", endpoint, path: "/", search: "", query: [], headers, body };
        }
        data(request, answer) {
            const { bytes, moments } = this.constructor;
            const text = answer.body.toString("utf8");
            return text === "" ? {} : decode(JSON.parse(text), bytes, moments);
        }
        readError(answer) {
            return readError(answer);
        }
    }

    const none = new Set();
    const jsonService = (
        name,
        { prefix, signing = prefix, target, version = "1.1", bytes = none, moments = none, operations, retries },
    ) => {
        const service = {
            [name]: class extends JsonService {
                static endpointPrefix = prefix;
                static signingName = signing;
                static target = target;
                static version = version;
                static bytes = bytes;
                static moments = moments;
                static required = operations;
            },
        }[name];
        if (retries) Object.assign(service.prototype, retries);
        defineOperations(service, Object.keys(operations));
        return service;
    };

    exports.Kinesis = jsonService("Kinesis", {
        prefix: "kinesis",
        target: "Kinesis_20131202",
        bytes: new Set(["Data"]),
        moments: new Set(["ApproximateArrivalTimestamp", "StreamCreationTimestamp", "ConsumerCreationTimestamp"]),
        operations: {
            createStream: ["StreamName"],
            deleteStream: [],
            describeStream: [],
            describeStreamSummary: [],
            getRecords: ["ShardIterator"],
            getShardIterator: ["ShardId", "ShardIteratorType"],
            listShards: [],
            listStreams: [],
            putRecord: ["Data", "PartitionKey"],
            putRecords: ["Records"],
        },
    });
    exports.Firehose = jsonService("Firehose", {
        prefix: "firehose",
        target: "Firehose_20150804",
        bytes: new Set(["Data"]),
        moments: new Set(["CreateTimestamp", "LastUpdateTimestamp", "DeliveryStartTimestamp"]),
        operations: {
            describeDeliveryStream: ["DeliveryStreamName"],
            listDeliveryStreams: [],
            putRecord: ["DeliveryStreamName", "Record"],
            putRecordBatch: ["DeliveryStreamName", "Records"],
        },
    });
    exports.EventBridge = jsonService("EventBridge", {
        prefix: "events",
        target: "AWSEvents",
        operations: { putEvents: ["Entries"] },
    });
    exports.DynamoDB = jsonService("DynamoDB", {
        prefix: "dynamodb",
        target: "DynamoDB_20120810",
        version: "1.0",
        bytes: new Set(["B", "BS"]),
        moments: new Set(["CreationDateTime"]),
        operations: {
            batchGetItem: ["RequestItems"],
            batchWriteItem: ["RequestItems"],
            deleteItem: ["TableName", "Key"],
            describeTable: ["TableName"],
            getItem: ["TableName", "Key"],
            putItem: ["TableName", "Item"],
            query: ["TableName"],
            scan: ["TableName"],
            updateItem: ["TableName", "Key"],
        },
    });
    exports.SQS = jsonService("SQS", {
        prefix: "sqs",
        target: "AmazonSQS",
        version: "1.0",
        bytes: new Set(["BinaryValue"]),
        operations: {
            deleteMessage: ["QueueUrl", "ReceiptHandle"],
            deleteMessageBatch: ["QueueUrl", "Entries"],
            getQueueAttributes: ["QueueUrl"],
            getQueueUrl: ["QueueName"],
            receiveMessage: ["QueueUrl"],
            sendMessage: ["QueueUrl", "MessageBody"],
            sendMessageBatch: ["QueueUrl", "Entries"],
        },
    });
    // A queue has its own address; the client's is used only when it was set by hand.
    const buildSqs = exports.SQS.prototype.build;
    exports.SQS.prototype.build = async function (name, params) {
        const http = await buildSqs.call(this, name, params);
        if (!params.QueueUrl) return http;
        let url;
        try {
            url = new URL(params.QueueUrl);
        } catch {
            throw awsError(
                "InvalidParameterValue",
                `QueueUrl "${params.QueueUrl}" is not a URL: take the one that getQueueUrl gives`,
            );
        }
        const endpoint = { protocol: url.protocol, host: url.host, hostname: url.hostname };
        return { ...http, endpoint };
    };
    Object.assign(exports, { encode, readError });
}
