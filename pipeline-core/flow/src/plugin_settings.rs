//! Configuring plugins: what a user asks for, checked, made durable, then put into force.
//!
//! The journal holds settings and order, the secret file the values of secret fields. A change is durable
//! before the plugin reloads with it, so a restart never runs an older configuration than was seen. One
//! change at a time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use weir_api::plugin::{
    ConfigFieldView, LimitPreset, PluginCalls, PluginCallsRequest, PluginConfigure, PluginDetail, PluginHttp,
    PluginJob, PluginLimits, PluginList, PluginRun, PluginRunRequest, PluginSchedule, PluginStorage,
    PluginStorageRequest, PluginStorageSet, StorageEntry,
};
use weir_event::journal::{ControlRecord, LogLevel, PluginAttachment, PluginSettings, TaskEnd};
use weir_event::schedule;
use weir_plugins::{
    ConfigField, HttpMode, Manifest, OnError, OtherSettings, PRESETS, ReloadMode, SECRET_MASK, Settings, Task, merged,
};

use crate::error::FlowError;
use crate::flow::Flow;
use crate::plugin_states::PluginStates;
use crate::secret_file::{SecretFile, SecretValues};

/// Of all attachments of a plugin; they are journalled.
const ATTACHMENT_BYTES: usize = 10 << 20;
const SHOWN_CALLS: u64 = 50;
const SHOWN_JOBS: usize = 100;
const SHOWN_ENTRIES: usize = 500;

/// Settings as the journal and the secret file have them.
pub fn restored(states: &PluginStates, secrets: &SecretValues) -> BTreeMap<String, Settings> {
    let mut all: BTreeMap<String, Settings> = BTreeMap::new();
    for (id, journalled) in &states.settings {
        let settings = Settings {
            values: journalled.values.iter().cloned().collect(),
            attachments: journalled.attachments.clone(),
            is_disabled: journalled.is_disabled,
            other: serde_json::from_str(&journalled.other).unwrap_or_default(),
        };
        all.insert(id.clone(), settings);
    }
    for (id, values) in secrets {
        let settings = all.entry(id.clone()).or_default();
        settings.values.extend(values.iter().map(|(key, value)| (key.clone(), Some(value.clone()))));
    }
    all
}

fn refuse<T>(message: String) -> Result<T, FlowError> {
    Err(FlowError::PluginSetting(message))
}

impl Flow {
    pub fn plugin_detail(&self, id: &str) -> Result<PluginDetail, FlowError> {
        let view = self.shadow.views().into_iter().find(|view| view.id == id);
        let view = view.ok_or_else(|| weir_plugins::PluginError::UnknownPlugin(id.to_owned()))?;
        let (manifest, values) = self.host.configuration(id)?;
        let settings = self.host.settings(id);
        let (_, mocks) = self.host.http(id)?;
        let (schedules, _) = self.host.tasks(id)?;
        let now_ms = self.now_ms();
        let schedule = |name: String| {
            let period_ms = schedule::period_ms(&name)?;
            Some(PluginSchedule { name, next_ms: schedule::next_due_ms(now_ms, period_ms) })
        };
        Ok(PluginDetail {
            fields: ordered(&manifest).map(|field| field_view(field, &values, &settings)).collect(),
            limits: self.limits_view(id, &settings.other.limits),
            presets: presets(),
            http: PluginHttp {
                mode: Some(settings.other.http.mode.as_str().to_owned()),
                allow: Some(settings.other.http.allow.clone()),
                grant: Some(settings.other.http.grant.clone()),
                mocks: mocks as u64,
            },
            on_error: settings.other.on_error.as_str().to_owned(),
            log_level: settings.other.log_level.as_str().to_ascii_lowercase(),
            reload: settings.other.reload.as_str().to_owned(),
            schedules: schedules.into_iter().filter_map(schedule).collect(),
            jobs: self.tasks.waiting(id).into_iter().take(SHOWN_JOBS).map(job_view).collect(),
            runs: self.tasks.recent(id).into_iter().map(run_view).collect(),
            view,
        })
    }

