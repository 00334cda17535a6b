//! The headline: rates large, totals under them.

use leptos::prelude::*;
use weir_api::ledger::Ledger;

use crate::{chart::Sparkline, format, history::Sample, state::Studio};

const SPARK_FRAMES: usize = 150;

#[component]
pub fn Strip() -> impl IntoView {
    let studio = Studio::expect();
    let text = move |read: fn(Studio) -> String| {
        Signal::derive(move || if studio.primed.get() { read(studio) } else { "–".into() })
    };
    let spark = move |column: fn(&Sample) -> f64| {
        Signal::derive(move || studio.history.with(|history| history.tail(SPARK_FRAMES, column)))
    };
    let unexplained = Memo::new(move |_| studio.ledger.with(|ledger| ledger.unexplained));
    let failing = Memo::new(move |_| studio.rates.with(|rates| rates.errors >= 0.05));
    view! {
        <section class="strip" aria-label="Headline numbers">
            <div class="metric metric-wide">
                <span class="metric-label">"in/s"</span>
                <span class="metric-value" data-testid="rate-in">
                    {text(|s| format::rate(s.rates.with(|rates| rates.received)))}
                </span>
                <span class="metric-note">"received " <Total testid="received" read=|ledger| ledger.received/></span>
                <Sparkline color="--c-received" values=spark(|sample| sample.received)/>
            </div>
            <div class="metric metric-wide">
                <span class="metric-label">"stored/s"</span>
                <span class="metric-value" data-testid="rate-stored">
                    {text(|s| format::rate(s.rates.with(|rates| rates.stored)))}
                </span>
                <span class="metric-note">"stored " <Total testid="stored" read=|ledger| ledger.stored/></span>
                <Sparkline color="--c-stored" values=spark(|sample| sample.stored)/>
            </div>
            <div class="metric">
                <span class="metric-label">"dropped/s"</span>
                <span class="metric-value" data-testid="rate-dropped">
                    {text(|s| format::rate(s.rates.with(|rates| rates.dropped)))}
                </span>
                <span class="metric-note">"dropped " <Total testid="dropped" read=|ledger| ledger.dropped/></span>
            </div>
            <div class="metric" class:metric-amber=failing>
                <span class="metric-label">"errors/s"</span>
                <span class="metric-value" data-testid="rate-errors">{text(|s| format::rate(s.rates.with(|rates| rates.errors)))}</span>
                <span class="metric-note">
                    "dead letters " <Total testid="dead-lettered" read=|ledger| ledger.dead_lettered/>
                </span>
            </div>
            <div class="metric">
                <span class="metric-label">"in flight"</span>
                <span class="metric-value" data-testid="in-flight">
                    {text(|s| format::short(s.ledger.with(|ledger| ledger.in_flight) as f64))}
                </span>
                <span class="metric-note">
                    "duplicates " <Total testid="deduplicated" read=|ledger| ledger.deduplicated/>
                </span>
            </div>
            <div
                class="metric metric-ledger"
                class:metric-alarm=move || unexplained.get() != 0
                title="received + emitted − (stored + dropped + rejected + dead lettered + deduplicated + in flight)"
            >
                <span class="metric-label">"unexplained"</span>
                <span class="metric-value" data-testid="unexplained" data-value=move || unexplained.get()>
                    {text(|s| format::signed(s.ledger.with(|ledger| ledger.unexplained)))}
                </span>
                <span class="metric-note">
                    {move || match (studio.primed.get(), unexplained.get()) {
                        (false, _) => "waiting for the first frame",
                        (true, 0) => "every event accounted for",
                        (true, _) => "the ledger does not add up",
                    }}
                </span>
            </div>
            <div class="metric">
                <span class="metric-label">"queryable"</span>
                <span class="metric-value" data-testid="queryable">
                    {text(|s| s.lag_ms.get().map_or_else(|| "–".into(), format::behind))}
                    <small>" s"</small>
                </span>
                <span class="metric-note">
                    {move || if studio.lag_ms.get().is_some() { "behind, measured by SQL" } else { "waiting for the first canary" }}
                </span>
            </div>
        </section>
    }
}

/// A cumulative number of the ledger; `data-value` has it without separators.
#[component]
fn Total(testid: &'static str, read: fn(&Ledger) -> u64) -> impl IntoView {
    let studio = Studio::expect();
    let total = Memo::new(move |_| studio.ledger.with(read));
    view! { <b data-testid=testid data-value=move || total.get()>{move || format::count(total.get())}</b> }
}
