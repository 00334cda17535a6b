//! What makes other hot reloads loop, fire twice, mix versions or fall silent.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use weir_api::plugin::{PluginState, PluginView};
use weir_event::journal::{PluginAttachment, StepLabel};
use weir_plugins::Settings;

use crate::support::{Bench, labels, output, run_numbered, run_one, write};

/// Longer than the loader's look at every folder.
const A_LOOK: Duration = Duration::from_millis(1300);

fn marking(mark: u32) -> String {
    format!("export const processEvent = (e) => ({{ ...e, mark: {mark} }})")
}

fn mark(bench: &Bench) -> u64 {
    output(&run_one(&mut bench.host.lane()))["mark"].as_u64().unwrap()
}

fn one_plugin(files: &[(&str, &str)]) -> (Bench, std::path::PathBuf) {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    bench.live("plugin", files);
    (bench, dir)
}

impl Bench {
    fn reaches(&self, generation: u64) -> PluginView {
        let view = self.wait_for("the generation", 0, |view| view.generation >= generation);
        assert_eq!(view.generation, generation, "one save, one generation");
        view
    }

    /// Neither now nor after the next look.
    fn stays_at(&self, generation: u64) {
        self.loads();
        std::thread::sleep(A_LOOK);
        let view = self.view(0);
        assert_eq!((view.generation, view.state), (generation, PluginState::Live), "{view:?}");
        assert_eq!(self.loads(), 0, "nothing was loaded");
    }

