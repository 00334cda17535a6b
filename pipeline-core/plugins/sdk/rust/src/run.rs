//! Between the contract and a [`Plugin`]: what [`crate::plugin!`] calls.

use std::cell::RefCell;

use serde_json::value::RawValue;

use crate::bindings::weir::plugin::report::{Outcome, finished};
use crate::bindings::weir::plugin::types::{self, Call, Description, Failure};
use crate::waiting::take_in_hand;
use crate::{Event, Every, Meta, Offer, Plugin, PluginError};

pub struct Slot<P>(RefCell<Option<P>>);

type Answer = Result<Option<String>, Failure>;

impl<P: Plugin> Slot<P> {
    pub const fn empty() -> Self {
        Self(RefCell::new(None))
    }

    pub fn process_batch(&self, events: Vec<types::Event>) {
        let mut plugin = self.0.borrow_mut();
        for (index, event) in (0..).zip(events) {
            take_in_hand(index);
            let outcome = match plugin.as_mut() {
                Some(plugin) => outcome(plugin, event.text),
                None => Outcome::Unchanged,
            };
            finished(index, &outcome);
        }
    }

    pub fn call(&self, call: Call) -> Answer {
        take_in_hand(0);
        let mut plugin = self.0.borrow_mut();
        if let Call::Setup = call {
            *plugin = Some(P::new(&Meta::read()).map_err(|error| error.failure("new"))?);
            return Ok(None);
        }
        match plugin.as_mut() {
            Some(plugin) => run(plugin, call),
            None => Ok(None),
        }
    }
}

fn outcome<P: Plugin>(plugin: &mut P, text: String) -> Outcome {
    match plugin.process_event(Event::new(text)) {
        Ok(None) => Outcome::Dropped,
        Ok(Some(event)) if !event.is_changed() => Outcome::Unchanged,
        Ok(Some(event)) => match event.check() {
            Ok(()) => Outcome::Passed(event.into_json()),
            Err(error) => Outcome::Failed((error.failure("process_event"), None)),
        },
        Err(error) => Outcome::Failed((error.failure("process_event"), None)),
    }
}

fn run<P: Plugin>(plugin: &mut P, call: Call) -> Answer {
    let (function, result) = match call {
        Call::Setup | Call::Wake => return Ok(None),
        Call::Teardown => ("teardown", plugin.teardown().map(|()| None)),
        Call::Settings => ("settings", Ok(Some(plugin.settings().to_string()))),
        Call::Event(event) => ("on_event", plugin.on_event(&Event::new(event)).map(|()| None)),
        Call::Snapshot(event) => ("on_snapshot", plugin.on_snapshot(&Event::new(event)).map(|()| None)),
        Call::Events(events) => ("export_events", export(plugin, &events).map(|()| None)),
        Call::Webhook(event) => (
            "compose_webhook",
            plugin.compose_webhook(&Event::new(event)).map(|request| request.map(|request| request.to_string())),
        ),
        Call::Schedule(name) => ("run_every", schedule(plugin, &name).map(|()| None)),
        Call::Job(job) => ("job", run_job(plugin, &job).map(|()| None)),
    };
    result.map_err(|error| error.failure(function))
}

fn export<P: Plugin>(plugin: &mut P, events: &str) -> Result<(), PluginError> {
    let raw: Vec<&RawValue> = serde_json::from_str(events)?;
    let events: Vec<Event> = raw.into_iter().map(|event| Event::new(event.get())).collect();
    plugin.export_events(&events)
}

fn schedule<P: Plugin>(plugin: &mut P, name: &str) -> Result<(), PluginError> {
    match [Every::Minute, Every::Hour, Every::Day].into_iter().find(|every| every.as_str() == name) {
        Some(every) => plugin.run_every(every),
        None => Ok(()),
    }
}

fn run_job<P: Plugin>(plugin: &mut P, job: &types::Job) -> Result<(), PluginError> {
    if !P::OFFERS.iter().any(|offer| matches!(offer, Offer::Job(name) if *name == job.name)) {
        return Err(PluginError::new(format!("there is no job {:?} among what the plugin offers", job.name)));
    }
    plugin.job(&job.name, serde_json::from_str(&job.payload)?)
}

pub fn describe<P: Plugin>() -> Description {
    let mut description = Description {
        methods: vec!["setupPlugin".to_owned(), "teardownPlugin".to_owned()],
        schedules: Vec::new(),
        jobs: Vec::new(),
    };
    for offer in P::OFFERS {
        let method = match offer {
            Offer::ProcessEvent => "processEvent",
            Offer::OnEvent => "onEvent",
            Offer::OnSnapshot => "onSnapshot",
            Offer::ExportEvents => "exportEvents",
            Offer::ComposeWebhook => "composeWebhook",
            Offer::Settings => "getSettings",
            Offer::RunEvery(every) => {
                description.schedules.push(every.as_str().to_owned());
                continue;
            }
            Offer::Job(name) => {
                description.jobs.push((*name).to_owned());
                continue;
            }
        };
        description.methods.push(method.to_owned());
    }
    description
}
