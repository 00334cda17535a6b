//! The truth beside the stream: a JSON line for each request, in the order of the stream.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pipeline_core::generator::truth::RequestTruth;

pub struct TruthFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl TruthFile {
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    pub fn add(&mut self, truth: &RequestTruth) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.file, truth)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    pub fn close(mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}
