import { createHash } from 'crypto'
import { gzipSync } from 'zlib'
import { type Plugin, type ProcessedPluginEvent, RetryError } from '@posthog/plugin-scaffold'
import { S3 } from 'aws-sdk'

type ExportPlugin = Plugin<{
    config: {
        bucket?: string
        region?: string
        prefix?: string
        endpoint?: string
        access_key_id?: string
        secret_access_key?: string
    }
    global: { s3: S3 }
}>

export const setupPlugin: ExportPlugin['setupPlugin'] = ({ config, global }) => {
    for (const key of ['bucket', 'region', 'access_key_id', 'secret_access_key'] as const) {
        if (!config[key]) throw new Error(`"${key}" is empty; the export needs it`)
    }
    global.s3 = new S3({
        region: config.region,
        accessKeyId: config.access_key_id,
        secretAccessKey: config.secret_access_key,
        // Most services that are not Amazon have the bucket in the path and not in the host's name.
        ...(config.endpoint ? { endpoint: config.endpoint, s3ForcePathStyle: true } : {}),
        // The host tries again after a RetryError, and later than the client would.
        maxRetries: 0,
    })
}

// The host collects events and calls this once a file is full or old enough.
export const exportEvents: ExportPlugin['exportEvents'] = async (events, { config, global }) => {
    const lines = events.map((event) => JSON.stringify(row(event))).join('\n') + '\n'
    const key = keyOf(config.prefix ?? '', events[0], lines)
    const file = { Bucket: config.bucket!, Key: key, Body: gzipSync(lines), ContentType: 'application/x-ndjson' }
    try {
        await global.s3.putObject({ ...file, ContentEncoding: 'gzip' }).promise()
    } catch (error) {
        const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string }
        if (statusCode !== undefined && statusCode < 500 && statusCode !== 429) {
            // Wrong keys or a bucket that is not there: nothing that waiting would mend.
            throw new Error(`S3 refused ${key}: ${code ?? statusCode}: ${message}`)
        }
        throw new RetryError(`S3 did not take ${key}: ${message}`)
    }
    console.info(`${events.length} events to s3://${config.bucket}/${key}`)
}

function row(event: ProcessedPluginEvent) {
    const { uuid, event: name, distinct_id, timestamp, properties, $set, $set_once, ip } = event
    return { uuid, event: name, distinct_id, timestamp, ip, properties, $set, $set_once }
}

/** From time and content, so that a second attempt replaces the file of the first. */
function keyOf(prefix: string, first: ProcessedPluginEvent, lines: string): string {
    const time = new Date(first.timestamp ?? Date.now()).toISOString()
    const name = createHash('sha256').update(lines).digest('hex').slice(0, 16)
    const path = [prefix, time.slice(0, 10), time.slice(11, 13), `${name}.jsonl.gz`]
    return path.filter((part) => part !== '').join('/')
}