    /// However many loads it takes, they end with this.
    fn ends_at(&self, mark: u64) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut lane = self.host.lane();
        loop {
            let result = run_one(&mut lane);
            if labels(&result) == [StepLabel::Modified] && output(&result)["mark"] == mark {
                return;
            }
            assert!(Instant::now() < deadline, "never {mark}: {result:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lines that tell of loads, good or bad.
    fn loads(&self) -> usize {
        let logs = self.host.drain_control().logs;
        logs.iter()
            .filter(|line| line.message.starts_with("Plugin loaded") || line.message.contains("oad failed"))
            .count()
    }
}

#[test]
fn what_a_build_writes_beside_the_source_starts_no_load() {
    let (bench, dir) = one_plugin(&[("index.ts", &marking(1)), ("package.json", "{}")]);
    bench.loads();
    for path in [
        "dist/index.js",
        "dist/index.js.map",
        "node_modules/a/index.js",
        "target/debug/a.json",
        "index.ts.map",
        "index.d.ts",
        ".cache/x.js",
        "__snapshots__/x.snap",
        "build.log",
        "index.ts.tmp",
        ".index.ts.swp",
        "index.ts~",
    ] {
        write(&dir, path, "export const processEvent = () => null");
        write(&dir, path, "export const processEvent = () => undefined");
    }
    bench.stays_at(1);
    assert_eq!(mark(&bench), 1);
}

/// The loop of other tools: a reload that builds, which writes, which reloads.
#[test]
fn a_build_that_answers_each_load_with_a_write_does_not_loop() {
    let manifest = r#"{"main": "dist/index.js"}"#;
    let (bench, dir) = one_plugin(&[("plugin.json", manifest), ("dist/index.js", &marking(1)), ("src/a.ts", "1")]);
    write(&dir, "src/a.ts", "2");
    let mut generation = 1;
    let end = Instant::now() + Duration::from_secs(3);
    let mut builds = 0;
    while Instant::now() < end {
        let now = bench.view(0).generation;
        if now != generation || builds == 0 {
            generation = now;
            builds += 1;
            // Once more the same code, and a map with the time in it.
            write(&dir, "dist/index.js", &marking(2));
            write(&dir, "dist/index.js.map", &format!("{{\"built\": {builds}}}"));
            write(&dir, "dist/meta.json", &format!("{{\"built\": {builds}}}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((generation, builds), (2, 2), "one change of code, one generation");
    assert_eq!(mark(&bench), 2);
}

#[test]
fn a_save_by_rename_with_rights_and_times_is_one_generation() {
    let (bench, dir) = one_plugin(&[("index.ts", &marking(0))]);
    for round in 1..=4_u32 {
        write(&dir, "4913", "");
        fs::remove_file(dir.join("4913")).unwrap();
        write(&dir, "index.ts.new.tmp", &marking(round));
        fs::rename(dir.join("index.ts.new.tmp"), dir.join("index.ts")).unwrap();
        fs::set_permissions(dir.join("index.ts"), fs::Permissions::from_mode(0o600 + (round % 2) * 0o44)).unwrap();
        fs::File::options()
            .append(true)
            .open(dir.join("index.ts"))
            .unwrap()
            .set_modified(std::time::SystemTime::now())
            .unwrap();
        bench.reaches(u64::from(round) + 1);
    }
    bench.stays_at(5);
    assert_eq!(mark(&bench), 4);
}

#[test]
fn an_identical_save_is_no_generation() {
    let (bench, dir) = one_plugin(&[("index.ts", &marking(1))]);
    bench.loads();
    write(&dir, "index.ts", &marking(1));
    fs::set_permissions(dir.join("index.ts"), fs::Permissions::from_mode(0o640)).unwrap();
    bench.stays_at(1);
    // A comment is another content: its line numbers are those of errors.
    write(&dir, "index.ts", &format!("// more\n{}", marking(1)));
    bench.reaches(2);
}

#[test]
fn a_file_that_is_still_being_written_is_waited_for() {
    use std::io::Write as _;
    let (bench, dir) = one_plugin(&[("index.js", &marking(1))]);
    bench.loads();
    // Each half is valid by itself; together they are something else.
    let mut file = fs::File::create(dir.join("index.js")).unwrap();
    file.write_all(b"export const processEvent = (e) => ({ ...e, mark: mark() })\nlet mark = () => 2\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(bench.view(0).generation, 1, "half a file is not loaded");
    file.write_all(b"mark = () => 3\n").unwrap();
    drop(file);
    bench.reaches(2);
    assert_eq!(mark(&bench), 3);
    bench.stays_at(2);
}

#[test]
fn a_half_written_file_that_was_closed_fails_and_then_heals() {
    let (bench, dir) = one_plugin(&[("index.js", &marking(1))]);
    let whole = marking(2);
    write(&dir, "index.js", &whole[..whole.len() - 6]);
    bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    assert_eq!(mark(&bench), 1, "the last good version serves");
    write(&dir, "index.js", &whole);
    bench.reaches(2);
    assert_eq!(mark(&bench), 2);
}

#[test]
fn configuration_and_attachments_reload_like_code() {
    let manifest = |default: &str| format!(r#"{{"config": [{{"key": "a", "default": "{default}"}}]}}"#);
    let code = "export const processEvent = (e, { config, attachments }) =>\n\
                ({ ...e, mark: [config.a, attachments.file?.contents.toString() ?? null] })";
    let (bench, dir) = one_plugin(&[("plugin.json", &manifest("1")), ("index.js", code)]);
    let seen = || output(&run_one(&mut bench.host.lane()))["mark"].clone();
    assert_eq!(seen(), json!(["1", null]));
    write(&dir, "plugin.json", &manifest("2"));
    bench.reaches(2);
    assert_eq!(seen(), json!(["2", null]));
    let attached = |contents: &str| {
        let file = PluginAttachment {
            key: "file".into(),
            content_type: "text/plain".into(),
            file_name: "f.txt".into(),
            contents: contents.as_bytes().to_vec(),
        };
        Settings { attachments: vec![file], ..Settings::default() }
    };
    bench.host.configure("plugin", attached("x")).unwrap();
    bench.reaches(3);
    assert_eq!(seen(), json!(["2", "x"]));
    bench.host.configure("plugin", attached("x")).unwrap();
    bench.reaches(3);
    bench.host.configure("plugin", attached("y")).unwrap();
    bench.reaches(4);
    let values = [("a".to_owned(), Some("3".to_owned()))].into();
    bench.host.configure("plugin", Settings { values, ..attached("y") }).unwrap();
    assert_eq!(seen(), json!(["3", "y"]));
    // Code that is saved afterwards keeps what is configured.
    write(&dir, "index.js", &format!("{code}\n"));
    bench.reaches(6);
    assert_eq!(seen(), json!(["3", "y"]));
}

/// A plugin of many files that all say the same number, and says whether they do.
fn many_files(dir: &Path, count: u32, number: u32) {
    let mut index = String::new();
    for file in 0..count {
        write(dir, &format!("lib/f{file}.js"), &format!("export default {number}"));
        let _ = writeln!(index, "import f{file} from './lib/f{file}'");
    }
    let all = (0..count).map(|file| format!("f{file}")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        index,
        "const all = new Set([{all}, {number}])\n\
         export function processEvent(e) {{ if (all.size !== 1) throw new Error('mixed'); e.mark = {number}; return e }}"
    );
    write(dir, "index.js", &index);
}

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_checkout_of_a_hundred_files_is_one_generation_and_never_a_mix() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    git(&dir, &["init", "--quiet", "--initial-branch", "one"]);
    many_files(&dir, 100, 1);
    git(&dir, &["add", "."]);
    git(&dir, &["commit", "--quiet", "-m", "1"]);
    git(&dir, &["checkout", "--quiet", "-b", "two"]);
    many_files(&dir, 100, 2);
    git(&dir, &["commit", "--quiet", "-a", "-m", "2"]);
    bench.live("plugin", &[]);
    assert_eq!(mark(&bench), 2);
    for (round, branch) in ["one", "two", "one"].into_iter().enumerate() {
        git(&dir, &["checkout", "--quiet", branch]);
        bench.reaches(round as u64 + 2);
        assert_eq!(mark(&bench), if branch == "one" { 1 } else { 2 });
    }
    bench.stays_at(4);
}

#[test]
fn a_slow_checkout_is_waited_for() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    many_files(&dir, 12, 1);
    bench.live("plugin", &[]);
    // As git does: the lock, the files one by one, the lock away.
    fs::create_dir(dir.join(".git")).unwrap();
    write(&dir, ".git/index.lock", "");
    for file in 0..12 {
        write(&dir, &format!("lib/f{file}.js"), "export default 2");
        std::thread::sleep(Duration::from_millis(40));
    }
    let index =
        fs::read_to_string(dir.join("index.js")).unwrap().replace("f11, 1]", "f11, 2]").replace("mark = 1", "mark = 2");
    write(&dir, "index.js", &index);
    assert_eq!(bench.view(0).generation, 1);
    fs::remove_file(dir.join(".git/index.lock")).unwrap();
    bench.reaches(2);
    assert_eq!(mark(&bench), 2);
}

/// Without a lock nobody can know whether more follows; what must hold is where it ends.
#[test]
fn many_files_written_by_hand_end_in_their_last_state() {
    let bench = Bench::new();
    let dir = bench.folder("plugin");
    many_files(&dir, 60, 1);
    bench.live("plugin", &[]);
    for round in 2..=5 {
        many_files(&dir, 60, round);
        bench.ends_at(u64::from(round));
    }
    assert!(bench.view(0).generation <= 20, "a burst is not a load for each file: {:?}", bench.view(0));
}

#[test]
fn a_folder_moved_away_and_back_goes_on() {
    let (bench, dir) = one_plugin(&[("index.ts", &marking(1)), ("lib/a.ts", "export const a = 1")]);
    let away = dir.with_file_name("elsewhere");
    fs::rename(&dir, &away).unwrap();
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    assert!(view.load_error.unwrap().message.contains("Cannot read the plugin's folder"));
    assert_eq!(mark(&bench), 1, "it serves on");
    // What is saved there is not this plugin's.
    write(&away, "index.ts", &marking(2));
    fs::rename(&away, &dir).unwrap();
    bench.reaches(2);
    assert_eq!(mark(&bench), 2);
    write(&dir, "index.ts", &marking(3));
    bench.reaches(3);
    fs::rename(&dir, &away).unwrap();
    fs::rename(&away, &dir).unwrap();
    std::thread::sleep(A_LOOK);
    write(&dir, "index.ts", &marking(4));
    bench.wait_for("a save after a quick move", 0, |view| view.generation == 4);
    assert_eq!(mark(&bench), 4);
}

#[test]
fn a_folder_behind_a_link_reloads_and_follows_the_link() {
    let bench = Bench::new();
    let (one, two) = (bench.folder("v1"), bench.folder("v2"));
    write(&one, "index.js", &marking(1));
    write(&two, "index.js", &marking(10));
    let link = one.with_file_name("current");
    symlink(&one, &link).unwrap();
    let view = bench.host.add(&link).unwrap();
    assert_eq!((view.id.as_str(), view.state), ("current", PluginState::Live));
    assert_eq!(bench.host.add(&one).unwrap().id, "current", "the same folder by another name");
    write(&one, "index.js", &marking(2));
    bench.reaches(2);
    assert_eq!(mark(&bench), 2);
    // As releases are switched: a new link takes the place of the old one.
    symlink(&two, link.with_extension("new")).unwrap();
    fs::rename(link.with_extension("new"), &link).unwrap();
    bench.reaches(3);
    assert_eq!(mark(&bench), 10);
    write(&two, "index.js", &marking(11));
    bench.reaches(4);
    write(&one, "index.js", &marking(3));
    bench.stays_at(4);
    assert_eq!(mark(&bench), 11);
}

#[test]
fn linked_files_and_folders_inside_are_part_of_the_plugin() {
    let bench = Bench::new();
    let shared = bench.folder("shared");
    write(&shared, "value.js", "export const value = 1");
    write(&shared, "one.js", "export const one = 1");
    let dir = bench.folder("plugin");
    symlink(&shared, dir.join("lib")).unwrap();
    symlink(shared.join("one.js"), dir.join("one.js")).unwrap();
    // A link that leads back must not be walked for ever.
    symlink(&dir, dir.join("loop")).unwrap();
    let code = "import { value } from './lib/value'\nimport { one } from './one'\n\
                export const processEvent = (e) => ({ ...e, mark: value + one })";
    let view = bench.add("plugin", &[("index.js", code)]);
    assert_eq!(view.state, PluginState::Live, "{:?}", view.load_error);
    assert_eq!(bench.host.views().len(), 1);
    write(&shared, "value.js", "export const value = 2");
    bench.reaches(2);
    // Its folder is not watched; the look finds it.
    write(&shared, "one.js", "export const one = 5");
    bench.reaches(3);
    assert_eq!(mark(&bench), 7);
}

#[test]
fn a_main_that_is_missing_is_waited_for() {
    let bench = Bench::new();
    let view = bench.add("plugin", &[("plugin.json", r#"{"main": "dist/index.js"}"#)]);
    assert_eq!(view.state, PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert_eq!(problem.message, "Could not load source code. Tried: dist/index.js, index.js, index.ts");
    let dir = bench.folder("plugin");
    write(&dir, "dist/index.js", &marking(1));
    let view = bench.reaches(1);
    assert_eq!((view.state, view.load_error), (PluginState::Live, None));
    assert_eq!(mark(&bench), 1);
}

#[test]
fn a_broken_manifest_is_told_and_its_repair_taken() {
    let (bench, dir) = one_plugin(&[("plugin.json", r#"{"name": "A"}"#), ("index.js", &marking(1))]);
    write(&dir, "plugin.json", "{\n  \"name\": \"B\",\n}");
    let view = bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    let problem = view.load_error.unwrap();
    assert_eq!((problem.file.as_str(), problem.line), ("plugin.json", 3), "{problem:?}");
    assert_eq!((mark(&bench), bench.view(0).name.as_str()), (1, "A"));
    write(&dir, "plugin.json", r#"{"name": "B"}"#);
    assert_eq!(bench.reaches(2).name, "B");
    fs::remove_file(dir.join("plugin.json")).unwrap();
    assert_eq!(bench.reaches(3).name, "plugin", "a manifest may be missing");
}

#[test]
fn a_save_while_a_batch_runs_is_taken_over_after_it() {
    let waiting = |mark: u32| {
        format!(
            "export async function processEvent(e) {{\n\
             await new Promise((done) => setTimeout(done, 400)); e.mark = {mark}; return e }}"
        )
    };
    let (bench, dir) = one_plugin(&[("index.js", &waiting(1))]);
    let mut lane = bench.host.lane();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| (run_numbered(&mut lane, 8), lane));
        std::thread::sleep(Duration::from_millis(100));
        write(&dir, "index.js", &waiting(2));
        bench.reaches(2);
        assert!(!running.is_finished(), "it became live while the batch ran");
        let (result, mut lane) = running.join().unwrap();
        assert!(result.events.iter().all(|event| output(event)["mark"] == 1), "one batch, one version");
        let next = run_numbered(&mut lane, 8);
        assert!(next.events.iter().all(|event| output(event)["mark"] == 2));
        assert_eq!(next.first_on_new_version, ["plugin"]);
    });
}

#[test]
fn two_plugins_saved_at_once_both_reload() {
    let bench = Bench::new();
    let dirs = [bench.folder("a"), bench.folder("b")];
    let code = |mark: u32, name: &str| format!("export const processEvent = (e) => ({{ ...e, {name}: {mark} }})");
    bench.live("a", &[("index.js", &code(0, "a"))]);
    bench.live("b", &[("index.js", &code(0, "b"))]);
    let mut lane = bench.host.lane();
    for round in 1..=5 {
        write(&dirs[0], "index.js", &code(round, "a"));
        write(&dirs[1], "index.js", &code(round, "b"));
        for index in 0..2 {
            bench.wait_for("its save", index, |view| view.generation == u64::from(round) + 1);
        }
        let out = output(&run_one(&mut lane));
        assert_eq!((&out["a"], &out["b"]), (&json!(round), &json!(round)));
    }
    // One of them inside the other's folder is a plugin of its own.
    let inner = bench.folder("a/inner");
    write(&inner, "index.js", &code(1, "inner"));
    bench.host.add(&inner).unwrap();
    write(&inner, "index.js", &code(2, "inner"));
    bench.wait_for("the inner one", 2, |view| view.generation == 2);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(bench.view(0).generation, 6, "which changes nothing for the outer one");
}

#[test]
fn a_folder_that_is_deleted_leaves_the_last_version_serving() {
    let (bench, dir) = one_plugin(&[("index.ts", &marking(1))]);
    fs::remove_dir_all(&dir).unwrap();
    bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    bench.loads();
    std::thread::sleep(A_LOOK);
    assert_eq!(bench.loads(), 0, "told once and not again and again");
    let mut lane = bench.host.lane();
    assert_eq!(output(&run_one(&mut lane))["mark"], 1);
    bench.host.remove("plugin").unwrap();
    assert!(labels(&run_one(&mut lane)).is_empty());
}

#[test]
fn a_host_that_is_told_nothing_looks_by_itself() {
    let bench = Bench::polling();
    let dir = bench.folder("plugin");
    many_files(&dir, 40, 1);
    bench.live("plugin", &[]);
    for round in 2..=4 {
        many_files(&dir, 40, round);
        bench.ends_at(u64::from(round));
    }
    // The same size and time as before: a tool that preserves them.
    let path = dir.join("lib/f0.js");
    let before = fs::metadata(&path).unwrap();
    write(&dir, "lib/f0.js.tmp", "export default 9");
    let file = fs::File::options().append(true).open(dir.join("lib/f0.js.tmp")).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    fs::rename(dir.join("lib/f0.js.tmp"), &path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), before.len());
    let generation = bench.view(0).generation;
    bench.reaches(generation + 1);
    fs::remove_dir_all(&dir).unwrap();
    bench.wait_for("the failure", 0, |view| view.state == PluginState::Failed);
    write(&dir, "index.js", &marking(6));
    bench.ends_at(6);
}
