use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Dedup, Fingerprint, Seen};

const RUN_ENTRIES: usize = 32;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).expect("list").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Waits for merges, as time would.
fn settle(dedup: &mut Dedup) {
    while let Some(merge) = dedup.merge.take() {
        dedup.take_over(merge).expect("a merge");
        dedup.tend();
    }
}

/// Keys are made of three hashes so that some share their upper half, and some only that.
fn key(number: u16) -> u128 {
    let hash = |number: u16| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..8]);
        u64::from_le_bytes(bytes)
    };
    let upper = if number.is_multiple_of(3) { 7 << 60 } else { hash(number) };
    u128::from(upper) << 64 | u128::from(hash(number.wrapping_add(1)))
}

/// The journal as the index sees it: for each sequence the keys of a record.
#[derive(Debug, Default)]
struct Model {
    records: BTreeMap<u64, Vec<Fingerprint>>,
    known: HashMap<u128, u64>,
    next: u64,
}

impl Model {
    /// A record of the numbers that are new; what the index says must be what the map says.
    fn record(&mut self, dedup: &mut Dedup, numbers: &[(u16, u8)]) -> Result<(), TestCaseError> {
        let mut fresh = Vec::new();
        for (number, payload) in numbers {
            let fingerprint = Fingerprint { key: key(*number), payload: u64::from(*payload) };
            let wanted = match self.known.get(&fingerprint.key) {
                None => Seen::New,
                Some(known) if *known == fingerprint.payload => Seen::Duplicate,
                Some(_) => Seen::Conflicting,
            };
            prop_assert_eq!(dedup.check(fingerprint).expect("a check"), wanted);
            if wanted == Seen::New {
                dedup.insert(fingerprint);
                self.known.insert(fingerprint.key, fingerprint.payload);
                fresh.push(fingerprint);
            }
        }
        self.records.insert(self.next, fresh);
        self.next += 1;
        dedup.seal_if_full(self.next).expect("a seal");
        Ok(())
    }

    fn reopen(&self, dir: &Path) -> Result<Dedup, TestCaseError> {
        let mut dedup = Dedup::open_with(dir, RUN_ENTRIES).expect("open");
        prop_assert!(dedup.covered() <= self.next);
        let covered = dedup.covered();
        for (sequence, record) in self.records.range(covered..) {
            record.iter().for_each(|fingerprint| dedup.insert(*fingerprint));
            dedup.seal_if_full(sequence + 1).expect("a seal");
        }
        for (key, payload) in &self.known {
            let fingerprint = Fingerprint { key: *key, payload: *payload };
            prop_assert_eq!(dedup.check(fingerprint).expect("a check"), Seen::Duplicate);
        }
        Ok(dedup)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Record(Vec<(u16, u8)>),
    Settle,
    /// Stops, perhaps within a merge, and starts.
    Reopen,
    /// Stops, damages a file at a place, and starts.
    Damage(prop::sample::Index, prop::sample::Index),
    /// Stops, cuts a file, and starts.
    Cut(prop::sample::Index, prop::sample::Index),
    Lose(prop::sample::Index),
    /// A crash after a merge was renamed and before what it replaces was deleted.
    MergedTwice,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        20 => prop::collection::vec((0..2_000_u16, 0..2_u8), 1..40).prop_map(Step::Record),
        3 => Just(Step::Settle),
        1 => Just(Step::Reopen),
        1 => (index(), index()).prop_map(|(file, place)| Step::Damage(file, place)),
        1 => (index(), index()).prop_map(|(file, place)| Step::Cut(file, place)),
        1 => index().prop_map(Step::Lose),
        1 => Just(Step::MergedTwice),
    ];
    prop::collection::vec(step, 1..60)
}

/// What damage does to a file.
type Change = Box<dyn Fn(&mut Vec<u8>)>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_knows_what_a_map_knows(steps in steps()) {
        let dir = tempfile::tempdir().expect("a temp dir");
        let mut model = Model::default();
        let mut dedup = Dedup::open_with(dir.path(), RUN_ENTRIES).expect("open");
        for step in steps {
            let (file, change): (_, Change) = match step {
                Step::Record(numbers) => {
                    model.record(&mut dedup, &numbers)?;
                    continue;
                }
                Step::Settle => {
                    settle(&mut dedup);
                    continue;
                }
                Step::Reopen => {
                    drop(dedup);
                    dedup = model.reopen(dir.path())?;
                    continue;
                }
                Step::MergedTwice => {
                    let before: Vec<_> = files(dir.path())
                        .into_iter()
                        .filter(|path| path.extension().is_some_and(|extension| extension == "run"))
                        .filter_map(|path| fs::read(&path).ok().map(|bytes| (path, bytes)))
                        .collect();
                    settle(&mut dedup);
                    drop(dedup);
                    before.into_iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("write"));
                    dedup = model.reopen(dir.path())?;
                    continue;
                }
                Step::Damage(file, place) => (
                    file,
                    Box::new(move |bytes| {
                        let place = place.index(bytes.len());
                        bytes[place] ^= 1;
                    }),
                ),
                Step::Cut(file, place) => (file, Box::new(move |bytes| bytes.truncate(place.index(bytes.len())))),
                Step::Lose(file) => (file, Box::new(Vec::clear)),
            };
            drop(dedup);
            let files = files(dir.path());
            if !files.is_empty() {
                let path = file.get(&files);
                let mut bytes = fs::read(path).expect("read");
                if !bytes.is_empty() {
                    change(&mut bytes);
                }
                if bytes.is_empty() { fs::remove_file(path).expect("remove") } else { fs::write(path, bytes).expect("write") }
            }
            dedup = model.reopen(dir.path())?;
        }
    }
}

