//! Notifications of the system for alerts, by the browser.
//!
//! One for each alert that fires, whether the page is seen or not, in one tab: which were shown is kept by the
//! browser, so that neither a reload nor a second tab shows one again. Only a click asks for the permission.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};
use weir_api::alert::Alert;

use crate::state::Studio;

const KEY: &str = "weir.notified";
/// Alerts that are remembered as shown.
const KEPT: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Nobody was asked yet.
    Unknown,
    Granted,
    Denied,
    /// There are no notifications here, as in windows of some systems.
    Absent,
}

pub fn permission() -> Permission {
    let is_there = js_sys::Reflect::get(&window(), &JsValue::from_str("Notification"));
    if !is_there.is_ok_and(|value| value.is_function()) {
        return Permission::Absent;
    }
    match Notification::permission() {
        NotificationPermission::Granted => Permission::Granted,
        NotificationPermission::Denied => Permission::Denied,
        _ => Permission::Unknown,
    }
}

/// For a click: the browser asks the user, and `then` gets what came of it.
pub fn ask(then: impl Fn(Permission) + 'static) {
    let Ok(asked) = Notification::request_permission() else { return then(Permission::Absent) };
    spawn_local(async move {
        // Whatever it answers, the permission says it.
        let _ = JsFuture::from(asked).await;
        then(permission());
    });
}

/// Shows each alert that begins to fire, for as long as the page is open.
pub fn follow(studio: Studio) {
    Effect::new(move |_| {
        studio.alerts.with(|alerts| {
            if !alerts.is_empty() && permission() == Permission::Granted {
                alerts.iter().for_each(show);
            }
        });
    });
}

fn show(alert: &Alert) {
    let key = format!("{}@{}", alert.name, alert.since_ms);
    let Ok(Some(storage)) = window().local_storage() else { return };
    let mut shown: Vec<String> =
        storage.get_item(KEY).ok().flatten().unwrap_or_default().split(' ').map(str::to_owned).collect();
    if shown.contains(&key) {
        return;
    }
    shown.push(key.clone());
    let over = shown.len().saturating_sub(KEPT);
    // A storage that is full costs a notification that is shown twice.
    let _ = storage.set_item(KEY, &shown[over..].join(" "));
    let options = NotificationOptions::new();
    options.set_body(&format!("{} {}", alert.meaning, alert.what_to_do));
    options.set_tag(&key);
    let Ok(notification) = Notification::new_with_options(&format!("Weir: {}", alert.summary()), &options) else {
        return;
    };
    let place = alert.place.clone();
    let clicked = Closure::once_into_js(move || {
        // A click on it brings the page to the front and leads to where it comes from.
        let _ = window().focus();
        let _ = location().set_hash(&place);
    });
    notification.set_onclick(Some(clicked.unchecked_ref()));
}
