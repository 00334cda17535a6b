// `s3.upload`: one `putObject` for a small body, the parts of a multipart upload for a large one. Parts that
// were sent are given up when one of them fails for good, so that nobody pays for them.
(require, module, exports) => {
    const { awsError } = require("./aws_service");
    const { operations } = require("./aws_s3_model");
    const { collect } = require("./body");

    const leastPartBytes = 5 * 1024 * 1024;
    const mostParts = 10000;

    class ManagedUpload {
        constructor({ service, params, partSize = leastPartBytes, queueSize = 4, leavePartsOnError = false } = {}) {
            if (!params?.Bucket || !params.Key) {
                const missing = params?.Bucket ? "Key" : "Bucket";
                throw awsError("MissingRequiredParameter", `Missing required key '${missing}' in params of upload`);
            }
            if (partSize < leastPartBytes) {
                throw awsError("InvalidPartSize", `partSize must be greater than ${leastPartBytes}`);
            }
            Object.assign(this, { service, params, partSize, queueSize, leavePartsOnError, handlers: [] });
        }
        on(event, handler) {
            if (event === "httpUploadProgress") this.handlers.push(handler);
            return this;
        }
        abort() {
            this.aborted = true;
        }
        send(callback) {
            this.promise().then(
                (data) => callback?.(null, data),
                (error) => callback?.(error),
            );
        }
        promise() {
            this.outcome ??= this.run();
            return this.outcome;
        }
        progress(loaded, total, part) {
            for (const handler of this.handlers) handler.call(this, { loaded, total, part, key: this.params.Key });
        }
        stopIfAborted() {
            if (this.aborted) throw awsError("RequestAbortedError", "Request aborted by user", { retryable: false });
        }
        async run() {
            if (this.params.Body === undefined || this.params.Body === null) {
                throw awsError("InvalidParameter", "params.Body is required");
            }
            const body = await collect(this.params.Body, "params.Body");
            this.stopIfAborted();
            if (body.length <= this.partSize) {
                const request = this.service.putObject({ ...this.params, Body: body });
                const data = await request.promise();
                this.progress(body.length, body.length, 1);
                const { endpoint, path } = request.httpRequest;
                return this.result({ ...data, Location: `${endpoint.protocol}//${endpoint.host}${path}` });
            }
            return this.sendParts(body);
        }
        result(data) {
            const { Bucket, Key } = this.params;
            return { ...data, key: Key, Key, Bucket };
        }
        // The given parameters that an operation knows.
        only(operation, more) {
            const known = Object.entries(this.params).filter(([name]) => operations[operation].members.has(name));
            return { ...Object.fromEntries(known), ...more };
        }
        async sendParts(body) {
            const partBytes = Math.max(this.partSize, Math.ceil(body.length / mostParts));
            const count = Math.ceil(body.length / partBytes);
            const { UploadId } = await this.service.createMultipartUpload(this.only("createMultipartUpload")).promise();
            const parts = new Array(count);
            let next = 0;
            let loaded = 0;
            let failed = false;
            const lane = async () => {
                while (next < count && !failed) {
                    this.stopIfAborted();
                    const index = next;
                    next += 1;
                    const Body = body.subarray(index * partBytes, (index + 1) * partBytes);
                    const params = this.only("uploadPart", { Body, PartNumber: index + 1, UploadId });
                    const { ETag } = await this.service.uploadPart(params).promise();
                    if (!ETag)
                        throw awsError("ETagMissing", `No access to ETag property on the answer to part ${index + 1}`);
                    parts[index] = { ETag, PartNumber: index + 1 };
                    loaded += Body.length;
                    this.progress(loaded, body.length, index + 1);
                }
            };
            try {
                const lanes = Array.from({ length: Math.min(this.queueSize, count) }, lane);
                // Parts still on their way would outlive the upload, so all lanes come to rest first.
                const ends = await Promise.allSettled(
                    lanes.map((one) =>
                        one.catch((error) => {
                            failed = true;
                            throw error;
                        }),
                    ),
                );
                const broken = ends.find(({ status }) => status === "rejected");
                if (broken) throw broken.reason;
                const complete = this.only("completeMultipartUpload", { UploadId, MultipartUpload: { Parts: parts } });
                delete complete.Body;
                return await this.service.completeMultipartUpload(complete).promise();
            } catch (error) {
                if (!this.leavePartsOnError) {
                    await this.service
                        .abortMultipartUpload(this.only("abortMultipartUpload", { UploadId }))
                        .promise()
                        .catch(() => {});
                }
                throw error;
            }
        }
    }
    exports.ManagedUpload = ManagedUpload;
}
