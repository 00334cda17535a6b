// The operations of S3 as data: which member goes where. Names of members and headers are those of the
// service's published API.
(require, module, exports) => {
    const requestHeaders = {
        ACL: "x-amz-acl",
        BucketKeyEnabled: "x-amz-server-side-encryption-bucket-key-enabled",
        BypassGovernanceRetention: "x-amz-bypass-governance-retention",
        CacheControl: "Cache-Control",
        ContentDisposition: "Content-Disposition",
        ContentEncoding: "Content-Encoding",
        ContentLanguage: "Content-Language",
        ContentLength: "Content-Length",
        ContentMD5: "Content-MD5",
        ContentType: "Content-Type",
        CopySource: "x-amz-copy-source",
        CopySourceIfMatch: "x-amz-copy-source-if-match",
        CopySourceIfNoneMatch: "x-amz-copy-source-if-none-match",
        ExpectedBucketOwner: "x-amz-expected-bucket-owner",
        Expires: "Expires",
        GrantFullControl: "x-amz-grant-full-control",
        GrantRead: "x-amz-grant-read",
        GrantReadACP: "x-amz-grant-read-acp",
        GrantWriteACP: "x-amz-grant-write-acp",
        IfMatch: "If-Match",
        IfModifiedSince: "If-Modified-Since",
        IfNoneMatch: "If-None-Match",
        IfUnmodifiedSince: "If-Unmodified-Since",
        MetadataDirective: "x-amz-metadata-directive",
        ObjectLockLegalHoldStatus: "x-amz-object-lock-legal-hold",
        ObjectLockMode: "x-amz-object-lock-mode",
        Range: "Range",
        RequestPayer: "x-amz-request-payer",
        SSECustomerAlgorithm: "x-amz-server-side-encryption-customer-algorithm",
        SSECustomerKey: "x-amz-server-side-encryption-customer-key",
        SSECustomerKeyMD5: "x-amz-server-side-encryption-customer-key-MD5",
        SSEKMSEncryptionContext: "x-amz-server-side-encryption-context",
        SSEKMSKeyId: "x-amz-server-side-encryption-aws-kms-key-id",
        ServerSideEncryption: "x-amz-server-side-encryption",
        StorageClass: "x-amz-storage-class",
        Tagging: "x-amz-tagging",
        TaggingDirective: "x-amz-tagging-directive",
        WebsiteRedirectLocation: "x-amz-website-redirect-location",
    };
    const queryNames = {
        ContinuationToken: "continuation-token",
        Delimiter: "delimiter",
        EncodingType: "encoding-type",
        FetchOwner: "fetch-owner",
        Marker: "marker",
        MaxKeys: "max-keys",
        MaxParts: "max-parts",
        PartNumber: "partNumber",
        PartNumberMarker: "part-number-marker",
        Prefix: "prefix",
        ResponseCacheControl: "response-cache-control",
        ResponseContentDisposition: "response-content-disposition",
        ResponseContentEncoding: "response-content-encoding",
        ResponseContentLanguage: "response-content-language",
        ResponseContentType: "response-content-type",
        ResponseExpires: "response-expires",
        StartAfter: "start-after",
        UploadId: "uploadId",
        VersionId: "versionId",
    };

    const customerKey = "SSECustomerAlgorithm SSECustomerKey SSECustomerKeyMD5";
    const stored =
        "ACL CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType Expires " +
        "GrantFullControl GrantRead GrantReadACP GrantWriteACP Metadata ServerSideEncryption StorageClass " +
        "WebsiteRedirectLocation SSEKMSKeyId SSEKMSEncryptionContext BucketKeyEnabled Tagging ObjectLockMode " +
        `ObjectLockLegalHoldStatus ${customerKey}`;
    const read =
        "IfMatch IfModifiedSince IfNoneMatch IfUnmodifiedSince Range ResponseCacheControl " +
        "ResponseContentDisposition ResponseContentEncoding ResponseContentLanguage ResponseContentType " +
        `ResponseExpires VersionId PartNumber ${customerKey}`;
    const always = "RequestPayer ExpectedBucketOwner";

    const text = "text",
        number = "number",
        boolean = "boolean",
        date = "date";
    const owner = { DisplayName: text, ID: text };
    const objects = [
        {
            Key: text,
            LastModified: date,
            ETag: text,
            ChecksumAlgorithm: [text],
            Size: number,
            StorageClass: text,
            Owner: owner,
        },
    ];
    const listing = {
        IsTruncated: boolean,
        Contents: objects,
        Name: text,
        Prefix: text,
        Delimiter: text,
        MaxKeys: number,
        CommonPrefixes: [{ Prefix: text }],
        EncodingType: text,
    };

    const operation = (method, where, members, more = {}) => {
        const [target, fixed = ""] = where.split("?");
        const required = [...target.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
        const query = fixed === "" ? [] : fixed.split("&").map((pair) => pair.split("="));
        return {
            method,
            query,
            answer: "written",
            ...more,
            members: new Set(`${required.join(" ")} ${members} ${always}`.split(" ").filter(Boolean)),
            required: [...required, ...(more.required ?? [])],
        };
    };
    const object = "{Bucket}{Key}",
        bucket = "{Bucket}";

    exports.operations = {
        abortMultipartUpload: operation("DELETE", object, "UploadId", { required: ["UploadId"] }),
        completeMultipartUpload: operation("POST", object, `UploadId MultipartUpload IfNoneMatch ${customerKey}`, {
            required: ["UploadId"],
            payload: "MultipartUpload",
            root: "CompleteMultipartUpload",
            order: { CompleteMultipartUpload: { Parts: "Part" }, Part: ["ETag", "PartNumber"] },
            xml: { Location: text, Bucket: text, Key: text, ETag: text },
        }),
        copyObject: operation(
            "PUT",
            object,
            `CopySource CopySourceIfMatch CopySourceIfNoneMatch MetadataDirective TaggingDirective ${stored}`,
            { required: ["CopySource"], xml: { ETag: text, LastModified: date }, wrap: "CopyObjectResult" },
        ),
        createBucket: operation("PUT", bucket, "ACL CreateBucketConfiguration", {
            payload: "CreateBucketConfiguration",
            root: "CreateBucketConfiguration",
        }),
        createMultipartUpload: operation("POST", `${object}?uploads`, stored, {
            xml: { Bucket: text, Key: text, UploadId: text },
        }),
        deleteBucket: operation("DELETE", bucket, ""),
        deleteObject: operation("DELETE", object, "VersionId BypassGovernanceRetention"),
        deleteObjects: operation("POST", `${bucket}?delete`, "Delete BypassGovernanceRetention", {
            required: ["Delete"],
            payload: "Delete",
            root: "Delete",
            needsDigest: true,
            xml: {
                Deleted: [{ Key: text, VersionId: text, DeleteMarker: boolean, DeleteMarkerVersionId: text }],
                Error: [{ Key: text, VersionId: text, Code: text, Message: text }],
            },
            rename: { Error: "Errors" },
        }),
        getBucketLocation: operation("GET", `${bucket}?location`, "", { answer: "location" }),
        getObject: operation("GET", object, read, { answer: "object" }),
        headBucket: operation("HEAD", bucket, ""),
        headObject: operation("HEAD", object, read, { answer: "object" }),
        listBuckets: operation("GET", "", "", { answer: "buckets" }),
        listObjects: operation("GET", bucket, "Delimiter EncodingType Marker MaxKeys Prefix", {
            xml: { ...listing, Marker: text, NextMarker: text },
        }),
        listObjectsV2: operation(
            "GET",
            `${bucket}?list-type=2`,
            "ContinuationToken Delimiter EncodingType FetchOwner MaxKeys Prefix StartAfter",
            {
                xml: {
                    ...listing,
                    KeyCount: number,
                    ContinuationToken: text,
                    NextContinuationToken: text,
                    StartAfter: text,
                },
            },
        ),
        listParts: operation("GET", object, `MaxParts PartNumberMarker UploadId ${customerKey}`, {
            required: ["UploadId"],
            xml: {
                Bucket: text,
                Key: text,
                UploadId: text,
                PartNumberMarker: number,
                NextPartNumberMarker: number,
                MaxParts: number,
                IsTruncated: boolean,
                StorageClass: text,
                Owner: owner,
                Part: [{ PartNumber: number, LastModified: date, ETag: text, Size: number }],
            },
            rename: { Part: "Parts" },
        }),
        putObject: operation("PUT", object, `Body ContentLength ContentMD5 IfNoneMatch ${stored}`, { payload: "Body" }),
        uploadPart: operation("PUT", object, `Body ContentLength ContentMD5 PartNumber UploadId ${customerKey}`, {
            required: ["PartNumber", "UploadId"],
            payload: "Body",
        }),
    };

    // What an answer's headers become. `object` answers carry all of them, the others only those of S3's own.
    exports.answerHeaders = [
        ["AcceptRanges", "accept-ranges", text],
        ["LastModified", "last-modified", date],
        ["ContentLength", "content-length", number],
        ["CacheControl", "cache-control", text],
        ["ContentDisposition", "content-disposition", text],
        ["ContentEncoding", "content-encoding", text],
        ["ContentLanguage", "content-language", text],
        ["ContentRange", "content-range", text],
        ["ContentType", "content-type", text],
        ["Expires", "expires", date],
        ["StorageClass", "x-amz-storage-class", text],
        ["ReplicationStatus", "x-amz-replication-status", text],
        ["PartsCount", "x-amz-mp-parts-count", number],
        ["ETag", "etag", text],
        ["DeleteMarker", "x-amz-delete-marker", boolean],
        ["Expiration", "x-amz-expiration", text],
        ["VersionId", "x-amz-version-id", text],
        ["ServerSideEncryption", "x-amz-server-side-encryption", text],
        ["SSECustomerAlgorithm", "x-amz-server-side-encryption-customer-algorithm", text],
        ["SSECustomerKeyMD5", "x-amz-server-side-encryption-customer-key-md5", text],
        ["SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id", text],
        ["BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled", boolean],
        ["RequestCharged", "x-amz-request-charged", text],
    ];
    exports.ownHeaders = exports.answerHeaders.filter(
        ([name, header]) => name === "ETag" || header.startsWith("x-amz-"),
    );
    exports.listedBuckets = { Buckets: { Bucket: [{ Name: text, CreationDate: date }] }, Owner: owner };
    Object.assign(exports, { requestHeaders, queryNames });
}
