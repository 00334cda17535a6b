//! Light or dark: what the system prefers, unless the user chose. `boot.js` applies a stored choice
//! before the first paint.

use leptos::prelude::*;

const KEY: &str = "weir.theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Dark,
    Light,
}

impl Theme {
    const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

#[derive(Clone, Copy)]
pub struct ThemeChoice(pub RwSignal<Theme>);

impl ThemeChoice {
    pub fn load() -> Self {
        let chosen = root().and_then(|root| root.get_attribute("data-theme"));
        let prefers_light = || {
            let query = window().match_media("(prefers-color-scheme: light)").ok().flatten();
            query.is_some_and(|query| query.matches())
        };
        let light = chosen.map_or_else(prefers_light, |name| name == Theme::Light.name());
        Self(RwSignal::new(if light { Theme::Light } else { Theme::Dark }))
    }

    pub fn expect() -> Self {
        expect_context()
    }

    pub fn toggle(self) {
        let theme = if self.0.get_untracked() == Theme::Dark { Theme::Light } else { Theme::Dark };
        if let Some(root) = root() {
            // The name is a valid attribute value; there is nothing else that could fail.
            let _ = root.set_attribute("data-theme", theme.name());
        }
        if let Ok(Some(storage)) = window().local_storage() {
            // A full or forbidden storage costs the choice on the next visit, nothing more.
            let _ = storage.set_item(KEY, theme.name());
        }
        self.0.set(theme);
    }
}

fn root() -> Option<web_sys::Element> {
    document().document_element()
}