    fn limits_view(&self, id: &str, settings: &PluginLimits) -> PluginLimits {
        let limits = self.host.limits(id);
        PluginLimits {
            preset: Some(settings.preset.clone().unwrap_or_else(|| "weir".into())),
            cpu_ms_per_event: Some(limits.cpu_per_event.as_millis() as u64),
            wait_ms_per_event: Some(limits.wait.as_millis() as u64),
            instructions_per_event: Some(limits.instructions_per_event.unwrap_or(0)),
            memory_mib: Some((limits.memory_bytes >> 20) as u64),
            output_kib: Some((limits.output_bytes >> 10) as u64),
            log_lines_per_second: Some(u64::from(limits.log_lines_per_second)),
            http_calls_per_event: Some(u64::from(limits.http_calls_per_event)),
        }
    }

    /// Blocks until the plugin has reloaded.
    pub fn plugin_configure(&self, request: PluginConfigure) -> Result<PluginDetail, FlowError> {
        let _one_at_a_time = self.configuring();
        let id = request.id.clone();
        let (manifest, _) = self.host.configuration(&id)?;
        let mut settings = self.host.settings(&id);
        take_values(&mut settings, &manifest, request.values)?;
        take_attachments(&mut settings, &manifest, request.attachments)?;
        if let Some(enabled) = request.enabled {
            settings.is_disabled = !enabled;
        }
        if let Some(name) = request.log_level {
            settings.other.log_level = match LogLevel::from_name(&name) {
                Some(known) => known,
                None => return refuse(format!("log_level is {name:?}; it is debug, log, info, warn or error")),
            };
        }
        take_other(&mut settings.other, request.on_error, request.http, request.limits)?;
        if let Some(name) = request.reload {
            settings.other.reload = match ReloadMode::from_name(&name) {
                Some(known) => known,
                None => return refuse(format!("reload is {name:?}; it is auto or ask")),
            };
        }
        self.make_durable(&id, &settings, &manifest)?;
        self.host.configure(&id, settings)?;
        self.plugin_detail(&id)
    }

    fn make_durable(&self, id: &str, settings: &Settings, manifest: &Manifest) -> Result<(), FlowError> {
        let is_secret = |key: &str| manifest.secret_keys().any(|secret| secret == key);
        let (secret, open): (Vec<_>, Vec<_>) = settings
            .values
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .partition(|(key, _)| is_secret(key));
        let file = SecretFile::of(self.data_path());
        let unwritable = |error: std::io::Error| FlowError::DataDir {
            path: self.data_path().join("secrets.json").display().to_string(),
            message: error.to_string(),
        };
        let mut secrets = file.read().map_err(unwritable)?;
        let own: BTreeMap<String, String> = secret.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let known = secrets.get(id).cloned().unwrap_or_default();
        if own != known {
            secrets.insert(id.to_owned(), own);
            file.write(&secrets).map_err(unwritable)?;
        }
        let journalled = PluginSettings {
            values: open,
            attachments: settings.attachments.clone(),
            is_disabled: settings.is_disabled,
            other: serde_json::to_string(&settings.other).unwrap_or_default(),
        };
        self.journalled(ControlRecord::PluginSettings { plugin_id: id.to_owned(), settings: journalled })
    }

    pub fn plugin_order(&self, ids: Vec<String>) -> Result<PluginList, FlowError> {
        let _one_at_a_time = self.configuring();
        let views = self.shadow.views();
        if let Some(unknown) = ids.iter().find(|id| views.iter().all(|view| view.id != **id)) {
            return Err(weir_plugins::PluginError::UnknownPlugin(unknown.clone()).into());
        }
        self.journalled(ControlRecord::PluginOrder { plugin_ids: ids.clone() })?;
        self.host.reorder(&ids);
        Ok(PluginList { plugins: self.shadow.views() })
    }

    pub fn plugin_remove(&self, id: &str) -> Result<PluginList, FlowError> {
        let _one_at_a_time = self.configuring();
        self.host.remove(id)?;
        Ok(PluginList { plugins: self.shadow.views() })
    }

