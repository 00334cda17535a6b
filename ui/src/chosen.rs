//! The plugin that the Plugins screen shows. Its figures come with the live frames; what can be set or
//! looked into is asked for once a second. Drafts of its forms outlive a change of tab or plugin, so that
//! looking something up loses nothing.
//!
//! An answer that was under way while a change was made shows the time before it; such answers are thrown
//! away, or a form would jump back for a second after every save.

use std::collections::BTreeMap;

use leptos::prelude::*;
use weir_api::{
    ApiError,
    plugin::{PluginConfigure, PluginDetail, PluginHttp, PluginRequest, PluginView},
    registry,
};

use crate::{change::Change, client::Client, config_form, poll, state::Studio};

/// What was edited and not saved.
#[derive(Clone, Copy, Default)]
pub struct Drafts {
    pub config: RwSignal<config_form::Draft>,
    pub http: RwSignal<PluginHttp>,
    pub limits: RwSignal<LimitsDraft>,
}

/// Figures by name, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitsDraft {
    pub preset: Option<String>,
    pub figures: BTreeMap<&'static str, String>,
    pub on_error: Option<String>,
}

/// Drafts of every plugin that was looked at. Their signals belong to the whole page.
#[derive(Clone)]
pub struct AllDrafts {
    owner: Owner,
    drafts: StoredValue<BTreeMap<String, Drafts>>,
}

impl AllDrafts {
    /// `None` outside of any component.
    pub fn new() -> Option<Self> {
        Some(Self { owner: Owner::current()?, drafts: StoredValue::default() })
    }

    fn of(&self, id: &str) -> Drafts {
        if let Some(known) = self.drafts.with_value(|all| all.get(id).copied()) {
            return known;
        }
        let fresh = self.owner.with(Drafts::default);
        self.drafts.update_value(|all| {
            all.insert(id.to_owned(), fresh);
        });
        fresh
    }
}

#[derive(Clone, Copy)]
pub struct Chosen {
    pub client: Client,
    pub studio: Studio,
    pub view: Memo<PluginView>,
    /// `None` until the first answer.
    pub detail: RwSignal<Option<PluginDetail>>,
    /// Why there is no first answer.
    pub problem: RwSignal<Option<ApiError>>,
    pub drafts: Drafts,
    id: StoredValue<String>,
    changes: StoredValue<u64>,
}

impl Chosen {
    /// Asks for as long as the component that calls this is shown.
    pub fn start(id: String) -> Self {
        let studio = Studio::expect();
        let chosen = Self {
            client: Client::expect(),
            studio,
            view: studio.plugin(id.clone()),
            detail: RwSignal::default(),
            problem: RwSignal::default(),
            drafts: expect_context::<AllDrafts>().of(&id),
            id: StoredValue::new(id),
            changes: StoredValue::new(0),
        };
        poll::every_second(move || chosen.ask());
        provide_context(chosen);
        chosen
    }

    pub fn expect() -> Self {
        expect_context()
    }

    pub fn id(self) -> String {
        self.id.get_value()
    }

    async fn ask(self) {
        let (Some(id), Some(before)) = (self.id.try_get_value(), self.changes.try_get_value()) else { return };
        let answer = self.client.call::<registry::PluginDetail>(&PluginRequest { id }).await;
        if self.changes.try_get_value() == Some(before) {
            match answer {
                Ok(detail) => self.show(detail),
                Err(error) => self.problem.set(Some(error)),
            }
        }
    }

    fn show(self, detail: PluginDetail) {
        self.problem.set(None);
        if self.detail.with_untracked(|have| have.as_ref() != Some(&detail)) {
            self.detail.set(Some(detail));
        }
    }

    /// A part of the detail that wakes its readers only when it differs.
    pub fn part<T>(self, read: impl Fn(&PluginDetail) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.detail.with(|detail| detail.as_ref().map(&read)).unwrap_or_default())
    }

    /// Sets what `request` holds; `then` runs once it is in force.
    pub fn configure(self, change: Change, request: PluginConfigure, then: impl FnOnce() + 'static) {
        let request = PluginConfigure { id: self.id(), ..request };
        self.changes.update_value(|changes| *changes += 1);
        change.run(async move { self.client.call::<registry::PluginConfigure>(&request).await }, move |detail| {
            self.changes.update_value(|changes| *changes += 1);
            self.show(detail);
            then();
        });
    }
}
