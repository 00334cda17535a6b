//! Follows a document to the letter: what its fenced blocks say is done, in order, in one working directory.
//!
//! | block | does |
//! |---|---|
//! | `sh run` | runs the command, which has to succeed |
//! | `sh run fails=1` | runs it; it has to end with this code |
//! | `sh run again` | runs it until it succeeds and says what the next block expects |
//! | `sh start=NAME` | starts it and leaves it running until the document ends |
//! | `ts file=PATH`, `json file=PATH`, … | writes the file |
//! | `text output`, `text output=NAME` | the command before, or a started one, has said these lines in this order |
//!
//! Lines between them may be left out, and `…` stands for any text. Any other block is for readers only. `weir` is the
//! binary under test, with data and ports of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::server::{root, wait_for};

const FENCE: &str = "```";

enum Step {
    Write { path: String, text: String },
    Run { script: String, code: i32, is_repeated: bool },
    Start { name: String, script: String },
    Output { of: Option<String>, lines: String },
}

/// Follows a document below the top of the repository.
pub fn follow(document: &str) {
    let text = fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
    let steps = steps(document, &text);
    assert!(steps.iter().any(|(_, step)| matches!(step, Step::Run { .. })), "{document} has nothing to run");
    let mut walk = Walk::new();
    let mut steps = steps.into_iter().peekable();
    while let Some((place, step)) = steps.next() {
        match step {
            Step::Write { path, text } => walk.write(&path, &text),
            Step::Run { script, code, is_repeated: false } => walk.run(&place, &script, code),
            Step::Run { script, code, is_repeated: true } => {
                let expected = match steps.peek() {
                    Some((_, Step::Output { of: None, lines })) => lines.as_str(),
                    _ => "",
                };
                wait_for(&format!("{place}: {script}"), || {
                    let (said, ended) = walk.ended(&script);
                    let fits = ended == Some(code) && fitted(expected, &said).is_ok();
                    walk.said = said;
                    fits.then_some(())
                });
            }
            Step::Start { name, script } => walk.start(name, &script),
            Step::Output { of: None, lines } => {
                let missing = fitted(&lines, &walk.said).err();
                assert!(missing.is_none(), "{place}: nothing like {missing:?} in order in:\n{}", walk.said);
            }
            Step::Output { of: Some(name), lines } => walk.hear(&place, &name, &lines),
        }
    }
}

/// Every block that says something to this test, with its place.
fn steps(document: &str, text: &str) -> Vec<(String, Step)> {
    let mut found = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(info) = line.strip_prefix(FENCE) else { continue };
        let mut body = String::new();
        for (line, _) in lines.by_ref().take_while(|(line, _)| *line != FENCE) {
            body.push_str(line);
            body.push('\n');
        }
        let place = format!("{document}:{number}");
        let words: Vec<&str> = info.split_whitespace().collect();
        let step = match words.as_slice() {
            [] | [_] => continue,
            ["sh", "run"] => Step::Run { script: body, code: 0, is_repeated: false },
            ["sh", "run", "again"] => Step::Run { script: body, code: 0, is_repeated: true },
            ["text", "output"] => Step::Output { of: None, lines: body },
            ["sh", "run", word] if word.starts_with("fails=") => {
                let code = word["fails=".len()..].parse().unwrap_or_else(|_| panic!("{place}: {word} is no exit code"));
                Step::Run { script: body, code, is_repeated: false }
            }
            ["sh", word] if word.starts_with("start=") => {
                Step::Start { name: word["start=".len()..].to_owned(), script: body }
            }
            ["text", word] if word.starts_with("output=") => {
                Step::Output { of: Some(word["output=".len()..].to_owned()), lines: body }
            }
            [_, word] if word.starts_with("file=") => {
                Step::Write { path: word["file=".len()..].to_owned(), text: body }
            }
            _ => panic!("{place}: {info:?} is not understood"),
        };
        found.push((place, step));
    }
    found
}

struct Walk {
    /// Dropped before the folder that they work in.
    started: BTreeMap<String, Started>,
    /// What the newest command that ended has said.
    said: String,
    dir: tempfile::TempDir,
}

/// A command that runs on.
struct Started {
    child: Child,
    log: PathBuf,
    /// How much of what it said has been looked for already, in bytes.
    heard: usize,
}

