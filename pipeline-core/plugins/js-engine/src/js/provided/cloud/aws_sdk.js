// `aws-sdk`, version 2 of the API: the services that plugins use. A service's file is read when a plugin first
// asks for the service, since most plugins need one.
(require, module, exports) => {
    const { Config, Credentials, Endpoint, Service, shared, awsError } = require("./aws_service");

    const dynamo = () => {
        const { DynamoDB } = require("./aws_json");
        const { DocumentClient, Converter } = require("./aws_dynamodb_document");
        return Object.assign(DynamoDB, { DocumentClient, Converter });
    };
    const services = {
        S3: () => require("./aws_s3").S3,
        DynamoDB: dynamo,
        EventBridge: () => require("./aws_json").EventBridge,
        Firehose: () => require("./aws_json").Firehose,
        Kinesis: () => require("./aws_json").Kinesis,
        Lambda: () => require("./aws_rest_json").Lambda,
        Pinpoint: () => require("./aws_rest_json").Pinpoint,
        SES: () => require("./aws_query").SES,
        SNS: () => require("./aws_query").SNS,
        SQS: () => require("./aws_json").SQS,
    };
    const missing = [
        "Athena",
        "CloudWatch",
        "CloudWatchLogs",
        "CognitoIdentityServiceProvider",
        "EC2",
        "Glue",
        "IAM",
        "KMS",
        "Personalize",
        "PersonalizeEvents",
        "RDSDataService",
        "Redshift",
        "RedshiftData",
        "SSM",
        "STS",
        "SecretsManager",
        "StepFunctions",
        "TimestreamWrite",
    ];

    Object.assign(exports, { config: shared, Config, Credentials, Endpoint, Service });
    for (const [name, read] of Object.entries(services)) {
        Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: read });
    }
    for (const name of missing) {
        exports[name] = class {
            constructor() {
                const provided = Object.keys(services).sort().join(", ");
                throw awsError(
                    "NotProvided",
                    `aws-sdk: ${name} is not provided. Provided: ${provided}. Call its HTTP interface with fetch instead.`,
                );
            }
        };
    }
    Object.defineProperty(exports, "default", { value: exports });
}