    /// Blocks until the task has ended.
    pub fn plugin_run(&self, request: PluginRunRequest) -> Result<PluginRun, FlowError> {
        let (schedules, jobs) = self.host.tasks(&request.id)?;
        let task = if schedules.contains(&request.name) {
            Task::Schedule(request.name)
        } else if jobs.contains(&request.name) {
            Task::Job { name: request.name, payload: request.payload.to_string() }
        } else {
            let known: Vec<String> = schedules.into_iter().chain(jobs).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return refuse(format!("{} has no schedule or job {:?}; it has {known}", request.id, request.name));
        };
        Ok(run_view(self.tasks.run(&request.id, task)?))
    }

    pub fn plugin_calls(&self, request: &PluginCallsRequest) -> Result<PluginCalls, FlowError> {
        let calls = self.host.recent_calls(&request.id)?;
        let limit = request.limit.unwrap_or(SHOWN_CALLS) as usize;
        let skipped = calls.len().saturating_sub(limit);
        Ok(PluginCalls { calls: calls.into_iter().skip(skipped).collect() })
    }

    pub fn plugin_storage(&self, request: &PluginStorageRequest) -> Result<PluginStorage, FlowError> {
        self.host.tasks(&request.id)?;
        let entries: Vec<StorageEntry> = match request.kind.as_str() {
            "" | "storage" => {
                let entry = |(key, value)| StorageEntry { key, value, expires_at_ms: None };
                self.host.storage(&request.id).into_iter().map(entry).collect()
            }
            "cache" => {
                let entries = self.host.cache(&request.id).into_iter();
                entries
                    .map(|entry| StorageEntry {
                        key: entry.key,
                        value: entry.value,
                        expires_at_ms: entry.expires_at_ms,
                    })
                    .collect()
            }
            other => return refuse(format!("there is no {other:?}; kinds are storage and cache")),
        };
        let fitting = entries.into_iter().filter(|entry| entry.key.contains(&request.filter));
        let mut fitting: Vec<StorageEntry> = fitting.collect();
        let total = fitting.len() as u64;
        fitting.truncate(SHOWN_ENTRIES);
        Ok(PluginStorage { entries: fitting, total })
    }

    pub fn plugin_storage_set(&self, request: PluginStorageSet) -> Result<PluginStorage, FlowError> {
        let PluginStorageSet { id, kind, key, value } = request;
        self.host.tasks(&id)?;
        if kind == "cache" {
            self.host.set_cache(&id, &key, value);
        } else {
            if let Some(text) = &value
                && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
            {
                return refuse(format!("the value of {key:?} is no JSON: {error}"));
            }
            let mutation = self.host.set_storage(&id, &key, value);
            self.journalled(ControlRecord::Storage { mutations: vec![mutation] })?;
        }
        self.plugin_storage(&PluginStorageRequest { id, kind, filter: key })
    }
}

fn take_values(
    settings: &mut Settings,
    manifest: &Manifest,
    values: BTreeMap<String, Option<String>>,
) -> Result<(), FlowError> {
    for (key, value) in values {
        let field = manifest.config.iter().find(|field| field.key.as_ref() == Some(&key));
        let Some(field) = field else {
            // Published plugins read keys that their manifest lacks, so any key may be set.
            set(settings, key, value);
            continue;
        };
        match &value {
            // What screens show in place of a secret says: leave it.
            Some(text) if field.secret && text == SECRET_MASK => continue,
            Some(_) if field.kind() == "attachment" => {
                return refuse(format!("{key} is an attachment: send a file"));
            }
            _ => {}
        }
        set(settings, key, value);
    }
    Ok(())
}

fn set(settings: &mut Settings, key: String, value: Option<String>) {
    match value {
        Some(value) => drop(settings.values.insert(key, Some(value))),
        None => drop(settings.values.remove(&key)),
    }
}

