use serde_json::Value;

use crate::{Event, Meta, PluginError};

/// A plugin. Everything but [`Self::new`] has a default; what goes beyond `process_event` is named in
/// [`Self::OFFERS`], so that the host calls nothing in vain.
pub trait Plugin: Sized {
    const OFFERS: &'static [Offer] = &[Offer::ProcessEvent];

    /// Called once for each instance, before any event.
    fn new(meta: &Meta) -> Result<Self, PluginError>;

    /// `None` drops the event. After an error it goes on as it came, marked.
    fn process_event(&mut self, event: Event) -> Result<Option<Event>, PluginError> {
        Ok(Some(event))
    }

    /// An event that has been stored.
    fn on_event(&mut self, event: &Event) -> Result<(), PluginError> {
        let _ = event;
        Ok(())
    }

    /// A session recording event that has been stored.
    fn on_snapshot(&mut self, event: &Event) -> Result<(), PluginError> {
        let _ = event;
        Ok(())
    }

    /// Stored events, gathered by the host. [`PluginError::retry`] brings the same ones again later.
    fn export_events(&mut self, events: &[Event]) -> Result<(), PluginError> {
        let _ = events;
        Ok(())
    }

    /// The request for one stored event, as `{"url", "method", "headers", "body"}`, or nothing.
    fn compose_webhook(&mut self, event: &Event) -> Result<Option<Value>, PluginError> {
        let _ = event;
        Ok(None)
    }

    fn run_every(&mut self, every: Every) -> Result<(), PluginError> {
        let _ = every;
        Ok(())
    }

    /// A job that was asked for with [`crate::jobs`], of a name that [`Self::OFFERS`] has.
    fn job(&mut self, name: &str, payload: Value) -> Result<(), PluginError> {
        let _ = (name, payload);
        Ok(())
    }

    /// What the plugin would have the host know about how to call it.
    fn settings(&self) -> Value {
        Value::Object(serde_json::Map::new())
    }

    /// The last call of an instance that has done nothing wrong.
    fn teardown(&mut self) -> Result<(), PluginError> {
        Ok(())
    }
}

/// Something the host may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    ProcessEvent,
    OnEvent,
    OnSnapshot,
    ExportEvents,
    ComposeWebhook,
    Settings,
    RunEvery(Every),
    Job(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    Minute,
    Hour,
    Day,
}

impl Every {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "runEveryMinute",
            Self::Hour => "runEveryHour",
            Self::Day => "runEveryDay",
        }
    }
}

/// Makes a type that implements [`Plugin`] the plugin of this crate.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty) => {
        const _: () = {
            use $crate::bindings::weir::plugin::types;
            use $crate::run::Slot;

            ::std::thread_local! {
                static PLUGIN: Slot<$plugin> = const { Slot::empty() };
            }

            struct Exports;

            impl $crate::bindings::Guest for Exports {
                fn describe() -> types::Description {
                    $crate::run::describe::<$plugin>()
                }

                fn process_batch(events: ::std::vec::Vec<types::Event>) {
                    PLUGIN.with(|plugin| plugin.process_batch(events));
                }

                fn call(
                    call: types::Call,
                ) -> ::std::result::Result<::std::option::Option<::std::string::String>, types::Failure> {
                    PLUGIN.with(|plugin| plugin.call(call))
                }
            }

    $crate::bindings::export!(Exports with_types_in $crate::bindings);
        };
    };
}
