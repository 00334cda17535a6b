//! What each command of the registry does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipeline_core::api::alert::{AlertList, AlertSet, AlertsRequest};
use pipeline_core::api::check::{CheckList, ChecksRequest};
use pipeline_core::api::diff::{
    PluginAccept, PluginDiff, PluginDiffLatest, PluginDiffRequest, PluginVersions, SampleSave, SampleSaved,
};
use pipeline_core::api::event::{Journey, JourneyRequest};
use pipeline_core::api::fault::{FaultList, FaultRequest, FaultsRequest};
use pipeline_core::api::generator::{GeneratorRequest, GeneratorState, ScenarioList, ScenariosRequest};
use pipeline_core::api::ledger::{Audit, AuditRequest, Digest, DigestRequest, Status, StatusRequest};
use pipeline_core::api::live::{DemoRequest, DemoState};
use pipeline_core::api::oracle::{OracleRequest, OracleState};
use pipeline_core::api::plugin::{
    PluginAdd, PluginCalls, PluginCallsRequest, PluginConfigure, PluginDetail, PluginList, PluginLogLine, PluginLogs,
    PluginLogsRequest, PluginOrder, PluginRequest, PluginRun, PluginRunRequest, PluginStorage, PluginStorageRequest,
    PluginStorageSet, PluginView, PluginsRequest,
};
use pipeline_core::api::query::{QueryRequest, QueryResult};
use pipeline_core::api::redrive::{Redrive, RedriveRequest};
use pipeline_core::api::registry::Handlers;
use pipeline_core::api::session::{Link, OpenLinkRequest};
use pipeline_core::api::sink::{SinkAdd, SinkList, SinkRemove, SinkReplay, SinkView, SinksRequest};
use pipeline_core::api::window::{LedgerEvents, LedgerEventsRequest, Windows, WindowsRequest};
use pipeline_core::api::{ApiError, ErrorCode};
use pipeline_core::flow::{DemoControl as _, FaultError, Flow, FlowError, ShadowError, SinkWanted};
use pipeline_core::plugins::PluginError;
use pipeline_core::sinks::{SinkError, SinkKind};
use pipeline_core::store::{QueryLimits, StoreError};
use tokio::sync::watch;

use crate::exported::Exported;
use crate::generator::{self, Generator};
use crate::guard::Guard;

const MAX_ROWS: u64 = 100_000;
const MAX_QUERY_MS: u64 = 60_000;
const LOG_LINES: u64 = 200;
const MOST_WINDOW_S: u32 = 86_400;

/// The state behind the control port.
pub struct Studio {
    pub flow: Arc<Flow>,
    pub generator: Arc<Generator>,
    pub guard: Guard,
    pub control_url: String,
    pub exported: Exported,
    /// Changes once, when the server stops.
    pub stopping: watch::Receiver<bool>,
}

impl Studio {
    /// Runs what blocks on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Flow) -> Result<T, FlowError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let flow = Arc::clone(&self.flow);
        match tokio::task::spawn_blocking(move || work(&flow)).await {
            Ok(result) => result.map_err(|error| api_error(&error)),
            Err(error) => Err(ApiError::new(ErrorCode::Internal, format!("the command failed inside: {error}"))),
        }
    }
}

fn api_error(error: &FlowError) -> ApiError {
    let code = match error {
        FlowError::Store(StoreError::Refused(_)) => ErrorCode::SqlRefused,
        FlowError::Store(StoreError::Sql(_)) => ErrorCode::SqlFailed,
        FlowError::Store(StoreError::TimedOut { .. }) => ErrorCode::SqlTimeout,
        FlowError::Store(StoreError::Rebuilding) => ErrorCode::StoreRebuilding,
        FlowError::Unconfirmed { .. }
        | FlowError::PluginSetting(_)
        | FlowError::AlertSetting(_)
        | FlowError::Plugin(PluginError::NothingWaits(_)) => ErrorCode::BadRequest,
        FlowError::Sink(SinkError::UnknownName(_)) | FlowError::Plugin(PluginError::UnknownPlugin(_)) => {
            ErrorCode::NotFound
        }
        FlowError::Fault(error) => of_fault(error),
        FlowError::Sink(SinkError::NotYet) | FlowError::TaskQueueFull(_) => ErrorCode::Unavailable,
        FlowError::Shadow(error) => of_versions(error),
        FlowError::Plugin(_) => ErrorCode::PluginLoad,
        FlowError::Sink(_) => ErrorCode::SinkRefused,
        _ => ErrorCode::Internal,
    };
    ApiError::new(code, error.to_string()).hint(error.hint())
}

