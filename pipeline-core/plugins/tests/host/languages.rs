//! The same behaviour in Rust and in Python: what one language gets wrong, the other gets wrong too, and the
//! host treats both alike.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use weir_api::plugin::PluginState;
use weir_event::journal::{Fate, LogLevel, StepLabel};
use weir_plugins::{BatchResult, Called, ExportMethod, Lane, Limits, Task};

use crate::samples::crate_dir;
use crate::support::{Bench, configured, error, event, has_python, labels, output, run_numbered};

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Rust,
    Python,
}

use Language::{Python, Rust};

impl Language {
    fn dir(self) -> PathBuf {
        let name = match self {
            Rust => "rust-behaviours",
            Python => "python-behaviours",
        };
        crate_dir().join("tests/fixtures").join(name)
    }

    /// Those that can be built here.
    fn all() -> Vec<Self> {
        if has_python() { vec![Rust, Python] } else { vec![Rust] }
    }

    fn file(self) -> &'static str {
        match self {
            Rust => "src/lib.rs",
            Python => "plugin.py",
        }
    }
}

fn behaving_within(language: Language, behaviour: &str, limits: Limits) -> (Bench, Lane) {
    let bench = Bench::with_limits(limits);
    let view = bench.host.add(&language.dir()).unwrap();
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    let view = bench.host.configure(&view.id, configured("behaviour", behaviour)).unwrap();
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    bench.host.drain_control();
    let lane = bench.host.lane();
    (bench, lane)
}

fn behaving(language: Language, behaviour: &str) -> (Bench, Lane) {
    behaving_within(language, behaviour, Limits::default())
}

/// Event 3 of ten fails in such a way that it passes as it entered; the others are none the worse for it.
fn only_the_fourth_is_hurt(result: &BatchResult, is_lost: bool) {
    for (at, event) in result.events.iter().enumerate() {
        if at == 3 {
            assert_eq!(labels(event), [StepLabel::Error]);
            continue;
        }
        assert_eq!(labels(event), [StepLabel::Modified], "event {at}: {event:?}");
        let count = match (at < 3, is_lost) {
            (true, _) => at + 1,
            (false, true) => at - 3,
            (false, false) => at,
        };
        assert_eq!(output(event)["properties"]["count"], count, "event {at}");
    }
}

/// A fault that costs the instance, told as `kind` and `message`.
fn costs_the_instance(language: Language, behaviour: &str, limits: Limits, kind: &str, message: &str) {
    let (bench, mut lane) = behaving_within(language, behaviour, limits);
    let result = run_numbered(&mut lane, 10);
    only_the_fourth_is_hurt(&result, true);
    let hurt = &result.events[3];
    assert_eq!(hurt.output, None, "passes as it entered");
    assert!(error(hurt).contains(message), "{}", error(hurt));
    let stored: Vec<_> = result.storage.iter().filter_map(|write| write.value.as_deref()).collect();
    assert_eq!(stored, ["0", "1", "2", "4", "5", "6", "7", "8", "9"], "what it stored is forgotten");
    let view = bench.view(0);
    assert_eq!((view.instances_lost, view.errors), (1, 1));
    assert_eq!(view.last_error.unwrap().kind, kind);
}

#[test]
fn an_event_handed_on_is_unmodified() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "pass");
        let result = run_numbered(&mut lane, 300);
        assert!(result.events.iter().all(|event| labels(event) == [StepLabel::Unmodified] && event.output.is_none()));
    }
}

#[test]
fn changes_drops_and_storage() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "drop");
        let result = run_numbered(&mut lane, 10);
        for (at, event) in result.events.iter().enumerate() {
            if at == 3 {
                assert_eq!((&event.fate, labels(event)), (&Fate::Dropped, vec![StepLabel::Dropped]));
            } else {
                let properties = &output(event)["properties"];
                assert_eq!(properties["n"], at);
                assert_eq!(properties["count"], if at < 3 { at + 1 } else { at });
            }
        }
        assert_eq!(result.storage.len(), 10);
        assert!(result.storage.iter().all(|write| write.key == "last"));
    }
}

#[test]
fn an_error_names_its_place() {
    for (language, message) in
        [(Rust, "invalid digit found in string (src/lib.rs:"), (Python, "ValueError: invalid literal")]
    {
        if !Language::all().contains(&language) {
            continue;
        }
        let (bench, mut lane) = behaving(language, "throw");
        let result = run_numbered(&mut lane, 10);
        only_the_fourth_is_hurt(&result, false);
        let told = error(&result.events[3]);
        assert!(told.contains(message), "{told}");
        let place = place_of(told, language.file());
        let text = std::fs::read_to_string(language.dir().join(language.file())).unwrap();
        assert!(text.lines().nth(place - 1).unwrap().contains("much"), "line {place} of {}", language.file());
        assert_eq!(bench.view(0).instances_lost, 0);
    }
}

