//! `weir plugin`: looks into and sets plugins of a running server.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline_core::api::plugin::{
    AttachmentUpload, PluginAdd, PluginCallsRequest, PluginConfigure, PluginDetail, PluginHttp, PluginLimits,
    PluginLogsRequest, PluginOrder, PluginRequest, PluginRunRequest, PluginStorageRequest, PluginStorageSet,
    PluginView, PluginsRequest,
};
use pipeline_core::api::registry;
use serde_json::Value;

use crate::args::Target;
use crate::client::Client;
use crate::output::print_json;
use crate::plugin_args::{Config, Http, Limits, Plugin, Run, Storage, StorageSet};
use crate::plugin_print;
use crate::plugin_versions;
use crate::say::say;

pub fn run(plugin: Plugin) -> anyhow::Result<ExitCode> {
    match plugin {
        Plugin::Add { dir, target } => add(&dir, &target),
        Plugin::Logs { id, keep: Some(level), target, .. } => keep_logs(id, level, &target),
        Plugin::Logs { id, limit, keep: None, target } => logs(id, limit, &target),
        Plugin::List { target } => {
            let list = Client::find(&target)?.call::<registry::Plugins>(&PluginsRequest::default())?;
            chain(&list.plugins, &target)
        }
        Plugin::Show { id, target } => {
            let detail = detail(&Client::find(&target)?, &id)?;
            if target.json {
                print_json(&detail)?;
            } else {
                plugin_print::detail(&detail)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Plugin::Config(config) => configure_values(config),
        Plugin::Enable { id, target } => switch(id, true, &target),
        Plugin::Disable { id, target } => switch(id, false, &target),
        Plugin::Remove { id, target } => {
            let list = Client::find(&target)?.call::<registry::PluginRemove>(&PluginRequest { id })?;
            chain(&list.plugins, &target)
        }
        Plugin::Order { ids, target } => {
            let list = Client::find(&target)?.call::<registry::PluginOrder>(&PluginOrder { ids })?;
            chain(&list.plugins, &target)
        }
        Plugin::Http(http) => configure_http(http),
        Plugin::Limits(limits) => configure_limits(limits),
        Plugin::Run(task) => run_task(task),
        Plugin::Calls { id, limit, target } => {
            let found = Client::find(&target)?.call::<registry::PluginCalls>(&PluginCallsRequest { id, limit })?;
            if target.json {
                print_json(&found)?;
            } else {
                plugin_print::calls(&found)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Plugin::Storage(storage) => look_into(storage),
        Plugin::StorageSet(change) => set_entry(change),
        Plugin::Reload { id, mode, target } => {
            let request = PluginConfigure { id, reload: mode, ..PluginConfigure::default() };
            configure(&Client::find(&target)?, &target, &request, |detail| {
                say!(
                    "{}: a new version {}",
                    detail.view.id,
                    if detail.reload == "ask" { "waits to be promoted" } else { "goes live" }
                );
                Ok(())
            })
        }
        Plugin::Versions { id, target } => plugin_versions::list(id, &target),
        Plugin::Promote { id, target } => plugin_versions::promote(id, &target),
        Plugin::Discard { id, target } => plugin_versions::discard(id, &target),
        Plugin::Accept { id, target } => plugin_versions::accept(id, &target),
    }
}

fn add(dir: &Path, target: &Target) -> anyhow::Result<ExitCode> {
    // Not resolved: a folder that is a link stays one, and follows it.
    let absolute = std::path::absolute(dir).ok().filter(|dir| dir.is_dir());
    let dir = absolute.with_context(|| format!("{} is not a folder", dir.display()))?;
    let request = PluginAdd { dir: dir.display().to_string() };
    let view = Client::find(target)?.call::<registry::PluginAdd>(&request)?;
    if target.json {
        print_json(&view)?;
    } else {
        plugin_print::line(&view);
    }
    Ok(loaded(&view))
}

fn logs(id: String, limit: Option<u64>, target: &Target) -> anyhow::Result<ExitCode> {
    let logs = Client::find(target)?.call::<registry::PluginLogs>(&PluginLogsRequest { id, limit })?;
    if target.json {
        print_json(&logs)?;
    } else {
        for line in &logs.lines {
            let at = pipeline_core::event::time::iso(line.at_ms);
            say!("{at} {:<5} {:<7} {} {}", line.level, line.source, line.version, line.message);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn keep_logs(id: String, level: String, target: &Target) -> anyhow::Result<ExitCode> {
    let request = PluginConfigure { id, log_level: Some(level), ..PluginConfigure::default() };
    configure(&Client::find(target)?, target, &request, |detail| {
        say!("console lines are kept from {} up", detail.log_level);
        Ok(())
    })
}

fn chain(plugins: &[PluginView], target: &Target) -> anyhow::Result<ExitCode> {
    if target.json {
        print_json(&plugins)?;
    } else {
        plugin_print::chain(plugins)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn detail(client: &Client, id: &str) -> anyhow::Result<PluginDetail> {
    client.call::<registry::PluginDetail>(&PluginRequest { id: id.to_owned() })
}

/// Failure if the newest save, or the newest settings, do not load.
fn loaded(view: &PluginView) -> ExitCode {
    if view.load_error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sets what is asked for and shows the side of the plugin that it is about.
fn configure(
    client: &Client,
    target: &Target,
    request: &PluginConfigure,
    show: impl Fn(&PluginDetail) -> std::io::Result<()>,
) -> anyhow::Result<ExitCode> {
    let detail = client.call::<registry::PluginConfigure>(request)?;
    if target.json {
        print_json(&detail)?;
    } else {
        show(&detail)?;
        plugin_print::problems(&detail.view);
    }
    Ok(loaded(&detail.view))
}

fn switch(id: String, enabled: bool, target: &Target) -> anyhow::Result<ExitCode> {
    let request = PluginConfigure { id, enabled: Some(enabled), ..PluginConfigure::default() };
    configure(&Client::find(target)?, target, &request, |detail| {
        say!("{} is {}", detail.view.id, if detail.view.enabled { "on" } else { "off" });
        Ok(())
    })
}

fn configure_values(config: Config) -> anyhow::Result<ExitCode> {
    let Config { id, values, unset, attach, target } = config;
    let client = Client::find(&target)?;
    let before = detail(&client, &id)?;
    if values.is_empty() && unset.is_empty() && attach.is_empty() {
        if target.json {
            print_json(&before.fields)?;
        } else {
            plugin_print::fields(&before)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let kind_of = |key: &str| before.fields.iter().find(|field| field.key == key).map(|field| field.kind.as_str());
    let mut request = PluginConfigure { id, ..PluginConfigure::default() };
    for (key, value) in values {
        match kind_of(&key) {
            Some("attachment") => bail!("{key} takes a file: --attach {key}=FILE"),
            Some("json") if !value.is_empty() => {
                let problem = |error| format!("{key} takes JSON, and {value:?} is none: {error}");
                serde_json::from_str::<serde::de::IgnoredAny>(&value)
                    .map_err(|error| anyhow::anyhow!(problem(error)))?;
            }
            // Published plugins read keys that their manifest lacks, so it is set; but it may be a slip.
            None => eprintln!("weir: note: plugin.json has no field {key}; it has {}", known(&before)),
            Some("choice") => {
                let choices = before.fields.iter().find(|field| field.key == key).map(|field| &field.choices);
                if let Some(choices) = choices.filter(|choices| !choices.contains(&value)) {
                    // PostHog keeps such a value too, and plugins are written for that.
                    eprintln!("weir: note: {key} is {value:?} now, but its choices are {}", choices.join(", "));
                }
            }
            Some(_) => {}
        }
        request.values.insert(key, Some(value));
    }
    for key in unset {
        match kind_of(&key) {
            Some("attachment") => drop(request.attachments.insert(key, None)),
            _ => drop(request.values.insert(key, None)),
        }
    }
    for (key, path) in attach {
        request.attachments.insert(key, Some(upload(Path::new(&path))?));
    }
    configure(&client, &target, &request, plugin_print::fields)
}

fn known(detail: &PluginDetail) -> String {
    let keys: Vec<&str> = detail.fields.iter().map(|field| field.key.as_str()).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}

fn upload(path: &Path) -> anyhow::Result<AttachmentUpload> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().with_context(|| format!("{} is not a file", path.display()))?;
    let content_type = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("txt") => "text/plain",
        Some("pem" | "key") => "application/x-pem-file",
        _ => "application/octet-stream",
    };
    Ok(AttachmentUpload {
        file_name: name.to_string_lossy().into_owned(),
        content_type: content_type.to_owned(),
        contents: STANDARD.encode(bytes),
    })
}

fn configure_http(http: Http) -> anyhow::Result<ExitCode> {
    let Http { id, mode, allow, allow_none, grant, grant_none, target } = http;
    let client = Client::find(&target)?;
    let list = |given: Vec<String>, none: bool| (none || !given.is_empty()).then_some(given);
    let wanted =
        PluginHttp { mode, allow: list(allow, allow_none), grant: list(grant, grant_none), ..PluginHttp::default() };
    if wanted == PluginHttp::default() {
        let detail = detail(&client, &id)?;
        if target.json {
            print_json(&detail.http)?;
        } else {
            plugin_print::http(&detail);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = PluginConfigure { id, http: Some(wanted), ..PluginConfigure::default() };
    configure(&client, &target, &request, |detail| {
        plugin_print::http(detail);
        Ok(())
    })
}

fn configure_limits(limits: Limits) -> anyhow::Result<ExitCode> {
    let Limits {
        id,
        preset,
        cpu_ms,
        wait_ms,
        instructions,
        memory_mib,
        output_kib,
        log_lines,
        http_calls,
        on_error,
        target,
    } = limits;
    let client = Client::find(&target)?;
    let wanted = PluginLimits {
        preset,
        cpu_ms_per_event: cpu_ms,
        wait_ms_per_event: wait_ms,
        instructions_per_event: instructions,
        memory_mib,
        output_kib,
        log_lines_per_second: log_lines,
        http_calls_per_event: http_calls,
    };
    let limits = (wanted != PluginLimits::default()).then_some(wanted);
    if limits.is_none() && on_error.is_none() {
        let detail = detail(&client, &id)?;
        if target.json {
            print_json(&detail.limits)?;
        } else {
            plugin_print::limits(&detail, true)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = PluginConfigure { id, limits, on_error, ..PluginConfigure::default() };
    configure(&client, &target, &request, |detail| plugin_print::limits(detail, false))
}

fn run_task(task: Run) -> anyhow::Result<ExitCode> {
    let Run { id, name, payload, target } = task;
    let payload = match payload {
        Some(text) => serde_json::from_str(&text).with_context(|| format!("the payload {text:?} is no JSON"))?,
        None => Value::Null,
    };
    let end = Client::find(&target)?.call::<registry::PluginRun>(&PluginRunRequest { id, name, payload })?;
    if target.json {
        print_json(&end)?;
    } else {
        match &end.error {
            None => say!("{} ended well after {} ms", end.name, end.took_ms),
            Some(error) => say!("{} failed after {} ms: {error}", end.name, end.took_ms),
        }
    }
    Ok(if end.error.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn kind(cache: bool) -> String {
    if cache { "cache" } else { "storage" }.to_owned()
}

fn look_into(storage: Storage) -> anyhow::Result<ExitCode> {
    let Storage { id, cache, filter, target } = storage;
    let request = PluginStorageRequest { id, kind: kind(cache), filter };
    let found = Client::find(&target)?.call::<registry::PluginStorage>(&request)?;
    if target.json {
        print_json(&found)?;
    } else {
        plugin_print::entries(&found)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn set_entry(change: StorageSet) -> anyhow::Result<ExitCode> {
    let StorageSet { id, key, value, delete, cache, target } = change;
    // The parser asks for one of the two.
    let value = value.filter(|_| !delete);
    let request = PluginStorageSet { id, kind: kind(cache), key: key.clone(), value };
    let found = Client::find(&target)?.call::<registry::PluginStorageSet>(&request)?;
    if target.json {
        print_json(&found)?;
    } else if delete {
        say!("{key} is gone");
    } else {
        plugin_print::entries(&found)?;
    }
    Ok(ExitCode::SUCCESS)
}