fn take_attachments(
    settings: &mut Settings,
    manifest: &Manifest,
    attachments: BTreeMap<String, Option<weir_api::plugin::AttachmentUpload>>,
) -> Result<(), FlowError> {
    for (key, upload) in attachments {
        let is_known = |field: &ConfigField| field.key.as_ref() == Some(&key) && field.kind() == "attachment";
        if !manifest.config.iter().any(is_known) {
            return refuse(format!("{key} is no attachment of this plugin"));
        }
        settings.attachments.retain(|attachment| attachment.key != key);
        if let Some(upload) = upload {
            let contents = STANDARD
                .decode(&upload.contents)
                .map_err(|error| FlowError::PluginSetting(format!("the contents of {key} are no base64: {error}")))?;
            settings.attachments.push(PluginAttachment {
                key,
                content_type: upload.content_type,
                file_name: upload.file_name,
                contents,
            });
        }
    }
    let total: usize = settings.attachments.iter().map(|attachment| attachment.contents.len()).sum();
    if total > ATTACHMENT_BYTES {
        return refuse(format!("the attachments have {total} bytes, {ATTACHMENT_BYTES} are allowed"));
    }
    Ok(())
}

fn take_other(
    other: &mut OtherSettings,
    on_error: Option<String>,
    http: Option<PluginHttp>,
    limits: Option<PluginLimits>,
) -> Result<(), FlowError> {
    if let Some(name) = on_error {
        other.on_error = match OnError::from_name(&name) {
            Some(known) => known,
            None => return refuse(format!("on_error is {name:?}; it is continue, drop or dead_letter")),
        };
    }
    if let Some(http) = http {
        if let Some(mode) = http.mode {
            other.http.mode = match HttpMode::from_name(&mode) {
                Some(known) => known,
                None => return refuse(format!("http.mode is {mode:?}; it is mock, record or live")),
            };
        }
        if let Some(allow) = http.allow {
            other.http.allow = allow;
        }
        if let Some(grant) = http.grant {
            other.http.grant = grant;
        }
        other.http.check().map_err(|error| FlowError::PluginSetting(format!("{error} ({})", error.hint())))?;
    }
    if let Some(limits) = limits {
        if let Some(name) = &limits.preset
            && PRESETS.iter().all(|preset| preset.name != name)
        {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            return refuse(format!("there is no preset {name:?}; there are {}", names.join(", ")));
        }
        other.limits = merged(&other.limits, limits);
    }
    Ok(())
}

fn ordered(manifest: &Manifest) -> impl Iterator<Item = &ConfigField> {
    let mut fields: Vec<&ConfigField> = manifest.config.iter().collect();
    fields.sort_by(|a, b| a.order.unwrap_or(0.0).total_cmp(&b.order.unwrap_or(0.0)));
    fields.into_iter()
}

fn field_view(field: &ConfigField, values: &serde_json::Map<String, Value>, settings: &Settings) -> ConfigFieldView {
    let key = field.key.clone().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = match field.kind() {
        "attachment" => {
            let own = settings.attachments.iter().find(|attachment| attachment.key == key);
            own.map(|attachment| attachment.file_name.clone())
        }
        _ => settings.values.get(&key).cloned().flatten().or_else(|| values.get(&key).map(text)),
    };
    let value =
        if field.secret { value.filter(|text| !text.is_empty()).map(|_| SECRET_MASK.to_owned()) } else { value };
    ConfigFieldView {
        name: if field.name.is_empty() { key.clone() } else { field.name.clone() },
        key,
        kind: field.kind().to_owned(),
        hint: field.hint.clone(),
        description: field.description.clone(),
        markdown: field.markdown.clone(),
        default: field.default_text(),
        required: field.required,
        secret: field.secret,
        choices: field.choices.clone(),
        visible_if: field.visible_if.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        value,
    }
}

fn presets() -> Vec<LimitPreset> {
    let view = |preset: &weir_plugins::Preset| LimitPreset {
        name: preset.name.to_owned(),
        title: preset.title.to_owned(),
        source: preset.source.to_owned(),
        limits: PluginLimits { preset: None, ..preset.limits() },
    };
    PRESETS.iter().map(view).collect()
}

fn job_view(job: weir_event::journal::Job) -> PluginJob {
    PluginJob {
        id: job.id.to_string(),
        name: job.name,
        payload: serde_json::from_str(&job.payload).unwrap_or_default(),
        at_ms: job.at_ms,
    }
}

fn run_view(end: TaskEnd) -> PluginRun {
    PluginRun { name: end.name, at_ms: end.at_ms, took_ms: end.took_ms, error: end.error }
}
