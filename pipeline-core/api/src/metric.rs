//! Every number that `/metrics` publishes. The server describes them from here, `docs/metrics.md` is written from
//! here, and the suite holds that the code publishes these and no others.

/// A number, under a name of Prometheus's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub area: &'static str,
    pub name: &'static str,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only goes up, from the start of the process.
    Counter,
    Gauge,
    /// Quantiles over the last minute, with the sum and the count since the start.
    Summary,
}

macro_rules! metrics {
    ($($area:literal { $($(#[doc = $help:literal])+ $kind:ident $name:ident($($label:ident),*);)+ })+) => {
        pub const METRICS: &[Metric] = &[$($(Metric {
            area: $area,
            name: stringify!($name),
            kind: MetricKind::$kind,
            labels: &[$(stringify!($label)),*],
            help: concat!($($help),+),
        },)+)+];
    };
}

metrics! {
    "Outcomes" {
        /// Events by what became of them, all read at one moment: `received`, `emitted`, `stored`, `dropped`, `rejected`, `dead_lettered`, `deduplicated`, `in_flight` and `unexplained`, which is 0 or an alarm. A redrive moves events from `dead_lettered` to where they go.
        Gauge weir_ledger_events(term);
        /// Of the deduplicated: the same uuid with another payload.
        Gauge weir_ledger_conflicting_duplicates();
    }
    "Queues" {
        /// How many wait in a bounded queue, and for a place in it.
        Gauge weir_queue_depth(queue);
        /// How many the queue holds before whoever has more must wait.
        Gauge weir_queue_capacity(queue);
        /// How long each waited.
        Summary weir_queue_wait_seconds(queue);
    }
    "Stages" {
        /// Events that a stage holds or that wait for it: `intake` (the intake log is the queue before the plugins), `plugins`, `journal` (the queue before the store), `identity` and `store`.
        Gauge weir_stage_in_flight_events(stage);
        /// Events that a stage has let go of.
        Counter weir_stage_events_total(stage);
        /// How long a batch of events was in a stage, waiting for it included.
        Summary weir_stage_seconds(stage);
        /// From the ack of an event to SQL that returns it, measured by asking.
        Summary weir_queryable_seconds();
    }
    "Capture" {
        /// Events that were accepted.
        Counter weir_capture_events_total();
        /// From the head of a request to its answer.
        Summary weir_capture_ack_seconds();
        /// Events that were refused, by rule.
        Counter weir_capture_rejected_events_total(rule);
        /// Requests that had to wait for their share, of `in_hand_bytes`, `appends` or `large_bodies`.
        Counter weir_capture_share_waits_total(share);
        /// Requests that were told to come again because the share stayed taken.
        Counter weir_capture_share_refusals_total(share);
        /// Connections that are open, by port.
        Gauge weir_connections(port);
        /// Connections that were turned away because there were too many.
        Counter weir_connections_refused_total(port);
    }
    "Logs" {
        /// Records that were written and synced together.
        Summary weir_log_group_records(log);
        /// How long a sync to the device took.
        Summary weir_log_sync_seconds(log);
        /// Free space where the data directory is.
        Gauge weir_disk_free_bytes();
    }
    "Plugins" {
        /// 1 while a version of the plugin serves and it is switched on, 0 otherwise.
        Gauge weir_plugins_live(plugin);
        /// Versions that went live.
        Counter weir_plugins_versions_total(plugin);
        /// Memory of its instances.
        Gauge weir_plugins_memory_bytes(plugin);
        /// Events by what the plugin did: `modified`, `unmodified`, `dropped`, `skipped` or `error`.
        Counter weir_plugins_events_total(plugin, label);
        /// CPU time of an event, as the mean of a batch.
        Summary weir_plugins_cpu_seconds(plugin);
        /// Instances that were thrown away, by reason.
        Counter weir_plugins_instances_lost_total(plugin, kind);
        /// From the last write of a save to the first event on the new code.
        Summary weir_plugins_reload_seconds(plugin);
        /// Saves that do not work.
        Counter weir_plugins_load_failures_total(plugin);
        /// What a plugin measures itself, by the name it chose (`meta.metrics`).
        Gauge weir_plugins_own(plugin, name);
        /// Calls to other machines, by mode (`mock`, `record`, `live`) and by what came back.
        Counter weir_plugins_http_requests_total(plugin, mode, outcome);
        /// From the start of a call to its answer, waiting included.
        Summary weir_plugins_http_seconds(plugin, mode);
        /// Bodies of answers.
        Counter weir_plugins_http_response_bytes_total(plugin);
        /// Calls under way.
        Gauge weir_plugins_http_running();
        /// Calls that failed because too many waited.
        Counter weir_plugins_http_queue_full_total(plugin);
        /// Answers that could not be recorded.
        Counter weir_plugins_http_recording_failures_total(plugin);
        /// Addresses whose record in the GeoIP database cannot be read.
        Counter weir_plugins_geoip_failures_total();
        /// Schedules and jobs that ended, `done` or `failed`.
        Counter weir_tasks_total(plugin, outcome);
        /// Jobs that are not due yet, or wait for their plugin.
        Gauge weir_tasks_jobs_waiting();
    }
    "Repeats" {
        /// Memory of the index that recognises repeats.
        Gauge weir_dedup_resident_bytes();
        /// Files of that index.
        Gauge weir_dedup_runs();
    }
    "Store" {
        /// 1 while the store can be asked and is up to date, 0 while it is rebuilt or catches up.
        Gauge weir_store_ready();
        /// How long a commit took.
        Summary weir_store_commit_seconds();
        /// Rows of a commit.
        Summary weir_store_commit_rows();
        /// Stores that were made anew from the logs.
        Counter weir_store_rebuilds_total();
    }
    "Sinks" {
        /// Stored events that a sink has not delivered yet.
        Gauge weir_sink_pending_events(sink);
        /// Events of the batch that it gathers.
        Gauge weir_sink_buffered_events(sink);
        /// 1 while what it tried last did not work, or it ended by itself.
        Gauge weir_sink_stuck(sink);
        /// How long a delivery took, whether it worked or not.
        Summary weir_sink_delivery_seconds(sink);
        /// Events that were delivered.
        Counter weir_sink_delivered_total(sink);
        /// Events that were given up.
        Counter weir_sink_failed_total(sink);
        /// Deliveries that were tried again.
        Counter weir_sink_retried_total(sink);
    }
    "Oracle" {
        /// 1 while the oracle watches.
        Gauge weir_oracle_watching();
        /// Committed events that it has not looked at.
        Gauge weir_oracle_behind_events();
        /// Events that it expected in the store.
        Gauge weir_oracle_expected_events();
        /// Differences between what must be stored and what is, by kind: `missing`, `extra`, `event`, `person`, `merge`, `distinct_id`, `group`, `outcome`, `lost`.
        Counter weir_oracle_mismatches_total(kind);
    }
    "SQL checks" {
        /// Checks by state: `never`, `passing`, `failing` or `error`.
        Gauge weir_checks(state);
        /// Runs of checks.
        Counter weir_check_runs_total();
        /// How long a run took.
        Summary weir_check_seconds();
    }
    "Alerts and faults" {
        /// 1 while the alert fires.
        Gauge weir_alert_firing(alert);
        /// What the alert's threshold is held against.
        Gauge weir_alert_value(alert);
        /// Alerts that `fired` or were `resolved`.
        Counter weir_alert_changes_total(alert, step);
        /// 1 while the fault is switched on.
        Gauge weir_fault_active(fault);
        /// How often a fault struck.
        Counter weir_fault_strikes_total(fault);
    }
    "Generator" {
        /// 1 while the synthetic stream runs.
        Gauge weir_generator_running();
        /// Events of this story that were sent.
        Gauge weir_generator_events();
        /// Requests of this story: all (`sent`), without an answer (`failed`), answered otherwise than they had to be (`unexpected`), sent after they were due (`late`).
        Gauge weir_generator_requests(what);
    }
    "Process" {
        /// 1, with the version.
        Gauge weir_build_info(version);
        /// Since the pipeline started.
        Gauge weir_uptime_seconds();
        /// Resident memory.
        Gauge weir_resident_bytes();
        /// Pages that follow the live view.
        Gauge weir_viewers();
        /// Frames that a page was too slow for.
        Counter weir_viewer_frames_skipped_total();
    }
}