/// The line in `message (file:line:column)`.
fn place_of(message: &str, file: &str) -> usize {
    let (_, after) = message.split_once(&format!("({file}:")).unwrap_or_else(|| panic!("no place: {message}"));
    after.split_once(':').unwrap().0.parse().unwrap()
}

#[test]
fn a_panic_costs_the_instance_and_names_its_place() {
    costs_the_instance(Rust, "panic", Limits::default(), "trap", "panic: all is lost (src/lib.rs:");
    if has_python() {
        let (_bench, mut lane) = behaving(Python, "panic");
        let result = run_numbered(&mut lane, 10);
        only_the_fourth_is_hurt(&result, false);
        assert!(error(&result.events[3]).starts_with("RuntimeError: all is lost (plugin.py:"));
    }
}

#[test]
fn endless_loops() {
    for language in Language::all() {
        costs_the_instance(
            language,
            "loop",
            Limits::default(),
            "timeout",
            "time limit: processEvent ran longer than 100 ms",
        );
    }
}

#[test]
fn loops_of_too_many_instructions() {
    for language in Language::all() {
        let limits = Limits {
            cpu_per_event: Duration::from_secs(20),
            instructions_per_event: Some(50_000_000),
            ..Limits::default()
        };
        let message = "instruction limit: processEvent executed more than 50000000";
        costs_the_instance(language, "loop", limits, "instructions", message);
    }
}

#[test]
fn memory_bombs() {
    for language in Language::all() {
        let limits = Limits { cpu_per_event: Duration::from_secs(20), ..Limits::default() };
        costs_the_instance(language, "bomb", limits, "memory", "memory limit: processEvent needed more than 64 MiB");
    }
}

#[test]
fn recursion_without_end() {
    let limits = || Limits { cpu_per_event: Duration::from_secs(20), ..Limits::default() };
    costs_the_instance(Rust, "deep", limits(), "trap", "processEvent");
    if has_python() {
        let (_bench, mut lane) = behaving_within(Python, "deep", limits());
        let result = run_numbered(&mut lane, 10);
        only_the_fourth_is_hurt(&result, false);
        assert!(error(&result.events[3]).starts_with("RecursionError"), "{}", error(&result.events[3]));
    }
}

#[test]
fn waiting_is_limited_however_it_is_done() {
    for language in Language::all() {
        let limits = Limits { wait: Duration::from_millis(150), ..Limits::default() };
        let words = "timed out after promise waited for 0.15 seconds";
        costs_the_instance(language, "sleep", limits.clone(), "waiting", words);

        let (_bench, mut lane) = behaving_within(language, "wait", limits);
        let result = run_numbered(&mut lane, 10);
        only_the_fourth_is_hurt(&result, false);
        assert!(error(&result.events[3]).contains(words), "{}", error(&result.events[3]));
    }
}

#[test]
fn leaving_is_no_way_out() {
    costs_the_instance(Rust, "exit", Limits::default(), "trap", "exit was called");
    if has_python() {
        let (_bench, mut lane) = behaving(Python, "exit");
        let result = run_numbered(&mut lane, 10);
        only_the_fourth_is_hurt(&result, false);
        assert!(error(&result.events[3]).starts_with("SystemExit"), "{}", error(&result.events[3]));
    }
}

#[test]
fn an_event_cannot_move_to_another_team() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "team");
        let result = run_numbered(&mut lane, 10);
        assert_eq!(labels(&result.events[3]), [StepLabel::Error]);
        assert!(error(&result.events[3]).contains("tried to change event.team_id"));
        assert!(result.events[3].output.as_deref().is_none_or(|text| text.contains("\"team_id\":2")));
    }
}

#[test]
fn output_becomes_lines_of_the_log() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "print");
        let result = run_numbered(&mut lane, 2);
        for line in [
            (LogLevel::Info, "out 0"),
            (LogLevel::Warn, "warning 0"),
            (LogLevel::Info, "out 1"),
            (LogLevel::Error, "error 0error 1"),
        ] {
            let is_there = result.logs.iter().any(|told| (told.level, told.message.as_str()) == line);
            assert!(is_there, "{line:?} in {:?}", result.logs);
        }
    }
}

#[test]
fn nothing_outside_can_be_reached() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "reach");
        let result = run_numbered(&mut lane, 4);
        assert_eq!(labels(&result.events[3]), [StepLabel::Modified], "{:?}", result.events[3]);
        assert_eq!(output(&result.events[3])["properties"]["reached"], json!([]));
        assert!(!std::path::Path::new("/tmp/left-behind").exists());
    }
}

#[test]
fn a_setup_that_fails_is_a_failed_load() {
    for language in Language::all() {
        let bench = Bench::new();
        let view = bench.host.add(&language.dir()).unwrap();
        let view = bench.host.configure(&view.id, configured("behaviour", "refuse")).unwrap();
        assert_eq!(view.state, PluginState::Failed);
        let problem = view.load_error.unwrap();
        assert!(problem.message.contains("no such luck"), "{problem:?}");
        assert_eq!(problem.file, language.file());
        assert!(problem.excerpt.contains("no such luck"), "{problem:?}");
    }
}

