//! Alerts as notifications of the desktop: what fires is shown, whether or not a page of the studio is open.
//!
//! On Linux through the session's bus (`org.freedesktop.Notifications`), elsewhere through the system's own centre. A
//! machine without a desktop is no error: it is logged once, and alerts are where they are anyway.

use std::sync::Arc;
use std::time::Duration;

use notify_rust::{Notification, Timeout};
use pipeline_core::api::alert::{Alert, AlertStep};
use pipeline_core::flow::Flow;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Shows what fires until the server stops.
pub async fn show_alerts(flow: Arc<Flow>, mut stopping: watch::Receiver<bool>) {
    let mut newest = 0;
    let mut has_complained = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.changed() => return,
        }
        let changes = flow.alerts.changes_after(newest);
        newest = changes.last().map_or(newest, |change| change.sequence);
        for change in changes.into_iter().filter(|change| change.step == AlertStep::Fired) {
            let shown = tokio::task::spawn_blocking(move || show(&change.alert)).await;
            if let Ok(Err(error)) = shown
                && !std::mem::replace(&mut has_complained, true)
            {
                tracing::warn!(%error, "alerts cannot be shown as notifications: this machine has no desktop that takes them");
            }
        }
    }
}

fn show(alert: &Alert) -> Result<(), notify_rust::error::Error> {
    Notification::new()
        .appname("Weir")
        .summary(&format!("Weir: {}", alert.summary()))
        .body(&format!("{} {}", alert.meaning, alert.what_to_do))
        .timeout(Timeout::Default)
        .show()
        .map(drop)
}
