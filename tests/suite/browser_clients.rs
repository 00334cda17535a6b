//! The official browser libraries in a real browser, on a page of another origin than the capture port.

use std::path::Path;

use serde_json::Value;

use crate::browser::Browser;
use crate::clients::{check_rows, installed};
use crate::server::{Weir, scratch, wait_for};
use crate::site::Site;
use crate::wiretap::{Request, Wiretap};

fn page(script: &str, title: &str) -> (String, &'static str, Vec<u8>) {
    let html = format!(
        "<!doctype html><html><head><meta charset=utf-8><title>{title}</title>{script}</head>\
         <body><button id=buy class='big red' data-plan=pro>Käse kaufen</button></body></html>"
    );
    ("/".into(), "text/html; charset=utf-8", html.into_bytes())
}

/// Waits until the page has sent an event with this name, and gives it.
fn sent(wiretap: &Wiretap, name: &str) -> Value {
    wait_for(&format!("{name} to be sent"), || wiretap.events().into_iter().find(|event| event["event"] == name))
}

/// Every event on the wire is in the store, and nothing was refused.
fn check_all(weir: &Weir, wiretap: &Wiretap) -> Vec<Value> {
    let status = wait_for("the page's events", || {
        let status = weir.settle();
        (status.ledger.received >= wiretap.events().len() as u64).then_some(status)
    });
    let events = wiretap.events();
    assert_eq!((status.ledger.rejected, status.ledger.dead_lettered, status.ledger.unexplained), (0, 0, 0));
    assert_eq!(wiretap.failures(), Vec::<String>::new());
    check_rows(weir, &events);
    events
}

/// The person that owns an id.
fn owner(weir: &Weir, distinct_id: &str) -> String {
    let sql = format!("SELECT person_id FROM person_distinct_ids WHERE distinct_id = '{distinct_id}'");
    let rows = weir.query(&sql);
    assert_eq!(rows.len(), 1, "{distinct_id} has one person");
    rows[0]["person_id"].as_str().expect("a uuid").to_owned()
}

#[test]
fn posthog_js_from_page_view_to_leaving() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    let wiretap = Wiretap::before(&weir.capture);
    let library = std::fs::read(installed("node_modules/posthog-js/dist/array.full.js")).expect("the built library");
    // A driven browser counts as a robot, whose events the library would not send.
    let script = format!(
        "<script src=/posthog.js></script><script>posthog.init('phc_browser', {{api_host: '{}', \
         opt_out_useragent_filter: true, person_profiles: 'always'}})</script>",
        wiretap.url
    );
    let site = Site::serve(vec![page(&script, "Shop"), ("/posthog.js".into(), "text/javascript", library)]);
    let browser = Browser::open(&dir.path().join("profile"));
    browser.go(&site.url);

    let view = sent(&wiretap, "$pageview");
    let anonymous = view["properties"]["distinct_id"].as_str().expect("an id").to_owned();
    browser.press("#buy");
    let click = sent(&wiretap, "$autocapture");
    assert_eq!(click["properties"]["$event_type"], "click");
    browser.run(
        "posthog.identify('user-1', {email: 'user-1@example.com'}, {source: 'first'}); \
         posthog.group('company', 'acme', {seats: 3}); \
         posthog.capture('bought', {price: 12.5, title: 'Käse & 🧀', nested: {list: [1, null, 'x']}}); \
         posthog.setPersonProperties({plan: 'pro'}, {source: 'second'})",
    );
    sent(&wiretap, "$set");
    sent(&wiretap, "bought");
    sent(&wiretap, "$groupidentify");
    browser.run("posthog.reset(); posthog.capture('looked')");
    let fresh = sent(&wiretap, "looked")["properties"]["distinct_id"].as_str().expect("an id").to_owned();
    assert_ne!(fresh, anonymous);
    browser.run("posthog.capture('unsent')");
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");
    // The page is left with an event still in the library's queue.
    browser.go("about:blank");
    sent(&wiretap, "unsent");
    sent(&wiretap, "$pageleave");
    // Browsers mark a beacon so; it is the one request whose answer a page cannot read.
    let is_beacon = |request: &Request| request.headers.contains("Sec-Fetch-Mode: no-cors");
    assert!(wiretap.requests().iter().any(is_beacon), "the last events came as a beacon");

    let events = check_all(&weir, &wiretap);
    assert!(wiretap.requests().iter().all(|request| !request.headers.contains("Origin: null")));
    let origins = wiretap.requests().iter().filter(|request| request.headers.contains(&site.url)).count();
    assert!(origins > 0, "the page is of another origin");
    let bought = weir.query("SELECT distinct_id, properties FROM events WHERE event = 'bought'");
    assert_eq!(bought[0]["distinct_id"], "user-1");
    assert_eq!(bought[0]["properties"]["price"], 12.5);
    assert_eq!(bought[0]["properties"]["title"], "Käse & 🧀");
    assert_eq!(bought[0]["properties"]["$groups"]["company"], "acme");
    assert_eq!(bought[0]["properties"]["$lib"], "web");
    let view = weir.query("SELECT properties FROM events WHERE event = '$pageview'");
    assert_eq!(view[0]["properties"]["$current_url"], format!("{}/", site.url));
    assert_eq!(owner(&weir, &anonymous), owner(&weir, "user-1"), "identifying made one person of two ids");
    assert_ne!(owner(&weir, &fresh), owner(&weir, "user-1"), "after a reset it is another person");
    let person = weir.query(&format!("SELECT properties FROM persons WHERE id = '{}'", owner(&weir, "user-1")));
    assert_eq!(person[0]["properties"]["email"], "user-1@example.com");
    assert_eq!(person[0]["properties"]["plan"], "pro");
    assert_eq!(person[0]["properties"]["source"], "first");
    assert!(events.len() >= 8, "{}", events.len());
    weir.stop();
}

