// `aws-sdk`, version 2 of the API: the services that plugins use.
(require, module, exports) => {
    const { Config, Credentials, Endpoint, Service, shared, awsError } = require("./aws_service");
    const { S3 } = require("./aws_s3");
    const { DocumentClient, Converter } = require("./aws_dynamodb_document");
    const json = require("./aws_json");
    const { SNS, SES } = require("./aws_query");

    json.DynamoDB.DocumentClient = DocumentClient;
    json.DynamoDB.Converter = Converter;

    const services = {
        S3, SNS, SES,
        Kinesis: json.Kinesis, Firehose: json.Firehose, EventBridge: json.EventBridge, DynamoDB: json.DynamoDB,
        SQS: json.SQS, Lambda: json.Lambda, Pinpoint: json.Pinpoint,
    };
    const missing = [
        "Athena", "CloudWatch", "CloudWatchLogs", "CognitoIdentityServiceProvider", "EC2", "Glue", "IAM", "KMS",
        "Personalize", "PersonalizeEvents", "RDSDataService", "Redshift", "RedshiftData", "SSM", "STS",
        "SecretsManager", "StepFunctions", "TimestreamWrite",
    ];

    Object.assign(exports, services, { config: shared, Config, Credentials, Endpoint, Service });
    for (const name of missing) {
        exports[name] = class {
            constructor() {
                const provided = Object.keys(services).join(", ");
                throw awsError("NotProvided", `aws-sdk: ${name} is not provided. Provided: ${provided}. `
                    + "Call its HTTP interface with fetch instead.");
            }
        };
    }
    exports.default = exports;
}
