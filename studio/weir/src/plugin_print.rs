//! Plugins, printed for people.

use pipeline_core::api::plugin::{PluginCall, PluginCalls, PluginDetail, PluginLimits, PluginStorage, PluginView};
use pipeline_core::event::time::iso;

use crate::say::say;
use crate::table;

type Printed = std::io::Result<()>;

fn rows(columns: &[&str], rows: &[Vec<String>]) -> Printed {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    table::print(&mut std::io::stdout().lock(), &columns, rows)
}

/// One plugin in the status of a server.
pub fn line(view: &PluginView) {
    let reload = view.reload_ms.map_or_else(String::new, |ms| format!(", saved to live in {ms:.1} ms"));
    let off = if view.enabled { "" } else { ", off" };
    say!("plugin        {} {} {}{off}{reload}", view.id, view.version, view.state.as_str());
    problems(view);
}

/// Why the newest save is not live, and what is not configured.
pub fn problems(view: &PluginView) {
    if let Some(error) = &view.load_error {
        say!("              {}:{}:{}: {}", error.file, error.line, error.column, error.message);
        if let Some(hint) = &error.hint {
            say!("              {hint}");
        }
    }
    if !view.missing.is_empty() {
        say!("              without a value: {}", view.missing.join(", "));
    }
}

pub fn chain(plugins: &[PluginView]) -> Printed {
    if plugins.is_empty() {
        say!("no plugins; `weir plugin add DIR` adds one");
        return Ok(());
    }
    let row = |view: &PluginView| {
        vec![
            view.id.clone(),
            if view.enabled { view.state.as_str() } else { "off" }.to_owned(),
            view.version.clone(),
            view.language.clone(),
            view.http_mode.clone(),
            view.processed.to_string(),
            view.errors.to_string(),
            format!("{:.0}", view.cpu_us_p99),
            view.missing.join(", "),
        ]
    };
    let columns = ["id", "state", "version", "language", "http", "processed", "errors", "p99 µs", "missing"];
    rows(&columns, &plugins.iter().map(row).collect::<Vec<_>>())
}

pub fn detail(detail: &PluginDetail) -> Printed {
    let view = &detail.view;
    say!("{} ({})", view.name, view.id);
    say!("folder        {}", view.dir);
    let state = if view.enabled { view.state.as_str() } else { "off" };
    say!("state         {state}, version {}, {} {}", view.version, view.generation, plural(view.generation));
    problems(view);
    say!(
        "events        {} processed, {} modified, {} dropped, {} errors",
        view.processed,
        view.modified,
        view.dropped,
        view.errors
    );
    say!("CPU           {:.0} µs p50, {:.0} µs p99", view.cpu_us_p50, view.cpu_us_p99);
    say!("waiting       {:.0} µs p50, {:.0} µs p99", view.wait_us_p50, view.wait_us_p99);
    if let Some(counted) = &view.instructions {
        let worst = counted.worst.as_ref().map_or_else(String::new, |worst| {
            format!(", {} at most (event {})", worst.instructions.unwrap_or_default(), worst.offset)
        });
        say!("instructions  {} p50, {} p99{worst}", counted.p50, counted.p99);
    }
    if let Some(worst) = &view.worst {
        say!("dearest       event {}: {} µs CPU, {} µs waiting", worst.offset, worst.cpu_us, worst.wait_us);
    }
    say!("memory        {:.1} MiB", view.memory_bytes as f64 / f64::from(1 << 20));
    if let Some(error) = &view.last_error {
        say!("last error    {} {}: {}", iso(error.at_ms), error.kind, error.message);
        say!("              {}", error.consequence);
    }
    say!("exports       {}", view.methods.join(", "));
    for (name, value) in &view.metrics {
        say!("metric        {name} = {value}");
    }
    http(detail);
    limits(detail, false)?;
    for schedule in &detail.schedules {
        say!("schedule      {}, next at {}", schedule.name, iso(schedule.next_ms));
    }
    for job in &detail.jobs {
        say!("job           {} at {}: {}", job.name, iso(job.at_ms), job.payload);
    }
    for run in detail.runs.iter().rev().take(5) {
        let end = run.error.as_deref().unwrap_or("done");
        say!("ran           {} at {}, {} ms: {end}", run.name, iso(run.at_ms), run.took_ms);
    }
    if detail.fields.iter().any(|field| !field.key.is_empty()) {
        say!();
        fields(detail)?;
    }
    Ok(())
}

