//! One thing that the user asked for: under way, refused, or done.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use weir_api::ApiError;

/// How long "Saved" stands.
const SAID_FOR: Duration = Duration::from_millis(1_800);

#[derive(Clone, Copy, Default)]
pub struct Change {
    pub busy: RwSignal<bool>,
    pub problem: RwSignal<Option<ApiError>>,
    /// For a moment after success.
    pub done: RwSignal<bool>,
}

impl Change {
    /// Runs `work` unless the same is under way; `then` gets its result, if the page still shows it.
    pub fn run<T: 'static>(
        self,
        work: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        self.done.set(false);
        spawn_local(async move {
            let answer = work.await;
            // Gives the value back when the signals went with their part of the page.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(result) => {
                    self.done.set(true);
                    set_timeout(
                        move || {
                            self.done.try_set(false);
                        },
                        SAID_FOR,
                    );
                    then(result);
                }
                Err(error) => self.problem.set(Some(error)),
            }
        });
    }
}
