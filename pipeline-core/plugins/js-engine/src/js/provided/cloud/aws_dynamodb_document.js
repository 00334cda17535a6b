// `DynamoDB.DocumentClient`: plain values instead of `{S: "text"}`, in both directions.
(require, module, exports) => {
    const { DynamoDB } = require("./aws_json");
    const { awsError } = require("./aws_service");

    const isBytes = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

    const write = (value, options = {}) => {
        if (value === null) return { NULL: true };
        if (value === undefined) return undefined;
        if (typeof value === "string")
            return value === "" && options.convertEmptyValues ? { NULL: true } : { S: value };
        if (typeof value === "number") {
            if (!Number.isFinite(value)) throw awsError("ValidationException", `DynamoDB has no number ${value}`);
            return { N: String(value) };
        }
        if (typeof value === "bigint") return { N: String(value) };
        if (typeof value === "boolean") return { BOOL: value };
        if (isBytes(value)) return { B: value };
        if (value instanceof Set) {
            const items = [...value];
            if (items.every((item) => typeof item === "string")) return { SS: items };
            if (items.every((item) => typeof item === "number")) return { NS: items.map(String) };
            throw awsError("InvalidSetType", "A set must hold only strings or only numbers");
        }
        if (Array.isArray(value)) return { L: value.map((item) => write(item, options) ?? { NULL: true }) };
        if (typeof value === "object") return { M: writeAll(value, options) };
        throw awsError("ValidationException", `DynamoDB cannot hold a ${typeof value}`);
    };
    const writeAll = (item, options) => {
        const entries = Object.entries(item).map(([name, value]) => [name, write(value, options)]);
        return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    };
    const read = (value) => {
        const [kind, inner] = Object.entries(value)[0];
        switch (kind) {
            case "S":
                return inner;
            case "N":
                return Number(inner);
            case "BOOL":
                return inner;
            case "NULL":
                return null;
            case "B":
                return inner;
            case "L":
                return inner.map(read);
            case "M":
                return readAll(inner);
            case "SS":
                return new Set(inner);
            case "NS":
                return new Set(inner.map(Number));
            case "BS":
                return new Set(inner);
            default:
                throw awsError("UnknownType", `DynamoDB answered with a value of the unknown type ${kind}`);
        }
    };
    const readAll = (item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, read(value)]));

    // Members that hold items or values, wherever they stand in parameters and answers.
    const whole = new Set([
        "Item",
        "Key",
        "ExpressionAttributeValues",
        "ExclusiveStartKey",
        "LastEvaluatedKey",
        "Attributes",
    ]);
    const lists = new Set(["Items", "Keys"]);
    const convert = (value, change) => {
        if (Array.isArray(value)) return value.map((item) => convert(item, change));
        if (typeof value !== "object" || value === null || isBytes(value)) return value;
        return Object.fromEntries(
            Object.entries(value).map(([name, member]) => {
                if (whole.has(name) && member) return [name, change(member)];
                if (lists.has(name) && Array.isArray(member)) return [name, member.map(change)];
                if (name === "Responses" && member) {
                    return [
                        name,
                        Object.fromEntries(Object.entries(member).map(([table, items]) => [table, items.map(change)])),
                    ];
                }
                return [name, convert(member, change)];
            }),
        );
    };

    const names = {
        batchGet: "batchGetItem",
        batchWrite: "batchWriteItem",
        delete: "deleteItem",
        get: "getItem",
        put: "putItem",
        query: "query",
        scan: "scan",
        update: "updateItem",
    };
    class DocumentClient {
        constructor(options = {}) {
            this.options = options;
            this.service =
                options.service ??
                new (class extends DynamoDB {
                    data(request, answer) {
                        return convert(super.data(request, answer), readAll);
                    }
                })(options);
        }
        createSet(items) {
            return new Set(Array.isArray(items) ? items : [items]);
        }
    }
    for (const [name, operation] of Object.entries(names)) {
        DocumentClient.prototype[name] = function (params, callback) {
            const converted = convert(params, (item) => writeAll(item, this.options));
            return this.service.makeRequest(operation, converted, callback);
        };
    }

    exports.DocumentClient = DocumentClient;
    exports.Converter = { input: write, output: read, marshall: writeAll, unmarshall: readAll };
}
