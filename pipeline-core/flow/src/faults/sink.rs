//! A sink whose destination can be made to fail.
//!
//! While a fault is active a batch goes out over real HTTP, to a destination inside this process, in place of its own:
//! the sink's waiting, backing off and trying again are the real ones, and its own destination is left alone. When the
//! fault ends the batch that waits is tried at once.

use std::sync::Arc;

use weir_event::Clock;
use weir_event::journal::SinkRecord;
use weir_sinks::{Batch, Batching, Delivery, HttpSink, Sink, Stop};

use super::destination::Destination;
use super::settings::Settings;
use super::{Fault, Faults};

pub struct FaultSink {
    inner: Box<dyn Sink>,
    name: String,
    tries_for_ever: bool,
    faults: Arc<Faults>,
    clock: Arc<dyn Clock>,
    failing: Option<Failing>,
}

struct Failing {
    fault: Fault,
    settings: Settings,
    sink: HttpSink,
    _destination: Destination,
}

impl FaultSink {
    pub fn around(inner: Box<dyn Sink>, record: &SinkRecord, faults: Arc<Faults>, clock: Arc<dyn Clock>) -> Box<Self> {
        let (name, tries_for_ever) = (record.name.clone(), record.max_attempts.is_none());
        Box::new(Self { inner, name, tries_for_ever, faults, clock, failing: None })
    }

    fn start_failing(&self, fault: Fault, settings: Settings) -> Result<Failing, String> {
        let destination = Destination::start(fault, settings.delay).map_err(|error| error.to_string())?;
        let sink = HttpSink::new(destination.url(), &*self.name, Arc::clone(&self.clock));
        let mut sink = sink.map_err(|error| error.to_string())?;
        if fault == Fault::SinkTimeout {
            sink = sink.with_timeout(settings.delay);
        }
        Ok(Failing { fault, settings, sink, _destination: destination })
    }

    fn deliver_to_its_own(&mut self, batch: &Batch, stop: &Stop) -> Delivery {
        let first = self.inner.deliver(batch, stop);
        let is_taken = matches!(&first, Delivery::Delivered { .. });
        if is_taken && self.faults.doubles_batches_of(&self.name) {
            self.faults.struck(Fault::DuplicateDelivery);
            return self.inner.deliver(batch, stop);
        }
        first
    }
}

impl Sink for FaultSink {
    fn batching(&self) -> Batching {
        self.inner.batching()
    }

    fn is_ready(&mut self) -> bool {
        self.inner.is_ready()
    }

    fn is_worth_another_try(&mut self) -> bool {
        self.failing.is_some() && self.faults.of_sink(&self.name, self.tries_for_ever).is_none()
    }

    fn deliver(&mut self, batch: &Batch, stop: &Stop) -> Delivery {
        let Some((fault, settings)) = self.faults.of_sink(&self.name, self.tries_for_ever) else {
            self.failing = None;
            return self.deliver_to_its_own(batch, stop);
        };
        let is_there = |failing: &Failing| failing.fault == fault && failing.settings == settings;
        if !self.failing.as_ref().is_some_and(is_there) {
            self.failing = None;
            match self.start_failing(fault, settings) {
                Ok(failing) => self.failing = Some(failing),
                Err(error) => {
                    tracing::warn!(error, "the failing destination did not start: the fault does not strike");
                    return self.deliver_to_its_own(batch, stop);
                }
            }
        }
        self.faults.struck(fault);
        match &mut self.failing {
            Some(failing) => failing.sink.deliver(batch, stop),
            None => self.deliver_to_its_own(batch, stop),
        }
    }
}
