// Values on their way to BigQuery and back: the types JSON has not got, rows, and query parameters.
(require, module, exports) => {
    const two = (value) => String(value).padStart(2, "0");
    const join = (parts, separator) => parts.map(two).join(separator);

    class BigQueryTimestamp {
        constructor(value) {
            this.value = new Date(value).toJSON();
        }
    }
    class BigQueryDate {
        constructor(value) {
            this.value = typeof value === "object" ? join([value.year, value.month, value.day], "-") : value;
        }
    }
    const timeOf = ({ hours = 0, minutes = 0, seconds = 0, fractional }) =>
        join([hours, minutes, seconds], ":") + (fractional ? `.${fractional}` : "");
    class BigQueryTime {
        constructor(value) {
            this.value = typeof value === "object" ? timeOf(value) : value;
        }
    }
    class BigQueryDatetime {
        constructor(value) {
            if (typeof value === "object") {
                const time = value.hours ? ` ${timeOf(value)}` : "";
                this.value = join([value.year, value.month, value.day], "-") + time;
            } else {
                this.value = value.replace(/^(.*)T(.*)Z$/, "$1 $2");
            }
        }
    }
    class BigQueryInt extends Number {
        constructor(value) {
            super(value);
            this.type = "BigQueryInt";
            this.value = String(value);
        }
    }
    class Geography {
        constructor(value) {
            this.value = value;
        }
    }
    const own = { BigQueryTimestamp, BigQueryDate, BigQueryTime, BigQueryDatetime, BigQueryInt, Geography };
    const isOwn = (value) => Object.values(own).some((type) => value instanceof type);

    const encode = (value) => {
        if (value === undefined || value === null) return null;
        if (Buffer.isBuffer(value)) return value.toString("base64");
        if (isOwn(value)) return value.value;
        if (value instanceof Date) return value.toJSON();
        if (typeof value === "bigint") return value.toString();
        if (Array.isArray(value)) return value.map(encode);
        if (typeof value === "object") {
            return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]));
        }
        return value;
    };

    const decodeValue = (field, value) => {
        if (value === null || value === undefined) return null;
        if (field.mode === "REPEATED") {
            return value.map((item) => decodeValue({ ...field, mode: "NULLABLE" }, item.v));
        }
        switch (field.type) {
            case "BYTES":
                return Buffer.from(value, "base64");
            case "FLOAT":
            case "FLOAT64":
                return Number(value);
            case "INTEGER":
            case "INT64":
                return Number(value);
            case "BOOLEAN":
            case "BOOL":
                return value.toLowerCase() === "true";
            case "TIMESTAMP":
                return new BigQueryTimestamp(new Date(Number(value) * 1000));
            case "DATE":
                return new BigQueryDate(value);
            case "DATETIME":
                return new BigQueryDatetime(value);
            case "TIME":
                return new BigQueryTime(value);
            case "GEOGRAPHY":
                return new Geography(value);
            case "RECORD":
            case "STRUCT":
                return decodeRow(field, value);
            default:
                return value;
        }
    };
    const decodeRow = (schema, row) =>
        Object.fromEntries(schema.fields.map((field, index) => [field.name, decodeValue(field, row.f[index].v)]));

    const typeOf = (value) => {
        if (value instanceof BigQueryDate) return "DATE";
        if (value instanceof BigQueryDatetime) return "DATETIME";
        if (value instanceof BigQueryTime) return "TIME";
        if (value instanceof BigQueryTimestamp || value instanceof Date) return "TIMESTAMP";
        if (value instanceof Geography) return "GEOGRAPHY";
        if (value instanceof BigQueryInt || typeof value === "bigint") return "INT64";
        if (Buffer.isBuffer(value)) return "BYTES";
        if (typeof value === "boolean") return "BOOL";
        if (typeof value === "number") return Number.isInteger(value) ? "INT64" : "FLOAT64";
        if (typeof value === "string") return "STRING";
        return undefined;
    };
    const parameterType = (value, given) => {
        if (Array.isArray(given)) return { type: "ARRAY", arrayType: parameterType(value?.[0], given[0]) };
        if (typeof given === "string") return { type: given };
        if (Array.isArray(value)) {
            if (value.length === 0) throw new Error("Parameter types must be provided for empty arrays.");
            return { type: "ARRAY", arrayType: parameterType(value[0]) };
        }
        const type = typeOf(value);
        if (type) return { type };
        if (value === null || value === undefined) {
            throw new Error("Parameter types must be provided for null values via the 'types' field in query options.");
        }
        const structTypes = Object.entries(value).map(([name, member]) => ({
            name,
            type: parameterType(member, given?.[name]),
        }));
        return { type: "STRUCT", structTypes };
    };
    const parameterValue = (value, type) => {
        if (type.type === "ARRAY") return { arrayValues: value.map((item) => parameterValue(item, type.arrayType)) };
        if (type.type === "STRUCT") {
            const members = type.structTypes.map(({ name, type: inner }) => [name, parameterValue(value[name], inner)]);
            return { structValues: Object.fromEntries(members) };
        }
        if (type.type === "TIMESTAMP" && value instanceof Date) {
            return { value: value.toJSON().replace("T", " ").replace("Z", "") };
        }
        return { value: encode(value) };
    };

    exports.encode = encode;
    exports.decodeRows = (schema, rows = []) => rows.map((row) => decodeRow(schema, row));
    exports.queryParameter = (value, given) => {
        const parameterTypeFound = parameterType(value, given);
        return { parameterType: parameterTypeFound, parameterValue: parameterValue(value, parameterTypeFound) };
    };
    exports.types = {
        Timestamp: (value) => new BigQueryTimestamp(value),
        Date: (value) => new BigQueryDate(value),
        Time: (value) => new BigQueryTime(value),
        Datetime: (value) => new BigQueryDatetime(value),
        Int: (value) => new BigQueryInt(value),
        Geography: (value) => new Geography(value),
    };
}
