use super::*;

/// The least that a scenario has.
const LEAST: &str = r#"title = "t"
description = "d"
token = "phc_t"
start = "2026-01-05T08:00:00Z"
events_per_second = 10
places = [{ city = "Berlin" }]

[catalogues]
products = [{ name = "Mug", price = 14.5 }, { name = "Tote", price = 18 }]

[personas.visitor]
journey = "walk"

[journeys.walk]
start = { page = 1 }

[journeys.walk.states.page]
event = "seen"
pick = ["products"]
properties = { product = "{products.name}" }
next = { page = 1, leave = 1 }
"#;

/// What is said of the scenario with one part replaced: place, reason, hint.
fn told(part: &str, by: &str) -> (usize, usize, String, String) {
    assert!(LEAST.contains(part), "{part}");
    let text = LEAST.replace(part, by);
    let error = Scenario::read(&text, "s.toml").expect_err(by);
    assert!(error.line > 0 && error.excerpt == text.lines().nth(error.line - 1).unwrap_or_default(), "{error:?}");
    (error.line, error.column, error.reason, error.hint)
}

#[test]
fn the_least_is_enough() {
    let scenario = Scenario::read(LEAST, "s.toml").expect("a scenario");
    assert_eq!((scenario.token.as_str(), scenario.events_per_1000_s), ("phc_t", 10_000));
}

#[test]
fn every_scenario_that_is_built_in_can_be_told() {
    for built_in in BUILT_IN {
        let scenario =
            Scenario::read(built_in.text, built_in.name).unwrap_or_else(|error| panic!("{error}: {}", error.hint));
        assert!(scenario.title.len() < 40 && scenario.description.len() > 40, "{}", built_in.name);
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_a_way_out() {
    for (part, by, place, reason, hint) in [
        ("title =", "titel =", (1, 1), "unknown field `titel`", "Did you mean `title`?"),
        (
            "events_per_second = 10",
            "events_per_second = \"10\"",
            (5, 21),
            "invalid type: string \"10\", expected f64",
            "",
        ),
        (
            "events_per_second = 10",
            "events_per_second = 0",
            (5, 21),
            "events_per_second is out of range",
            "it is the mean",
        ),
        ("\"2026-01-05T08:00:00Z\"", "\"Monday\"", (4, 9), "start is no moment", "write one like"),
        ("\"phc_t\"", "\"phx_t\"", (3, 9), "token cannot be a project token", "phx_ is for personal keys"),
        ("journey = \"walk\"", "journey = \"wlak\"", (12, 11), "there is no journey `wlak`", "Did you mean `walk`?"),
        ("start = { page = 1 }", "start = { paeg = 1 }", (15, 11), "there is no state `paeg`", "Did you mean `page`?"),
        ("start = { page = 1 }", "start = { leave = 1 }", (15, 9), "a journey starts at a state", "landing"),
        ("event = \"seen\"", "", (15, 9), "no state that this journey reaches sends an event", "give a state an event"),
        (
            "pick = [\"products\"]",
            "pick = [\"prodcuts\"]",
            (19, 9),
            "there is no catalogue `prodcuts`",
            "Did you mean `products`?",
        ),
        (
            "{products.name}",
            "{products.nam}",
            (20, 26),
            "nothing is called {products.nam}",
            "Did you mean {products.name}?",
        ),
        ("{products.name}", "{product", (20, 26), "there is a lone {", "stands twice"),
        ("\"{products.name}\"", "{ one_of = [] }", (20, 26), "one_of has nothing to choose from", ""),
        (
            "\"{products.name}\"",
            "{ fake = \"nmae\" }",
            (20, 26),
            "there is no fake value `nmae`; did you mean `name`?",
            "",
        ),
        ("\"{products.name}\"", "{ int = [9, 1] }", (20, 26), "not in ascending order", ""),
        ("\"{products.name}\"", "{ int = [1, 9], length = 3 }", (20, 26), "`length` means nothing beside `int`", ""),
        ("price = 18", "cost = 18", (9, 45), "items of products need the same fields", "name, price"),
        ("[personas.visitor]", "[mess]\nduplicate = 2\n[personas.visitor]", (12, 13), "2 is no share", ""),
        (
            "[personas.visitor]",
            "[events.sene]\n[personas.visitor]",
            (11, 9),
            "there is no event that a state sends `sene`",
            "Did you mean `seen`?",
        ),
    ] {
        let (line, column, told, hinted) = told(part, by);
        assert!(told.contains(reason) && hinted.contains(hint), "{by}: {told} | {hinted}");
        assert_eq!((line, column), place, "{by}: {told}");
    }
}

#[test]
fn a_run_changes_what_it_wants_to() {
    let rate = Rate::new(0.5).expect("a share");
    let overrides =
        Overrides { start_ms: Some(5), events_per_second: Some(0.5), mess: vec![(crate::Mess::Late, rate)] };
    let scenario = BUILT_IN[0].scenario().with(&overrides);
    assert_eq!((scenario.start_ms, scenario.events_per_1000_s, scenario.mess.late), (5, 500, rate));
    assert_eq!(scenario.mess.bots, BUILT_IN[0].scenario().mess.bots);
}
