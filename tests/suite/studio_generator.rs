//! The Generator screen in a real browser: what is chosen there is what is sent, and the numbers are the stream's.

use std::path::Path;

use pipeline_core::api::generator::{GeneratorRequest, GeneratorState};
use pipeline_core::api::registry;

use crate::browser::Browser;
use crate::server::{Weir, scratch, wait_for};

fn state(weir: &Weir) -> GeneratorState {
    weir.call::<registry::Generator>(&GeneratorRequest::default()).expect("a state")
}

#[test]
fn what_is_chosen_on_the_screen_is_sent() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    let browser = Browser::in_studio(dir.path(), &weir);
    browser.run("location.hash = '#/generator'");
    // Nothing was sent yet, and the screen says so.
    wait_for("the scenarios", || browser.text("scenario-worst-day").filter(|text| text.contains("Worst day")));
    let screen = browser.text("generator").expect("the screen");
    assert!(screen.contains("Nothing of this story yet"), "{screen}");

    browser.press("[data-testid='scenario-worst-day'] input");
    wait_for("the scenario to be chosen", || (state(&weir).scenario == "worst-day").then_some(()));
    // A seed and a slider change as a person changes them: a value, and then the event.
    let set = |selector: &str, value: &str| {
        let script = format!(
            "const e = document.querySelector(\"{selector}\"); e.value = '{value}'; \
             for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, {{bubbles: true}}))"
        );
        browser.run(&script);
    };
    set("[data-testid='generator-seed']", "42");
    wait_for("the seed", || (state(&weir).seed == 42).then_some(()));
    set("[data-testid='mess-duplicate'] input", "80");
    wait_for("the rate of duplicates", || ((state(&weir).mess["duplicate"] - 0.512).abs() < 1e-6).then_some(()));
    let row = wait_for("the slider's share", || browser.text("mess-duplicate").filter(|text| text.contains("51.2 %")));
    assert!(row.contains("turned"), "{row}");

    browser.press("[data-testid='generator-toggle']");
    wait_for("the stream", || browser.number("generator-sent").filter(|sent| *sent > 100));
    wait_for("duplicates to be counted", || {
        let text = browser.text("mess-duplicate")?;
        text.split_whitespace()
            .last()
            .filter(|count| count.chars().all(|digit| digit.is_ascii_digit()))
            .map(str::to_owned)
    });
    assert_eq!(browser.number("generator-unexpected"), Some(0));
    if let Some(path) = std::env::var_os("WEIR_SCREENSHOT") {
        browser.screenshot(Path::new(&path));
    }
    browser.press("[data-testid='generator-toggle']");
    wait_for("the end", || (!state(&weir).running).then_some(()));
    browser.press("[data-testid='mess-revert']");
    wait_for("the file's own rates", || ((state(&weir).mess["duplicate"] - 0.05).abs() < 1e-6).then_some(()));
    assert_eq!(weir.settle().ledger.unexplained, 0);
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");
}