const fn of_fault(error: &FaultError) -> ErrorCode {
    match error {
        FaultError::Unknown(_) | FaultError::UnknownPlugin(_) | FaultError::UnknownSink(_) => ErrorCode::NotFound,
        FaultError::Unnamed
        | FaultError::NoSuchSetting { .. }
        | FaultError::OutOfRange { .. }
        | FaultError::Duration(_) => ErrorCode::BadRequest,
        FaultError::StoreFile(_) => ErrorCode::Internal,
        _ => ErrorCode::Unavailable,
    }
}

const fn of_versions(error: &ShadowError) -> ErrorCode {
    match error {
        ShadowError::UnknownVersion { .. } | ShadowError::UnknownOffset(_) => ErrorCode::NotFound,
        ShadowError::NotLoaded { .. } | ShadowError::NotStarted { .. } => ErrorCode::PluginLoad,
        ShadowError::Superseded | ShadowError::NotProcessed(_) => ErrorCode::Unavailable,
        ShadowError::Damaged { .. } | ShadowError::Archive { .. } => ErrorCode::Internal,
        _ => ErrorCode::BadRequest,
    }
}

impl Handlers for Studio {
    async fn status(&self, _: StatusRequest) -> Result<Status, ApiError> {
        self.blocking(|flow| Ok(flow.status())).await
    }

    async fn windows(&self, request: WindowsRequest) -> Result<Windows, ApiError> {
        if request.length_s.is_some_and(|length_s| length_s == 0 || length_s % 10 != 0 || length_s > MOST_WINDOW_S) {
            return Err(ApiError::new(ErrorCode::BadRequest, "a window has a multiple of ten seconds, a day at most")
                .hint("the ledger is kept by ten seconds; ask for 10, 60, 600 or 3600"));
        }
        self.blocking(move |flow| flow.windows(&request)).await
    }

    async fn ledger_events(&self, request: LedgerEventsRequest) -> Result<LedgerEvents, ApiError> {
        if request.from_ms.is_some() != request.until_ms.is_some() {
            return Err(ApiError::new(ErrorCode::BadRequest, "`from_ms` and `until_ms` belong together")
                .hint("take both from a window, or leave both out"));
        }
        self.blocking(move |flow| flow.ledger_events(&request)).await
    }

    async fn query(&self, request: QueryRequest) -> Result<QueryResult, ApiError> {
        let defaults = QueryLimits::default();
        let limits = QueryLimits {
            max_rows: request.max_rows.unwrap_or(defaults.max_rows).min(MAX_ROWS),
            timeout_ms: request.timeout_ms.unwrap_or(defaults.timeout_ms).min(MAX_QUERY_MS),
        };
        self.blocking(move |flow| flow.query(&request.sql, limits)).await
    }

    async fn plugins(&self, _: PluginsRequest) -> Result<PluginList, ApiError> {
        Ok(PluginList { plugins: self.flow.plugin_views() })
    }

    async fn plugin_add(&self, request: PluginAdd) -> Result<PluginView, ApiError> {
        let dir = PathBuf::from(&request.dir);
        if !dir.is_absolute() {
            return Err(ApiError::new(ErrorCode::BadRequest, format!("{} is not an absolute path", request.dir))
                .hint("the server may run in another folder than you do"));
        }
        self.blocking(move |flow| flow.plugin_add(&dir)).await
    }

