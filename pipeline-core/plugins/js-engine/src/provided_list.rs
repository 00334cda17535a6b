// The modules the engine brings, for both sides: the host accepts exactly these names at load, the
// engine has exactly this code. `node` names may be written `node:name` too; `internal` ones are for
// other provided modules and the lazy globals, and no plugin can import them.
provided! {
    node "assert" => "assert.js";
    node "assert/strict" => "assert.js";
    node "buffer" => "buffer.js";
    node "console" => "console_module.js";
    node "crypto" => "crypto.js";
    node "events" => "events.js";
    node "os" => "os.js";
    node "path" => "path.js";
    node "path/posix" => "path.js";
    node "perf_hooks" => "perf_hooks.js";
    node "process" => "process.js";
    node "querystring" => "querystring.js";
    node "stream" => "stream.js";
    node "stream/promises" => "stream_promises.js";
    node "string_decoder" => "string_decoder.js";
    node "timers" => "timers.js";
    node "timers/promises" => "timers_promises.js";
    node "url" => "url.js";
    node "util" => "util.js";
    node "util/types" => "internal/types.js";
    node "zlib" => "zlib.js";
    package "@posthog/plugin-contrib" => "plugin_contrib.js";
    package "@posthog/plugin-scaffold" => "plugin_scaffold.js";
    package "generic-pool" => "generic_pool.js";
    package "node-fetch" => "node_fetch.js";
    package "posthog-plugins" => "plugin_scaffold.js";
    internal "internal/abort" => "internal/abort.js";
    internal "internal/api" => "internal/api.js";
    internal "internal/bodies" => "internal/bodies.js";
    internal "internal/cipher" => "internal/cipher.js";
    internal "internal/clone" => "internal/clone.js";
    internal "internal/date_format" => "internal/date_format.js";
    internal "internal/encoding" => "internal/encoding.js";
    internal "internal/equality" => "internal/equality.js";
    internal "internal/errors" => "internal/errors.js";
    internal "internal/fetch" => "internal/fetch.js";
    internal "internal/inspect" => "internal/inspect.js";
    internal "internal/intl" => "internal/intl.js";
    internal "internal/number_format" => "internal/number_format.js";
    internal "internal/readable" => "internal/readable.js";
    internal "internal/search_params" => "internal/search_params.js";
    internal "internal/web_crypto" => "internal/web_crypto.js";
    internal "internal/web_url" => "internal/web_url.js";
    internal "internal/writable" => "internal/writable.js";
}
