// The services that speak form fields and answer in XML: SNS and SES.
(require, module, exports) => {
    const { Service, defineOperations } = require("./aws_service");
    const { escapeUri } = require("./aws_signature");
    const xml = require("./aws_xml");

    const fieldsOf = (value, name, out) => {
        if (value === undefined || value === null) return;
        if (Array.isArray(value)) value.forEach((item, index) => fieldsOf(item, `${name}.member.${index + 1}`, out));
        else if (ArrayBuffer.isView(value)) out.push([name, Buffer.from(value).toString("base64")]);
        else if (value instanceof Date) out.push([name, value.toISOString().replace(/\.\d{3}Z$/, "Z")]);
        else if (typeof value !== "object") out.push([name, String(value)]);
        else if (name === "MessageAttributes") {
            // The one map of these services: its entries are numbered.
            Object.entries(value).forEach(([key, member], index) => {
                out.push([`${name}.entry.${index + 1}.Name`, key]);
                fieldsOf(member, `${name}.entry.${index + 1}.Value`, out);
            });
        } else
            for (const [key, member] of Object.entries(value))
                fieldsOf(member, name === "" ? key : `${name}.${key}`, out);
    };
    const upper = (name) => name[0].toUpperCase() + name.slice(1);

    class QueryService extends Service {
        async build(name, params) {
            const { version, operations } = this.constructor;
            this.required(name, params, operations[name].required);
            const fields = [
                ["Action", upper(name)],
                ["Version", version],
            ];
            fieldsOf(params, "", fields);
            const form = fields
                .sort((a, b) => (a[0] < b[0] ? -1 : 1))
                .map((pair) => pair.map(escapeUri).join("="))
                .join("&");
            const headers = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
            return {
                method: "POST",
                endpoint: this.endpoint,
                path: "/",
                search: "",
                query: [],
                headers,
                body: Buffer.from(form),
            };
        }
        data(request, answer) {
            const { operation } = request;
            const root = xml.parse(answer.body.toString("utf8"));
            const metadata = xml.first(root, "ResponseMetadata");
            const result = xml.first(root, `${upper(operation)}Result`) ?? { children: [], text: "" };
            const data = xml.read(result, this.constructor.operations[operation].answer);
            return { ResponseMetadata: { RequestId: xml.textOf(metadata, "RequestId") }, ...data };
        }
        readError(answer) {
            try {
                const root = xml.parse(answer.body.toString("utf8"));
                const error = xml.first(root, "Error") ?? xml.first(xml.first(root, "Errors"), "Error");
                const requestId = xml.textOf(root, "RequestId");
                return {
                    code: xml.textOf(error, "Code"),
                    message: xml.textOf(error, "Message"),
                    ...(requestId && { requestId }),
                };
            } catch {
                return { code: String(answer.statusCode), message: null };
            }
        }
    }

    const queryService = (name, endpointPrefix, signingName, version, operations) => {
        const service = {
            [name]: class extends QueryService {
                static endpointPrefix = endpointPrefix;
                static signingName = signingName;
                static version = version;
                static operations = operations;
            },
        }[name];
        defineOperations(service, Object.keys(operations));
        return service;
    };

    const sent = { MessageId: "text" };
    exports.SNS = queryService("SNS", "sns", "sns", "2010-03-31", {
        publish: { required: ["Message"], answer: { ...sent, SequenceNumber: "text" } },
    });
    exports.SES = queryService("SES", "email", "ses", "2010-12-01", {
        sendEmail: { required: ["Source", "Destination", "Message"], answer: sent },
        sendRawEmail: { required: ["RawMessage"], answer: sent },
    });
}
