//! The Faults screen in a real browser: one button breaks something, the page says so everywhere and proves that nothing is
//! lost, and it finds the server again that was killed under it.

use std::path::Path;

use pipeline_core::api::live::DemoRequest;
use pipeline_core::api::registry;

use crate::browser::Browser;
use crate::server::{Weir, plugin, scratch, wait_for};

#[test]
fn faults_are_started_and_stopped_there_and_are_in_sight_everywhere() {
    let (dir, data) = scratch();
    let source = "export function processEvent(event) { return event }";
    let own = plugin(dir.path(), "own", "index.js", source).display().to_string();
    let arguments = ["--demo", "--demo-rate", "300", "--supervise", "--plugin", &own];
    let weir = Weir::start_with(&data, &arguments);
    let browser = Browser::in_studio(dir.path(), &weir);
    assert_eq!(browser.text("fault-chip"), None, "nothing is broken");
    browser.run("location.hash = '#/faults'");
    wait_for("the palette", || browser.text("fault-worker_stall"));
    let sinkless = browser.text("fault-sink_429").expect("a card");
    assert!(sinkless.contains("Not now") && sinkless.contains("weir sink add"), "{sinkless}");

    // A setting, a time, and the button.
    browser.run(
        "const e = document.querySelector('[data-testid=\"fault-slow_plugin\"] input'); e.value = '30'; \
         e.dispatchEvent(new Event('change', {bubbles: true}))",
    );
    browser.press("[data-testid='fault-toggle-slow_plugin']");
    let card = wait_for("the fault", || browser.text("fault-slow_plugin").filter(|text| text.contains("s left")));
    assert!(card.contains("struck"), "{card}");
    let settings = weir.call::<registry::Faults>(&Default::default()).expect("a list").faults;
    let slow = settings.into_iter().find(|fault| fault.name == "slow_plugin").expect("the fault");
    assert_eq!(slow.settings.iter().find(|one| one.name == "delay_ms").expect("a setting").value, "30");
    wait_for("the chip", || browser.text("fault-chip").filter(|text| text == "Fault: Slow plugin"));
    browser.press("[data-testid='fault-toggle-worker_stall']");
    wait_for("both", || browser.text("fault-chip").filter(|text| text == "2 faults"));
    wait_for("a backlog", || browser.number("fault-depth-intake").filter(|waiting| *waiting > 200));
    if let Some(path) = std::env::var_os("WEIR_SCREENSHOT") {
        browser.screenshot(Path::new(&path));
    }
    browser.run("location.hash = '#/live'");
    wait_for("another screen", || browser.text("fault-worker_stall").is_none().then_some(()));
    assert_eq!(browser.text("fault-chip").as_deref(), Some("2 faults"));
    browser.run("location.hash = '#/faults'");
    wait_for("the palette", || browser.text("fault-worker_stall"));
    browser.press("[data-testid='faults-stop']");
    wait_for("the end", || browser.text("fault-chip").is_none().then_some(()));
    wait_for("the backlog to be gone", || browser.number("fault-depth-intake").filter(|waiting| *waiting < 50));
    assert_eq!(browser.number("fault-mismatches"), Some(0));
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");

    // The page is let in by the server that takes the place of the killed one.
    browser.press("[data-testid='fault-toggle-kill_mid_batch']");
    wait_for("the restart", || browser.number("fault-restarts").filter(|restarts| *restarts == 1));
    wait_for("the connection", || browser.text("connection").filter(|text| text == "Connected"));
    let stop = DemoRequest { running: Some(false), events_per_second: None };
    weir.call::<registry::Demo>(&stop).expect("it stops");
    assert_eq!(weir.settle().ledger.unexplained, 0);
    weir.stop();
}
