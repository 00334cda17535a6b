// The services that speak JSON at an address for each operation: Lambda and Pinpoint.
(require, module, exports) => {
    const { encode, readError } = require("./aws_json");
    const { Service, defineOperations } = require("./aws_service");
    const { escapeUri } = require("./aws_signature");

    exports.Lambda = class Lambda extends Service {
        static endpointPrefix = "lambda";
        static signingName = "lambda";
        async build(name, params) {
            this.required(name, params, ["FunctionName"]);
            const headers = {};
            if (params.InvocationType) headers["X-Amz-Invocation-Type"] = params.InvocationType;
            if (params.LogType) headers["X-Amz-Log-Type"] = params.LogType;
            if (params.ClientContext) headers["X-Amz-Client-Context"] = params.ClientContext;
            headers["Content-Type"] = "binary/octet-stream";
            const query = params.Qualifier === undefined ? [] : [["Qualifier", params.Qualifier]];
            const search = query.length === 0 ? "" : `?Qualifier=${escapeUri(params.Qualifier)}`;
            const path = `/2015-03-31/functions/${escapeUri(params.FunctionName)}/invocations`;
            const body = Buffer.from(params.Payload ?? "");
            return { method: "POST", endpoint: this.endpoint, path, search, query, headers, body };
        }
        data(request, { statusCode, headers, body }) {
            const data = { StatusCode: statusCode, Payload: body.toString("utf8") };
            const from = {
                "x-amz-function-error": "FunctionError",
                "x-amz-log-result": "LogResult",
                "x-amz-executed-version": "ExecutedVersion",
            };
            for (const [header, member] of Object.entries(from))
                if (headers[header] !== undefined) data[member] = headers[header];
            return data;
        }
        readError(answer) {
            return readError(answer);
        }
    };
    defineOperations(exports.Lambda, ["invoke"]);

    exports.Pinpoint = class Pinpoint extends Service {
        static endpointPrefix = "pinpoint";
        static signingName = "mobiletargeting";
        async build(name, params) {
            const member = {
                putEvents: "EventsRequest",
                sendMessages: "MessageRequest",
                updateEndpoint: "EndpointRequest",
            }[name];
            const needed =
                name === "updateEndpoint" ? ["ApplicationId", "EndpointId", member] : ["ApplicationId", member];
            this.required(name, params, needed);
            const app = `/v1/apps/${escapeUri(params.ApplicationId)}`;
            const path = {
                putEvents: `${app}/events`,
                sendMessages: `${app}/messages`,
                updateEndpoint: `${app}/endpoints/${escapeUri(params.EndpointId ?? "")}`,
            }[name];
            const body = Buffer.from(JSON.stringify(encode(params[member], new Set())), "utf8");
            const headers = { "Content-Type": "application/json" };
            const method = name === "updateEndpoint" ? "PUT" : "POST";
            return { method, endpoint: this.endpoint, path, search: "", query: [], headers, body };
        }
        data(request, answer) {
            const member = {
                putEvents: "EventsResponse",
                sendMessages: "MessageResponse",
                updateEndpoint: "MessageBody",
            };
            return { [member[request.operation]]: JSON.parse(answer.body.toString("utf8") || "{}") };
        }
        readError(answer) {
            return readError(answer);
        }
    };
    defineOperations(exports.Pinpoint, ["putEvents", "sendMessages", "updateEndpoint"]);
}
