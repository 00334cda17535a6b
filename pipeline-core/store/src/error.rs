use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store {path}: {message}", path = path.display())]
    Open { path: PathBuf, message: String },
    #[error("the store {path} has schema {found}, this version writes {expected}", path = path.display())]
    Schema { path: PathBuf, found: String, expected: String },
    #[error("the store {path} is gone from the disk", path = path.display())]
    Vanished { path: PathBuf },
    #[error("the store {path} is damaged: {problem}", path = path.display())]
    Damaged { path: PathBuf, problem: &'static str },
    #[error("the store failed: {0}")]
    Duckdb(#[from] duckdb::Error),
    #[error("only one read-only statement can be run: {0}")]
    Refused(String),
    #[error("the query was stopped after {limit_ms} ms")]
    TimedOut { limit_ms: u64 },
    #[error("{0}")]
    Sql(String),
    #[error("the store is being rebuilt from the logs")]
    Rebuilding,
}

impl StoreError {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "store_open",
            Self::Schema { .. } => "store_schema",
            Self::Vanished { .. } => "store_vanished",
            Self::Damaged { .. } => "store_damaged",
            Self::Duckdb(_) => "store_failed",
            Self::Refused(_) => "sql_refused",
            Self::TimedOut { .. } => "sql_timeout",
            Self::Sql(_) => "sql_failed",
            Self::Rebuilding => "store_rebuilding",
        }
    }

    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => "another process may hold it; stop that one, or let the server rebuild the file",
            Self::Schema { .. } | Self::Vanished { .. } | Self::Damaged { .. } => {
                "it is rebuilt from the logs; nothing is lost"
            }
            Self::Duckdb(_) => "see the server's log; the store can be deleted, it is rebuilt from the logs",
            Self::Refused(_) => "use one SELECT, WITH, FROM, DESCRIBE, SHOW or EXPLAIN statement",
            Self::TimedOut { .. } => "narrow the query, or ask for a longer time",
            Self::Sql(_) => {
                "tables: events, persons, person_distinct_ids, groups, plugin_logs, dead_letters, ingestion_warnings, \
                 sinks, sink_failures"
            }
            Self::Rebuilding => "ask again in a moment; capture keeps accepting",
        }
    }
}