#[test]
fn the_version_names_code_and_configuration() {
    for language in Language::all() {
        let versions: Vec<String> =
            ["pass", "drop", "pass"].map(|behaviour| behaving(language, behaviour).0.view(0).version).into();
        assert_eq!(versions[0], versions[2], "the same everywhere");
        assert_ne!(versions[0], versions[1]);
    }
}

#[test]
fn events_of_any_shape_come_through() {
    for language in Language::all() {
        let (_bench, mut lane) = behaving(language, "print");
        let mut odd = event(1);
        odd["properties"] =
            json!({ "n": 1, "text": "\u{1F980} \"quoted\" \u{0}", "deep": [[{ "a": null }]], "big": 1e300 });
        let result = crate::support::run(&mut lane, &[odd.clone()]);
        let mut after = output(&result.events[0]);
        after["properties"].as_object_mut().unwrap().remove("count");
        assert_eq!(after, odd);
    }
}

#[test]
fn everything_the_host_offers_is_there() {
    for language in Language::all() {
        let (bench, mut lane) = behaving(language, "services");
        let result = run_numbered(&mut lane, 4);
        let expected = json!({
            "status": 201, "source": "mock", "rate": 1.08, "is_unknown_refused": true, "text": "v", "counter": 2,
            "list": ["b", "a"], "popped": ["b"], "left": 1, "country": "SE", "nowhere": null, "sum": 4,
        });
        let after = &output(&result.events[3])["properties"]["services"];
        for (name, value) in expected.as_object().unwrap() {
            let given = &after[name];
            let is_same = given == value || given.as_f64().is_some_and(|given| Some(given) == value.as_f64());
            assert!(is_same, "{name}: {given}, expected {value}");
        }
        assert!(result.events[3].steps[0].effect.wait_us >= 5_000, "waiting is metered: {:?}", result.events[3].steps);
        let sum = result.storage.iter().find(|write| write.key == "sum").unwrap();
        assert_eq!(sum.value.as_deref(), Some("2.5"));
        let made: serde_json::Value = serde_json::from_str(&result.emitted[0].2).unwrap();
        assert_eq!((result.emitted.len(), result.emitted[0].0), (1, 3));
        assert_eq!(made, json!({ "event": "made", "distinct_id": "ada", "properties": { "by": "services" } }));
        assert_eq!(result.jobs.len(), 1);
        assert_eq!((result.jobs[0].name.as_str(), result.jobs[0].payload.as_str()), ("later", "{\"n\":3}"));
        let in_ms = result.jobs[0].at_ms - weir_event::Clock::now_ms(&weir_event::SystemClock) as f64;
        assert!((50_000.0..=60_000.0).contains(&in_ms), "{in_ms}");
        assert_eq!(bench.view(0).errors, 0);
    }
}

#[test]
fn what_is_not_about_processing_is_called_too() {
    for language in Language::all() {
        let (bench, _) = behaving(language, "pass");
        let id = bench.view(0).id;
        let mut caller = bench.host.caller(&id);
        assert_eq!(caller.run(&Task::Schedule("runEveryMinute".into())), Called::Done(None));
        assert_eq!(caller.run(&Task::Schedule("runEveryDay".into())), Called::Absent);
        let job = |name: &str| Task::Job { name: name.into(), payload: "{\"n\":3}".into() };
        assert_eq!(caller.run(&job("later")), Called::Done(None));
        assert!(matches!(caller.run(&job("never")), Called::Failed(message) if message.contains("there is no job")));
        let emitted = caller.take_emitted();
        assert_eq!(emitted.len(), 1);
        assert!(emitted[0].contains("\"tick\"") && emitted[0].contains("\"clock\""), "{emitted:?}");

        let stored = |name: &str| json!({ "event": name, "distinct_id": "d", "properties": {} }).to_string();
        let mut on_event = bench.host.exporter(&id, ExportMethod::OnEvent);
        assert_eq!(on_event.call(&[stored("sale")]), Called::Done(None));
        assert!(matches!(on_event.call(&[stored("again")]), Called::Again(message) if message.contains("not now")));
        let mut export = bench.host.exporter(&id, ExportMethod::ExportEvents);
        assert_eq!(export.call(&[stored("a"), stored("b")]), Called::Done(None));

        drop((caller, on_event, export));
        bench.host.remove(&id).unwrap();
        bench.host.shutdown();
        let told: Vec<String> = bench.host.drain_control().logs.into_iter().map(|line| line.message).collect();
        for line in ["every Minute", "job later {\"n\":3}", "stored sale", "exported a b", "gone"] {
            assert!(told.iter().any(|message| message == line), "{line} in {told:?}");
        }
    }
}
