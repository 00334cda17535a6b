//! Where stored events go next, and how far each sink is.

use leptos::prelude::*;
use weir_api::sink::SinkView;

use crate::{format, state::Studio};

#[component]
pub fn Sinks() -> impl IntoView {
    let studio = Studio::expect();
    view! {
        <section class="panel" data-testid="sinks">
            <header class="panel-head"><h2>"Sinks"</h2><span class="note">"fed after storing, never again by a rebuild"</span></header>
            {move || match studio.sinks.get() {
                sinks if sinks.is_empty() => view! {
                    <p class="panel-text muted">
                        "None. "<code>"weir sink add jsonl DIR"</code>", "<code>"parquet DIR"</code>" or "<code>"http URL"</code>
                        " adds one, and so does a plugin with "<code>"onEvent"</code>" or "<code>"exportEvents"</code>"."
                    </p>
                }.into_any(),
                sinks => view! {
                    <table class="table">
                        <thead><tr>
                            <th>"Sink"</th><th>"State"</th><th class="right">"Delivered"</th><th class="right">"Pending"</th>
                            <th class="right">"Retried"</th><th class="right">"Failed"</th>
                        </tr></thead>
                        <tbody>{sinks.into_iter().map(row).collect_view()}</tbody>
                    </table>
                }.into_any(),
            }}
        </section>
    }
}

fn row(sink: SinkView) -> impl IntoView {
    let is_bad = sink.state.is_stuck() || sink.failed > 0;
    let pending = sink.pending.map_or_else(|| "–".to_owned(), format::count);
    let title = sink.last_error.clone().unwrap_or_else(|| format!("{} {}", sink.kind, sink.target));
    view! {
        <tr class:is-bad=is_bad>
            <td class="cut" title=title>{sink.name}</td>
            <td>{sink.state.as_str()}</td>
            <td class="right num">{format::count(sink.delivered)}</td>
            <td class="right num">{pending}</td>
            <td class="right num">{format::count(sink.retried)}</td>
            <td class="right num">{format::count(sink.failed)}</td>
        </tr>
    }
}
