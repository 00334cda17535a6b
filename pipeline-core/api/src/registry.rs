//! The registry. Add a command here and the compiler asks the server for its handler, while the
//! client, the page and `docs/api.md` have it already.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ApiError, Command, CommandSpec, ErrorCode, alert, check, diff, event, fault, generator, ledger, live, oracle,
    plugin, query, redrive, session, sink, window,
};

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $method:ident $type:ident ($request:path) -> $response:path;)*) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy)]
            pub struct $type;
            impl Command for $type {
                const NAME: &'static str = stringify!($method);
                type Request = $request;
                type Response = $response;
            }
        )*
        /// Every command, in the order of the documentation.
        pub const COMMANDS: &[CommandSpec] = &[$(CommandSpec {
            name: stringify!($method),
            summary: concat!($($doc),+),
            request: stringify!($request),
            response: stringify!($response),
        }),*];

        /// One method per command. A server implements it once, and is complete or does not compile.
        pub trait Handlers: Send + Sync {
            $(
                $(#[doc = $doc])+
                fn $method(
                    &self,
                    request: $request,
                ) -> impl Future<Output = Result<$response, ApiError>> + Send;
            )*
        }

        /// Runs the command called `name` on a JSON body; `None` when there is no such command.
        pub async fn dispatch<H: Handlers>(
            handlers: &H,
            name: &str,
            body: &[u8],
        ) -> Option<Result<Vec<u8>, ApiError>> {
            match name {
                $(stringify!($method) => Some(match decode::<$request>(body) {
                    Ok(request) => handlers.$method(request).await.and_then(|response| encode(&response)),
                    Err(error) => Err(error),
                }),)*
                _ => None,
            }
        }
    };
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(ErrorCode::BadRequest, format!("the request body does not fit this command: {error}"))
            .hint("docs/api.md lists the fields of every command")
    })
}

fn encode<T: Serialize>(response: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(response)
        .map_err(|error| ApiError::new(ErrorCode::Internal, format!("the response cannot be written as JSON: {error}")))
}

