// Where a shim differs from the real package on purpose. Each entry turns the record into what is expected.
module.exports = {
    // The real message tells where an XML parser stumbled; ours shows what came instead.
    "aws_s3: an answer that is not XML": (record) => {
        record.thrown.error.message = "S3 answered with status 400 and no XML: <html>bad gateway";
        return record;
    },
    // The real message is empty; the reasons are only in `errors`.
    "google: bigquery refused rows": (record) => {
        record.thrown.error.message = "BigQuery refused 1 of 2 rows, first row 1: invalid: no such field: x.";
        return record;
    },
    // The real version 8 accepts a token without a signature when no secret is given.
    "jsonwebtoken: verify: unsigned, no secret": ({ requests }) => ({
        requests,
        thrown: { error: { message: "secret or public key must be provided", name: "JsonWebTokenError" } },
    }),
    // Says what to give, too.
    "aws_services: no region": (record) => {
        record.thrown.error.message += ': give `region` to the client, such as "eu-west-1"';
        return record;
    },
};
