//! uPlot through `js/chart.js`: a chart takes columns of numbers, a sparkline one.

use leptos::{html, prelude::*};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{HtmlCanvasElement, HtmlElement};

use crate::theme::ThemeChoice;

#[wasm_bindgen(module = "/js/chart.js")]
extern "C" {
    type Chart;

    fn create_chart(host: &HtmlElement, spec: &str) -> Chart;

    #[wasm_bindgen(method)]
    fn set_data(this: &Chart, flat: &[f64]);

    #[wasm_bindgen(method)]
    fn retheme(this: &Chart);

    #[wasm_bindgen(method)]
    fn destroy(this: &Chart);

    fn draw_sparkline(canvas: &HtmlCanvasElement, values: &[f64], color: &str);
}

#[derive(Serialize)]
pub struct Line {
    pub label: &'static str,
    /// A design token, such as `--c-received`.
    pub color: &'static str,
    pub fill: bool,
    pub width: f64,
}

#[derive(Serialize)]
pub struct Spec {
    /// `ms` makes the axis logarithmic and the values durations.
    pub unit: &'static str,
    /// Seconds that the time axis shows.
    pub span: usize,
    pub lines: Vec<Line>,
}

/// `data` gives the columns one after the other, time first; it is called again whenever what it
/// reads changes.
#[component]
pub fn TimeChart(
    title: &'static str,
    note: &'static str,
    testid: &'static str,
    spec: Spec,
    data: Signal<Vec<f64>>,
) -> impl IntoView {
    let host = NodeRef::<html::Div>::new();
    let chart = StoredValue::new_local(None::<Chart>);
    let spec = serde_json::to_string(&spec).expect("a chart's description is plain data");
    Effect::new(move |_| {
        if let Some(host) = host.get() {
            let made = create_chart(&host, &spec);
            made.set_data(&data.get_untracked());
            chart.set_value(Some(made));
        }
    });
    Effect::new(move |_| {
        let columns = data.get();
        chart.with_value(|chart| {
            if let Some(chart) = chart {
                chart.set_data(&columns);
            }
        });
    });
    let theme = ThemeChoice::expect().0;
    Effect::new(move |before: Option<()>| {
        theme.track();
        if before.is_some() {
            chart.with_value(|chart| chart.as_ref().inspect(|chart| chart.retheme()).is_some());
        }
    });
    on_cleanup(move || {
        if let Some(Some(chart)) = chart.try_update_value(Option::take) {
            chart.destroy();
        }
    });
    view! {
        <section class="panel chart" data-testid=testid aria-label=title>
            <header class="panel-head">
                <h2>{title}</h2>
                <span class="note">{note}</span>
            </header>
            <div class="chart-host" node_ref=host></div>
        </section>
    }
}

/// A line without axes, redrawn when `values` changes.
#[component]
pub fn Sparkline(color: &'static str, values: Signal<Vec<f64>>) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let theme = ThemeChoice::expect().0;
    Effect::new(move |_| {
        theme.track();
        let values = values.get();
        if let Some(canvas) = canvas.get() {
            draw_sparkline(&canvas, &values, color);
        }
    });
    view! { <canvas class="spark" node_ref=canvas aria-hidden="true"></canvas> }
}
