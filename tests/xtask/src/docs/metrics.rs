//! `docs/metrics.md`, from the table in `pipeline-core/api`: every number that is published.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

const HEAD: &str = "# Metrics

Written by `cargo xtask docs` from `pipeline-core/api/src/metric.rs`. A running server publishes these numbers, and no
others, as `GET /metrics` on the control port, in Prometheus's text format.

```sh
weir metrics                     # all of them
weir metrics weir_queue          # those whose name begins so
```

The control port asks for the server's token. Prometheus reads it from `control.token` in the data directory, which
only its owner can read; give the port with `--control`, so that it stays the same:

```yaml
scrape_configs:
  - job_name: weir
    authorization: { credentials_file: /home/me/.local/share/weir/control.token }
    static_configs: [{ targets: [\"127.0.0.1:8011\"] }]
```

Every queue has three numbers under the label `queue`: `intake_log` and `journal_log` (records that wait to be
synced), `capture_in_hand_bytes`, `capture_appends` and `capture_large_bodies` (requests that wait for their share),
`handoff` (batches on their way from the plugins to the store), `control` and `redrive` (what is to be journalled beside
events), `tasks` (schedules and jobs, all plugins together), `plugin_loader`, `plugin_http` (calls that wait for a
thread), `plugin_bench` (what `weir diff` gives back), `restore` (persons that are read at the start), `queries` (SQL that waits for a connection) and `generator`
(requests made ahead of their time: its waits are the timetable's). The two logs are queues of events too: their
depths are `weir_stage_in_flight_events`, their waits `weir_stage_seconds`.

Numbers begin at the start of the process, but those of `weir_ledger_events`, which are of the data directory. What
never happened is not there yet: a counter of failures appears with the first.

What to watch: `weir_ledger_events{term=\"unexplained\"}` is 0. `weir_queryable_seconds{quantile=\"0.99\"}` is how far behind
the store is. A `weir_queue_depth` at its `weir_queue_capacity` names the stage that holds the others up.
";

pub fn page(root: &Path) -> anyhow::Result<String> {
    let source = fs::read_to_string(root.join("pipeline-core/api/src/metric.rs"))?;
    let table = source.split("\nmetrics! {\n").nth(1).context("the table of metrics begins with `metrics! {`")?;
    let mut page = String::from(HEAD);
    let mut help = String::new();
    for line in table.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            help += text;
        } else if let Some(area) = line.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            writeln!(page, "\n## {}\n\n| name | kind | labels | what |\n|---|---|---|---|", area.0)?;
        } else if let Some((kind, rest)) = line.split_once(' ') {
            let (name, labels) = rest.split_once('(').with_context(|| format!("`{line}` has no labels"))?;
            let labels = labels.trim_end_matches(");");
            let labels = labels.split(", ").filter(|label| !label.is_empty()).map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            writeln!(page, "| `{name}` | {} | {labels} | {} |", kind.to_lowercase(), std::mem::take(&mut help).trim())?;
        }
    }
    Ok(page)
}