    async fn plugin_logs(&self, request: PluginLogsRequest) -> Result<PluginLogs, ApiError> {
        let limit = request.limit.unwrap_or(LOG_LINES).min(MAX_ROWS);
        let known = self.flow.host.views().into_iter().any(|plugin| plugin.id == request.id);
        if !known {
            return Err(ApiError::new(ErrorCode::NotFound, format!("there is no plugin {:?}", request.id))
                .hint("`plugins` lists the ids"));
        }
        // Ids are folder names; a quote in one must not end the literal.
        let id = request.id.replace('\'', "''");
        let sql = format!(
            "SELECT epoch_ms(timestamp), version, source, type, message FROM plugin_logs WHERE plugin_id = '{id}' \
             ORDER BY timestamp DESC, _offset DESC LIMIT {limit}"
        );
        let result = self.blocking(move |flow| flow.query(&sql, QueryLimits::default())).await?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let lines = result
            .rows
            .iter()
            .rev()
            .map(|row| PluginLogLine {
                at_ms: row[0].as_i64().unwrap_or_default(),
                version: text(&row[1]),
                source: text(&row[2]),
                level: text(&row[3]),
                message: text(&row[4]),
            })
            .collect();
        Ok(PluginLogs { lines })
    }

    async fn plugin_detail(&self, request: PluginRequest) -> Result<PluginDetail, ApiError> {
        self.blocking(move |flow| flow.plugin_detail(&request.id)).await
    }

    async fn plugin_configure(&self, request: PluginConfigure) -> Result<PluginDetail, ApiError> {
        self.blocking(move |flow| flow.plugin_configure(request)).await
    }

    async fn plugin_remove(&self, request: PluginRequest) -> Result<PluginList, ApiError> {
        self.blocking(move |flow| flow.plugin_remove(&request.id)).await
    }

    async fn plugin_order(&self, request: PluginOrder) -> Result<PluginList, ApiError> {
        self.blocking(move |flow| flow.plugin_order(request.ids)).await
    }

    async fn plugin_run(&self, request: PluginRunRequest) -> Result<PluginRun, ApiError> {
        self.blocking(move |flow| flow.plugin_run(request)).await
    }

    async fn plugin_calls(&self, request: PluginCallsRequest) -> Result<PluginCalls, ApiError> {
        self.blocking(move |flow| flow.plugin_calls(&request)).await
    }

    async fn plugin_storage(&self, request: PluginStorageRequest) -> Result<PluginStorage, ApiError> {
        self.blocking(move |flow| flow.plugin_storage(&request)).await
    }

    async fn plugin_storage_set(&self, request: PluginStorageSet) -> Result<PluginStorage, ApiError> {
        self.blocking(move |flow| flow.plugin_storage_set(request)).await
    }

    async fn plugin_diff(&self, request: PluginDiffRequest) -> Result<PluginDiff, ApiError> {
        if let Some(dir) = request.dir.as_deref().filter(|dir| !Path::new(dir).is_absolute()) {
            return Err(ApiError::new(ErrorCode::BadRequest, format!("{dir} is not an absolute path"))
                .hint("the server may run in another folder than you do"));
        }
        self.blocking(move |flow| flow.plugin_diff(&request)).await
    }

    async fn plugin_diff_latest(&self, request: PluginRequest) -> Result<PluginDiffLatest, ApiError> {
        self.blocking(move |flow| flow.plugin_diff_latest(&request.id)).await
    }

    async fn plugin_versions(&self, request: PluginRequest) -> Result<PluginVersions, ApiError> {
        self.blocking(move |flow| flow.plugin_versions(&request.id)).await
    }

    async fn plugin_promote(&self, request: PluginRequest) -> Result<PluginView, ApiError> {
        self.blocking(move |flow| flow.plugin_promote(&request.id)).await
    }

    async fn plugin_discard(&self, request: PluginRequest) -> Result<PluginView, ApiError> {
        self.blocking(move |flow| flow.plugin_discard(&request.id)).await
    }