#[test]
fn runs_stay_few_and_their_files_are_all_there_is() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut dedup = Dedup::open_with(dir.path(), RUN_ENTRIES).expect("open");
    let mut model = Model::default();
    for number in 0..3_000 {
        model.record(&mut dedup, &[(number, 0)]).expect("as the map");
        settle(&mut dedup);
        assert!(dedup.run_count() <= 12, "{} runs", dedup.run_count());
    }
    let names: Vec<_> = dedup.runs.iter().map(|run| run.path.clone()).collect();
    assert_eq!(files(dir.path()), names);
    assert!(dedup.runs.iter().map(|run| run.entries).max() > Some(RUN_ENTRIES * 16), "they were merged");
}

#[test]
fn what_was_sealed_is_known_after_a_restart_and_nothing_else_is() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let fingerprint = |number: u128, data: &str| Fingerprint::new(1, uuid::Uuid::from_u128(number), data);
    let mut dedup = Dedup::open(dir.path()).expect("open");
    for number in 0..100_000 {
        dedup.insert(fingerprint(number, "a"));
    }
    dedup.seal_if_full(7).expect("seal");
    dedup.insert(fingerprint(1 << 100, "a"));
    assert_eq!(dedup.check(fingerprint(1 << 100, "a")).expect("a check"), Seen::Duplicate);

    drop(dedup);
    let dedup = Dedup::open(dir.path()).expect("open again");
    assert_eq!(dedup.covered(), 7);
    let check = |number, data| dedup.check(fingerprint(number, data)).expect("a check");
    assert_eq!(check(1 << 100, "a"), Seen::New, "what was not sealed comes from the journal");
    for number in (0..100_000).step_by(997) {
        assert_eq!(check(number, "a"), Seen::Duplicate);
        assert_eq!(check(number, "b"), Seen::Conflicting);
        assert_eq!(check(number + (1 << 90), "a"), Seen::New);
    }
}

#[test]
fn a_page_that_is_damaged_while_it_is_open_is_an_error_and_not_new() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut dedup = Dedup::open_with(dir.path(), RUN_ENTRIES).expect("open");
    let known = |number: u16| Fingerprint { key: key(number), payload: 0 };
    (0..RUN_ENTRIES as u16).for_each(|number| dedup.insert(known(number)));
    dedup.seal_if_full(1).expect("seal");
    let path = &files(dir.path())[0];
    let mut bytes = fs::read(path).expect("read");
    bytes[8_200] ^= 1;
    // In place: the index has the file open.
    std::os::unix::fs::FileExt::write_all_at(&fs::File::options().write(true).open(path).expect("open"), &bytes, 0)
        .expect("write");
    assert!(dedup.check(known(3)).is_err());
    drop(dedup);
    assert_eq!(Dedup::open_with(dir.path(), RUN_ENTRIES).expect("open again").covered(), 0);
}

#[test]
fn a_seal_that_fails_loses_nothing() {
    let dir = tempfile::tempdir().expect("a temp dir");
    let mut dedup = Dedup::open_with(&dir.path().join("dedup"), RUN_ENTRIES).expect("open");
    let known = |number: u16| Fingerprint { key: key(number), payload: 0 };
    (0..RUN_ENTRIES as u16).for_each(|number| dedup.insert(known(number)));
    fs::remove_dir(dir.path().join("dedup")).expect("remove");
    assert!(dedup.seal_if_full(1).is_err());
    assert_eq!(dedup.check(known(3)).expect("a check"), Seen::Duplicate);
    fs::create_dir(dir.path().join("dedup")).expect("create");
    dedup.seal_if_full(2).expect("seal");
    assert_eq!((dedup.covered(), dedup.check(known(3)).expect("a check")), (2, Seen::Duplicate));
}