fn plural(generation: u64) -> &'static str {
    if generation == 1 { "version was live" } else { "versions were live" }
}

pub fn fields(detail: &PluginDetail) -> Printed {
    let shown: Vec<Vec<String>> = detail
        .fields
        .iter()
        .filter(|field| !field.key.is_empty())
        .map(|field| {
            let mut kind = field.kind.clone();
            if !field.choices.is_empty() {
                kind = format!("{kind}: {}", field.choices.join(", "));
            }
            let marks = [(field.required, "required"), (field.secret, "secret")];
            let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
            let value = match (&field.value, field.secret) {
                (Some(_), true) => "(set)".to_owned(),
                (value, _) => value.clone().unwrap_or_default(),
            };
            vec![field.key.clone(), value, field.default.clone().unwrap_or_default(), kind, marks.join(", ")]
        })
        .collect();
    if shown.is_empty() {
        say!("plugin.json has no config fields");
        return Ok(());
    }
    rows(&["key", "value", "default", "type", ""], &shown)
}

pub fn http(detail: &PluginDetail) {
    let http = &detail.http;
    let list = |list: &Option<Vec<String>>| match list.as_deref() {
        None | Some([]) => "none".to_owned(),
        Some(list) => list.join(", "),
    };
    say!("http          {}, {} mocks", http.mode.as_deref().unwrap_or("mock"), http.mocks);
    say!("  allowed     {}", list(&http.allow));
    say!("  granted     {}", list(&http.grant));
}

pub fn limits(detail: &PluginDetail, with_presets: bool) -> Printed {
    say!("limits        {}", figures(&detail.limits));
    say!("on error      {}", detail.on_error);
    if with_presets {
        let row = |preset: &pipeline_core::api::plugin::LimitPreset| {
            vec![preset.name.clone(), preset.title.clone(), figures(&preset.limits)]
        };
        say!();
        rows(&["preset", "title", "limits"], &detail.presets.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn figures(limits: &PluginLimits) -> String {
    let figure = |value: Option<u64>, unit: &str| value.map(|value| format!("{value} {unit}"));
    let all = [
        limits.preset.clone(),
        figure(limits.cpu_ms_per_event, "ms CPU"),
        figure(limits.wait_ms_per_event, "ms waiting"),
        figure(limits.instructions_per_event.filter(|most| *most > 0), "instructions"),
        figure(limits.memory_mib, "MiB"),
        figure(limits.output_kib, "KiB an event"),
        figure(limits.log_lines_per_second, "log lines/s"),
        figure(limits.http_calls_per_event, "requests"),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub fn calls(found: &PluginCalls) -> Printed {
    let row = |call: &PluginCall| {
        let from = if call.kind == "http_mock" { "mock" } else { "network" };
        let took = format!("{:.1}", call.duration_us as f64 / 1e3);
        let url = format!("{} {}", call.method, call.url);
        vec![iso(call.at_ms), from.to_owned(), call.status.clone(), took, url, call.answer.replace('\n', " ")]
    };
    rows(&["at", "from", "status", "ms", "request", "answer"], &found.calls.iter().map(row).collect::<Vec<_>>())
}

pub fn entries(found: &PluginStorage) -> Printed {
    let row = |entry: &pipeline_core::api::plugin::StorageEntry| {
        vec![entry.key.clone(), entry.value.clone(), entry.expires_at_ms.map(iso).unwrap_or_default()]
    };
    rows(&["key", "value", "expires"], &found.entries.iter().map(row).collect::<Vec<_>>())?;
    if (found.entries.len() as u64) < found.total {
        say!("({} of {}: --filter narrows them down)", found.entries.len(), found.total);
    }
    Ok(())
}
