//! The built-in sinks by name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use url::Url;
use uuid::Uuid;
use weir_event::Clock;
use weir_event::journal::SinkRecord;

use crate::batch::Sink;
use crate::error::SinkError;
use crate::http::HttpSink;
use crate::jsonl::JsonlSink;
use crate::parquet::ParquetSink;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkKind {
    Jsonl,
    Parquet,
    Http,
}

impl SinkKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Http => "http",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Jsonl, Self::Parquet, Self::Http].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Reads `jsonl:DIR`, `parquet:DIR`, `http:URL` or a URL.
    pub fn parse(text: &str) -> Result<(Self, String), SinkError> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok((Self::Http, text.to_owned()));
        }
        let (kind, target) = text.split_once(':').ok_or_else(|| SinkError::Unreadable(text.to_owned()))?;
        let kind = Self::from_name(kind).ok_or_else(|| SinkError::UnknownKind(kind.to_owned()))?;
        if target.is_empty() {
            return Err(SinkError::Unreadable(text.to_owned()));
        }
        Ok((kind, target.to_owned()))
    }
}

/// Finds out now what would otherwise be found out with the first batch.
pub fn check_target(kind: SinkKind, target: &str) -> Result<(), SinkError> {
    match kind {
        SinkKind::Jsonl | SinkKind::Parquet => {
            let path = Path::new(target);
            if !path.is_absolute() {
                return Err(SinkError::RelativePath(path.to_owned()));
            }
            let failed =
                |error: std::io::Error| SinkError::Directory { path: path.to_owned(), message: error.to_string() };
            fs::create_dir_all(path).map_err(failed)?;
            let probe = path.join(format!(".{}.probe", Uuid::new_v4().simple()));
            fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(failed)
        }
        SinkKind::Http => {
            let failed = |message: &str| SinkError::Url { url: target.to_owned(), message: message.to_owned() };
            let url = Url::parse(target).map_err(|error| failed(&error.to_string()))?;
            if url.scheme() != "http" {
                return Err(failed("this build speaks plain HTTP only"));
            }
            url.has_host().then_some(()).ok_or_else(|| failed("it names no host"))
        }
    }
}

/// Makes the built-in sink that a record describes.
pub fn open(record: &SinkRecord, clock: &Arc<dyn Clock>) -> Result<Box<dyn Sink>, SinkError> {
    let kind = SinkKind::from_name(&record.kind).ok_or_else(|| SinkError::UnknownKind(record.kind.clone()))?;
    Ok(match kind {
        SinkKind::Jsonl => Box::new(JsonlSink::new(&record.target, record.id)),
        SinkKind::Parquet => Box::new(ParquetSink::new(&record.target, record.id)),
        SinkKind::Http => Box::new(HttpSink::new(&record.target, &record.name, Arc::clone(clock))?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_names_kind_and_target() {
        assert_eq!(SinkKind::parse("jsonl:/a:b").unwrap(), (SinkKind::Jsonl, "/a:b".into()));
        assert_eq!(SinkKind::parse("http:http://h/x").unwrap(), (SinkKind::Http, "http://h/x".into()));
        assert_eq!(SinkKind::parse("http://h/x").unwrap(), (SinkKind::Http, "http://h/x".into()));
        for refused in ["/a", "csv:/a", "jsonl:", ""] {
            assert!(SinkKind::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_target_that_cannot_work_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(check_target(SinkKind::Jsonl, dir.path().join("new").to_str().unwrap()).is_ok());
        assert!(check_target(SinkKind::Jsonl, "relative").is_err());
        assert!(check_target(SinkKind::Parquet, file.to_str().unwrap()).is_err());
        assert!(check_target(SinkKind::Http, "http://127.0.0.1:1/x").is_ok());
        for refused in ["https://a.example/", "ftp://a.example/", "a.example", ""] {
            assert!(check_target(SinkKind::Http, refused).is_err(), "{refused}");
        }
    }
}