/// The library and what it imports, as a browser loads modules.
fn modules(root: &Path, dir: &Path, prefix: &str, files: &mut Vec<(String, &'static str, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            modules(root, &entry, prefix, files);
        } else if entry.extension().is_some_and(|extension| extension == "mjs") {
            let name = entry.strip_prefix(root).expect("inside").display().to_string();
            files.push((format!("{prefix}/{name}"), "text/javascript", std::fs::read(&entry).expect("a file")));
        }
    }
}

#[test]
fn posthog_js_lite_in_a_page() {
    let (dir, data) = scratch();
    let weir = Weir::start(&data);
    let wiretap = Wiretap::before(&weir.capture);
    let script = format!(
        "<script type=importmap>{{\"imports\": {{\"@posthog/core\": \"/core/index.mjs\"}}}}</script>\
         <script type=module>import {{PostHog}} from '/lite/index.mjs'; \
         window.client = new PostHog('phc_lite', {{host: '{}', flushAt: 1}});</script>",
        wiretap.url
    );
    let mut files = vec![page(&script, "Lite")];
    for (package, prefix) in [("posthog-js-lite", "/lite"), ("@posthog/core", "/core")] {
        let root = installed("node_modules").join(package).join("dist");
        modules(&root, &root, prefix, &mut files);
    }
    let site = Site::serve(files);
    let browser = Browser::open(&dir.path().join("profile"));
    browser.go(&site.url);
    wait_for("the library", || browser.run("return !!window.client").as_bool().filter(|ready| *ready));
    let anonymous = browser.run("return window.client.getDistinctId()").as_str().expect("an id").to_owned();
    browser.run("client.capture('looked', {nested: {list: [1, null, 'x']}})");
    sent(&wiretap, "looked");
    browser.run("client.identify('user-1', {email: 'user-1@example.com'})");
    sent(&wiretap, "$identify");
    browser.run(
        "client.group('company', 'acme', {seats: 3}); \
         client.capture('bought', {price: 12.5, title: 'Käse & 🧀', $set: {plan: 'pro'}})",
    );
    sent(&wiretap, "bought");
    sent(&wiretap, "$groupidentify");
    browser.run("client.reset(); client.capture('fresh')");
    let fresh = sent(&wiretap, "fresh")["distinct_id"].as_str().expect("an id").to_owned();
    assert_eq!(browser.errors(), Vec::<String>::new(), "nothing on the console");

    check_all(&weir, &wiretap);
    let bought = weir.query("SELECT distinct_id, properties FROM events WHERE event = 'bought'");
    assert_eq!(bought[0]["distinct_id"], "user-1");
    assert_eq!(bought[0]["properties"]["price"], 12.5);
    assert_eq!(bought[0]["properties"]["title"], "Käse & 🧀");
    assert_eq!(bought[0]["properties"]["$groups"]["company"], "acme");
    assert_eq!(bought[0]["properties"]["$lib"], "js");
    assert_eq!(owner(&weir, &anonymous), owner(&weir, "user-1"));
    let after =
        weir.query(&format!("SELECT DISTINCT person_id, person_mode FROM events WHERE distinct_id = '{fresh}'"));
    assert_ne!(after[0]["person_id"].as_str(), Some(owner(&weir, "user-1").as_str()));
    assert_eq!(after[0]["person_mode"], "propertyless", "it asks for no profile of the unidentified");
    let person = weir.query(&format!("SELECT properties FROM persons WHERE id = '{}'", owner(&weir, "user-1")));
    assert_eq!(person[0]["properties"]["email"], "user-1@example.com");
    assert_eq!(person[0]["properties"]["plan"], "pro");
    weir.stop();
}