    async fn plugin_accept(&self, request: PluginRequest) -> Result<PluginAccept, ApiError> {
        self.blocking(move |flow| flow.plugin_accept(&request.id)).await
    }

    async fn sample_save(&self, request: SampleSave) -> Result<SampleSaved, ApiError> {
        self.blocking(move |flow| flow.sample_save(&request)).await
    }

    async fn redrive(&self, request: RedriveRequest) -> Result<Redrive, ApiError> {
        self.blocking(move |flow| flow.redrive(&request)).await
    }

    async fn sinks(&self, _: SinksRequest) -> Result<SinkList, ApiError> {
        self.blocking(|flow| Ok(SinkList { sinks: flow.sinks.views() })).await
    }

    async fn sink_add(&self, request: SinkAdd) -> Result<SinkView, ApiError> {
        let SinkAdd { kind, target, name, from_start, max_attempts } = request;
        self.blocking(move |flow| {
            let kind = SinkKind::from_name(&kind).ok_or(SinkError::UnknownKind(kind))?;
            let start = from_start.then_some(0);
            Ok(flow.sinks.add(&SinkWanted { kind, target, name, start, max_attempts })?)
        })
        .await
    }

    async fn sink_replay(&self, request: SinkReplay) -> Result<SinkView, ApiError> {
        self.blocking(move |flow| Ok(flow.sinks.replay(&request.name, request.from_ms)?)).await
    }

    async fn sink_remove(&self, request: SinkRemove) -> Result<SinkView, ApiError> {
        self.blocking(move |flow| Ok(flow.sinks.remove(&request.name)?)).await
    }

    async fn journey(&self, request: JourneyRequest) -> Result<Journey, ApiError> {
        let offset = request.offset;
        let journey = self.blocking(move |flow| flow.journey(offset)).await?;
        journey.ok_or_else(|| {
            ApiError::new(ErrorCode::NotFound, format!("no event has the offset {offset}"))
                .hint("`_offset` of a query is an event's offset; those of refused requests have no event")
        })
    }

    async fn demo(&self, request: DemoRequest) -> Result<DemoState, ApiError> {
        self.generator.set_demo(request)?;
        Ok(self.generator.state())
    }

    async fn scenarios(&self, _: ScenariosRequest) -> Result<ScenarioList, ApiError> {
        Ok(generator::scenarios())
    }

    async fn generator(&self, request: GeneratorRequest) -> Result<GeneratorState, ApiError> {
        self.generator.set(request)?;
        Ok(self.generator.generator_state())
    }

    async fn oracle(&self, request: OracleRequest) -> Result<OracleState, ApiError> {
        Ok(self.flow.oracle.command(&request))
    }

    async fn faults(&self, _: FaultsRequest) -> Result<FaultList, ApiError> {
        self.blocking(|flow| Ok(flow.faults())).await
    }

    async fn fault(&self, request: FaultRequest) -> Result<FaultList, ApiError> {
        self.blocking(move |flow| flow.fault(&request)).await
    }

    async fn checks(&self, request: ChecksRequest) -> Result<CheckList, ApiError> {
        self.blocking(move |flow| Ok(if request.run { flow.checks.run_all() } else { flow.checks.list() })).await
    }

    async fn alerts(&self, _: AlertsRequest) -> Result<AlertList, ApiError> {
        Ok(self.flow.alerts.list())
    }

    async fn alert_set(&self, request: AlertSet) -> Result<AlertList, ApiError> {
        self.blocking(move |flow| flow.alert_set(&request)).await
    }

    async fn audit(&self, _: AuditRequest) -> Result<Audit, ApiError> {
        self.blocking(Flow::audit).await
    }

    async fn open_link(&self, _: OpenLinkRequest) -> Result<Link, ApiError> {
        Ok(Link { url: format!("{}/#code={}", self.control_url, self.guard.new_code()) })
    }

    async fn digest(&self, _: DigestRequest) -> Result<Digest, ApiError> {
        self.blocking(Flow::digest).await
    }
}
