//! Streams alone, on one core, beside the drawing of as many random bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use pipeline_core::generator::{BUILT_IN, Stream, Telling};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::report::{Report, grouped};

const EVENTS: u64 = 100_000;

pub fn streams(report: &mut Report) {
    for built_in in BUILT_IN {
        let stream = Stream::new(Arc::new(built_in.scenario()), 1);
        let started = Instant::now();
        let mut bytes = 0;
        for request in stream.events(EVENTS) {
            bytes += black_box(request.body(&Telling::AsItWas)).len();
        }
        let rate = EVENTS as f64 / started.elapsed().as_secs_f64();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut raw = vec![0; bytes];
        let started = Instant::now();
        random.fill_bytes(&mut raw);
        black_box(raw);
        let limit = EVENTS as f64 / started.elapsed().as_secs_f64();
        report.add(
            &format!("stream of the scenario {}, requests made, one core", built_in.name),
            format!("{} events/s ({} bytes each)", grouped(rate), bytes as u64 / EVENTS),
            &format!(">= 20,000 events/s; as many random bytes: {} events/s", grouped(limit)),
        );
    }
}
