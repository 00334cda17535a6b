//! What client libraries ask for when they start. Weir has no feature flags, surveys, recordings or
//! toolbar, and says so in the shapes that the libraries expect, so that none of them logs an error or
//! retries.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};

use crate::query::CaptureQuery;

/// What capture unpacks.
const COMPRESSIONS: [&str; 3] = ["gzip", "gzip-js", "lz64"];

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new();
    let surveys = || async { json_response(&json!({"surveys": [], "survey_config": null})) };
    let early_access = || async { json_response(&json!({"earlyAccessFeatures": []})) };
    let experiments = || async { json_response(&json!({"experiments": []})) };
    let definitions = || async { json_response(&json!({"flags": [], "group_type_mapping": {}, "cohorts": {}})) };
    for slash in ["", "/"] {
        router = router
            .route(&format!("/decide{slash}"), any(decide))
            .route(&format!("/flags{slash}"), any(flags))
            .route(&format!("/flags/definitions{slash}"), any(definitions))
            .route(&format!("/api/feature_flag/local_evaluation{slash}"), any(definitions))
            .route(&format!("/api/surveys{slash}"), any(surveys))
            .route(&format!("/api/early_access_features{slash}"), any(early_access))
            .route(&format!("/api/web_experiments{slash}"), any(experiments));
    }
    router
        .route("/array/{token}/config", any(|Path(token): Path<String>| async move { config_json(&token) }))
        .route("/array/{token}/config.js", any(|Path(token): Path<String>| async move { config_script(&token) }))
        .route("/array/{token}/array.js", any(empty_script))
        .route("/static/{*name}", any(empty_script))
        .route("/site_app/{*name}", any(empty_script))
}

/// Settings that do not depend on who asks.
fn settings() -> Value {
    json!({
        "supportedCompression": COMPRESSIONS,
        "config": {"enable_collect_everything": true},
        "autocapture_opt_out": false,
        "autocaptureExceptions": false,
        "captureDeadClicks": false,
        "capturePerformance": false,
        "defaultIdentifiedOnly": true,
        "elementsChainAsString": true,
        "analytics": {"endpoint": "/i/v0/e/"},
        "heatmaps": false,
        "sessionRecording": false,
        "siteApps": [],
        "surveys": false,
        "toolbarParams": {},
        "isAuthenticated": false,
    })
}

/// Version 1 lists the enabled flags, 2 maps them, 3 adds payloads.
async fn decide(RawQuery(query): RawQuery) -> Response {
    let version = CaptureQuery::parse(query.as_deref().unwrap_or_default()).version.unwrap_or(1);
    let mut answer = settings();
    answer["featureFlags"] = if version < 2 { json!([]) } else { json!({}) };
    if version >= 3 {
        answer["featureFlagPayloads"] = json!({});
        answer["errorsWhileComputingFlags"] = json!(false);
    }
    json_response(&answer)
}

async fn flags(RawQuery(query): RawQuery) -> Response {
    let version = CaptureQuery::parse(query.as_deref().unwrap_or_default()).version.unwrap_or(2);
    let mut answer = settings();
    answer["errorsWhileComputingFlags"] = json!(false);
    if version < 2 {
        answer["featureFlags"] = json!({});
        answer["featureFlagPayloads"] = json!({});
    } else {
        answer["flags"] = json!({});
    }
    json_response(&answer)
}

/// The settings that a page loads before it starts.
fn config(token: &str) -> Value {
    let mut config = settings();
    config["token"] = token.into();
    config["hasFeatureFlags"] = json!(false);
    config
}

fn config_json(token: &str) -> Response {
    if is_plain(token) { json_response(&config(token)) } else { not_a_token() }
}

fn config_script(token: &str) -> Response {
    if !is_plain(token) {
        return not_a_token();
    }
    // Of these letters no token can leave the string it stands in.
    let settings = json!({"config": config(token), "siteApps": []});
    script(format!(
        "(function () {{\n  window._POSTHOG_REMOTE_CONFIG = window._POSTHOG_REMOTE_CONFIG || {{}};\n  \
         window._POSTHOG_REMOTE_CONFIG['{token}'] = {settings};\n}})();\n"
    ))
}

fn is_plain(token: &str) -> bool {
    token.len() <= 64 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn not_a_token() -> Response {
    (StatusCode::NOT_FOUND, "this is not a project token").into_response()
}

/// Extensions such as the recorder are not offered; the settings say so, and a page that loads one all
/// the same gets a script that does nothing.
async fn empty_script() -> Response {
    script("/* not offered by this server */\n".to_owned())
}

fn script(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
