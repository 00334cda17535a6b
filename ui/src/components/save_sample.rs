//! One click that makes an event a fixture of a plugin.

use leptos::prelude::*;
use weir_api::{
    diff::{SampleSave, SampleSaved},
    event::Journey,
    registry,
};

use crate::{change::Change, client::Client, components::save_bar::Refusal};

#[component]
pub fn SaveSample(journey: Journey) -> impl IntoView {
    let client = Client::expect();
    let offset = journey.summary.offset;
    let suggested = format!("{} {offset}", journey.summary.event.trim_start_matches('$'));
    let ids: Vec<String> = journey.steps.iter().map(|step| step.plugin_id.clone()).collect();
    let plugin = RwSignal::new(ids.first().cloned().unwrap_or_default());
    let name = RwSignal::new(suggested);
    let change = Change::default();
    let saved = RwSignal::new(None::<SampleSaved>);
    let save = move |_| {
        let request = SampleSave {
            id: plugin.get_untracked(),
            name: name.get_untracked(),
            offsets: vec![offset],
            replace: false,
        };
        saved.set(None);
        change.run(async move { client.call::<registry::SampleSave>(&request).await }, move |done| {
            saved.set(Some(done));
        });
    };
    let words = |done: SampleSaved| {
        let mut said = vec![format!("Saved as {}.", done.path)];
        if !done.secrets_left_out.is_empty() {
            said.push(format!("Left out, because they are secret: {}.", done.secrets_left_out.join(", ")));
        }
        said.extend(done.notes);
        said.join(" ")
    };
    (!ids.is_empty()).then(|| {
        view! {
            <div class="diff-bar" data-testid="save-sample">
                <button
                    class="button"
                    data-testid="save-sample-button"
                    title="A fixture in the plugin's folder, with config, storage, answers and what is expected"
                    disabled=move || change.busy.get()
                    on:click=save
                >
                    "Save as fixture"
                </button>
                <input
                    class="field"
                    aria-label="Name of the fixture"
                    prop:value=name
                    on:input=move |event| name.set(event_target_value(&event))
                />
                {(ids.len() > 1).then(|| view! {
                    <label>"of "
                        <select class="field" on:change=move |event| plugin.set(event_target_value(&event))>
                            {ids.iter().map(|id| view! { <option value=id.clone()>{id.clone()}</option> }).collect_view()}
                        </select>
                    </label>
                })}
            </div>
            {move || saved.get().map(|done| view! {
                <p class="diff-said" role="status" data-testid="save-sample-done">{words(done)}</p>
            })}
            {move || change.problem.get().map(|error| view! { <Refusal error/> })}
        }
    })
}