commands! {
    /// The ledger, the queues and the plugins, at one moment.
    status Status (ledger::StatusRequest) -> ledger::Status;
    /// The ledger by time; every window sums to zero unexplained.
    windows Windows (window::WindowsRequest) -> window::Windows;
    /// The events that a number of the ledger counts.
    ledger_events LedgerEvents (window::LedgerEventsRequest) -> window::LedgerEvents;
    /// One read-only SQL statement on the store.
    query Query (query::QueryRequest) -> query::QueryResult;
    /// The chain of plugins with state, version, budgets and last error.
    plugins Plugins (plugin::PluginsRequest) -> plugin::PluginList;
    /// Adds a plugin folder to the end of the chain and watches it.
    plugin_add PluginAdd (plugin::PluginAdd) -> plugin::PluginView;
    /// The newest log lines of a plugin.
    plugin_logs PluginLogs (plugin::PluginLogsRequest) -> plugin::PluginLogs;
    /// Everything about a plugin that can be set or looked into; values of secrets are masked.
    plugin_detail PluginDetail (plugin::PluginRequest) -> plugin::PluginDetail;
    /// Sets config values, attachments, HTTP, limits or whether a plugin is on; what is left out stays.
    plugin_configure PluginConfigure (plugin::PluginConfigure) -> plugin::PluginDetail;
    /// Takes a plugin out of the chain; its folder and what it stored stay.
    plugin_remove PluginRemove (plugin::PluginRequest) -> plugin::PluginList;
    /// Puts the chain into another order.
    plugin_order PluginOrder (plugin::PluginOrder) -> plugin::PluginList;
    /// Runs a schedule or job of a plugin now and waits for its end.
    plugin_run PluginRun (plugin::PluginRunRequest) -> plugin::PluginRun;
    /// The newest requests of a plugin to other machines or its mocks, with their answers.
    plugin_calls PluginCalls (plugin::PluginCallsRequest) -> plugin::PluginCalls;
    /// What a plugin keeps in its storage or cache.
    plugin_storage PluginStorage (plugin::PluginStorageRequest) -> plugin::PluginStorage;
    /// Sets or deletes one key of a plugin's storage or cache.
    plugin_storage_set PluginStorageSet (plugin::PluginStorageSet) -> plugin::PluginStorage;
    /// What one version of a plugin does otherwise than another, over the newest events and the plugin's samples.
    plugin_diff PluginDiff (diff::PluginDiffRequest) -> diff::PluginDiff;
    /// What the newest version of a plugin changed, as far as it is known.
    plugin_diff_latest PluginDiffLatest (plugin::PluginRequest) -> diff::PluginDiffLatest;
    /// Versions of a plugin that were live and are kept, newest first, and the one that waits.
    plugin_versions PluginVersions (plugin::PluginRequest) -> diff::PluginVersions;
    /// Makes the version live that waits.
    plugin_promote PluginPromote (plugin::PluginRequest) -> plugin::PluginView;
    /// Forgets the version that waits; the folder stays as it is.
    plugin_discard PluginDiscard (plugin::PluginRequest) -> plugin::PluginView;
    /// Writes what the folder's version makes of the plugin's samples into them, as what is expected.
    plugin_accept PluginAccept (plugin::PluginRequest) -> diff::PluginAccept;
    /// Saves events as a sample: a fixture in the plugin's folder, with config, storage, answers and expectation.
    sample_save SampleSave (diff::SampleSave) -> diff::SampleSaved;
    /// Counts dead letters, or sends as many as are confirmed through the plugins once more.
    redrive Redrive (redrive::RedriveRequest) -> redrive::Redrive;
    /// The sinks, each with its cursor and its ledger.
    sinks Sinks (sink::SinksRequest) -> sink::SinkList;
    /// Adds a sink: stored events go there from now on, or from the start.
    sink_add SinkAdd (sink::SinkAdd) -> sink::SinkView;
    /// Sends a sink, or a plugin's exports, what is stored once more, from a moment on.
    sink_replay SinkReplay (sink::SinkReplay) -> sink::SinkView;
    /// Takes a sink away; what it delivered stays where it is.
    sink_remove SinkRemove (sink::SinkRemove) -> sink::SinkView;
    /// One recent event, stage by stage, with its form before and after each plugin.
    journey Journey (event::JourneyRequest) -> event::Journey;
    /// Starts, stops or re-paces the stream that is chosen; at first that is the demo, the web shop.
    demo Demo (live::DemoRequest) -> live::DemoState;
    /// Starts or stops the oracle, and what it has found so far.
    oracle Oracle (oracle::OracleRequest) -> oracle::OracleState;
    /// The SQL checks, each with its state and the first rows that must not be; runs them all first if that is asked for.
    checks Checks (check::ChecksRequest) -> check::CheckList;
    /// What is firing, what fired, and the rules with their thresholds.
    alerts Alerts (alert::AlertsRequest) -> alert::AlertList;
    /// Sets the threshold of a rule, or turns it on or off.
    alert_set AlertSet (alert::AlertSet) -> alert::AlertList;
    /// The synthetic streams that can be sent, and the kinds of mess that can be turned up and down.
    scenarios Scenarios (generator::ScenariosRequest) -> generator::ScenarioList;
    /// Chooses, starts, stops or changes a synthetic stream, and says how it goes; without fields it only says so.
    generator Generator (generator::GeneratorRequest) -> generator::GeneratorState;
    /// What can be made to go wrong on purpose, and what is being made to.
    faults Faults (fault::FaultsRequest) -> fault::FaultList;
    /// Starts or stops a fault, or stops all of them.
    fault Fault (fault::FaultRequest) -> fault::FaultList;
    /// Recounts the logs against the store and reports every difference.
    audit Audit (ledger::AuditRequest) -> ledger::Audit;
    /// A link that opens the studio in a browser; it holds a code that works once.
    open_link OpenLink (session::OpenLinkRequest) -> session::Link;
    /// Order-independent digests of the store's current state.
    digest Digest (ledger::DigestRequest) -> ledger::Digest;
}