impl Walk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temp dir");
        fs::create_dir(dir.path().join("work")).expect("a folder");
        Self { started: BTreeMap::new(), said: String::new(), dir }
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    fn shell(&self, script: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_weir"));
        let own = binary.parent().expect("a folder").to_owned();
        let rest = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([own].into_iter().chain(env::split_paths(&rest))).expect("a path");
        let mut command = Command::new("sh");
        command
            .args(["-ec", script])
            .current_dir(self.work())
            .env("PATH", path)
            .env("XDG_DATA_HOME", self.dir.path().join("data"))
            .env("WEIR_CAPTURE", "127.0.0.1:0")
            .env("WEIR_CONTROL", "127.0.0.1:0");
        for name in ["WEIR_DATA", "WEIR_URL", "WEIR_TOKEN"] {
            command.env_remove(name);
        }
        command
    }

    /// What a command has said, errors last, and how it ended.
    fn ended(&self, script: &str) -> (String, Option<i32>) {
        let output = self.shell(script).output().expect("a shell");
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        if !said.ends_with('\n') {
            said.push('\n');
        }
        (said, output.status.code())
    }

    fn run(&mut self, place: &str, script: &str, code: i32) {
        let (said, ended) = self.ended(script);
        assert_eq!(ended, Some(code), "{place}: {script}{said}");
        self.said = said;
    }

    fn start(&mut self, name: String, script: &str) {
        let log = self.dir.path().join(format!("{name}.log"));
        let out = File::create(&log).expect("a file");
        // In place of the shell, so that ending the child ends the command.
        let child = self
            .shell(&format!("exec {script}"))
            .stdin(Stdio::null())
            .stderr(out.try_clone().expect("a file"))
            .stdout(out)
            .spawn()
            .expect("a shell");
        self.started.insert(name, Started { child, log, heard: 0 });
    }

    fn hear(&mut self, place: &str, name: &str, lines: &str) {
        let started = self.started.get_mut(name).unwrap_or_else(|| panic!("{place}: {name} was not started"));
        let heard = wait_for(&format!("{place}: {name} to say\n{lines}"), || {
            let said = fs::read(&started.log).expect("a file");
            fitted(lines, &String::from_utf8_lossy(&said[started.heard..])).ok()
        });
        started.heard += heard;
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How far one has to read to find all expected lines in order; else the first that is missing.
fn fitted<'e>(expected: &'e str, said: &str) -> Result<usize, &'e str> {
    let mut read = 0;
    for wanted in expected.lines().map(str::trim_end).filter(|line| !line.is_empty() && *line != "…") {
        loop {
            let line = said[read..].split_inclusive('\n').next().filter(|line| line.ends_with('\n')).ok_or(wanted)?;
            read += line.len();
            if is_like(line.trim_end(), wanted) {
                break;
            }
        }
    }
    Ok(read)
}

fn is_like(line: &str, wanted: &str) -> bool {
    let mut parts: Vec<&str> = wanted.split('…').collect();
    let Some(mut rest) = line.strip_prefix(parts.remove(0)) else { return false };
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn what_is_not_said_is_missed() {
    let said = "one\n  two 12 ms\nthree\nhalf a li";
    assert_eq!(fitted("one\n…\n  two … ms\n", said), Ok("one\n  two 12 ms\n".len()));
    assert_eq!(fitted("three\none", said), Err("one"), "in this order");
    assert_eq!(fitted("two … ms", said), Err("two … ms"), "spaces before count");
    assert_eq!(fitted("half a li", said), Err("half a li"), "it may go on");
}

#[test]
fn blocks_say_what_to_do() {
    let text = "```js\nfor readers\n```\n```sh run fails=3\nfalse\n```\n```ts file=a/b.ts\nx\n```\n```text output=live\nhi\n```\n";
    let found = steps("d.md", text);
    assert!(
        matches!(&found[0], (place, Step::Run { script, code: 3, .. }) if place == "d.md:4" && script == "false\n")
    );
    assert!(matches!(&found[1].1, Step::Write { path, text } if path == "a/b.ts" && text == "x\n"));
    assert!(matches!(&found[2].1, Step::Output { of: Some(name), .. } if name == "live"));
    assert_eq!(found.len(), 3);
}
