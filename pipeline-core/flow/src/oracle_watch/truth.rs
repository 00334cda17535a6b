//! The store against what the generator knows and no pipeline can: whose events they truly were, and when they truly
//! happened.
//!
//! What is off here is no mismatch. A wrong time zone cannot be told from a right one, and who shares a device is one
//! person to everybody: the rules say what is stored then, and the model holds the store to the rules. This says how far
//! the rules come. It knows only what was acked while it watched, and of times only the newest [`KEPT`] that wait for
//! their other half.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;
use weir_api::oracle::TruthState;
use weir_event::clock::UnixMillis;

/// Times of which one half is known.
const KEPT: usize = 100_000;
/// Pairs of a person of the story and a distinct id.
const PAIRS: usize = 500_000;
/// Stored so near to the true time is right.
const NEAR_MS: u64 = 1_000;

pub type StoryPerson = (u64, u64);

/// What is true of an event that is stored under its uuid.
#[derive(Debug, Clone)]
pub struct TrueEvent {
    /// The seed of the story, and the number of the person in it.
    pub person: StoryPerson,
    pub at_ms: UnixMillis,
    /// What was done to it, in the generator's words; empty when nothing was.
    pub mess: String,
}

#[derive(Debug, Default)]
pub struct Truths {
    state: TruthState,
    told: Halves<(UnixMillis, String)>,
    stored: Halves<UnixMillis>,
    /// By project and distinct id.
    people: HashMap<(u32, String), HashSet<StoryPerson>>,
    pairs: usize,
}

impl Truths {
    /// An event that was acked.
    pub fn told(&mut self, project: u32, uuid: Uuid, distinct_id: &str, truth: TrueEvent) {
        let key = (project, distinct_id.to_owned());
        if self.pairs < PAIRS || self.people.contains_key(&key) {
            self.pairs += usize::from(self.people.entry(key).or_default().insert(truth.person));
        }
        match self.stored.take(uuid) {
            Some(stored_ms) => self.time(stored_ms, truth.at_ms, truth.mess),
            None => self.told.keep(uuid, (truth.at_ms, truth.mess)),
        }
    }

    /// An event that is in the store.
    pub fn stored(&mut self, uuid: Uuid, at_ms: UnixMillis) {
        match self.told.take(uuid) {
            Some((true_ms, mess)) => self.time(at_ms, true_ms, mess),
            None => self.stored.keep(uuid, at_ms),
        }
    }

    fn time(&mut self, stored_ms: UnixMillis, true_ms: UnixMillis, mess: String) {
        self.state.times += 1;
        if stored_ms.abs_diff(true_ms) <= NEAR_MS {
            self.state.times_right += 1;
        } else {
            let why = if mess.is_empty() { "nothing".to_owned() } else { mess };
            *self.state.times_off.entry(why).or_default() += 1;
        }
    }

    /// Holds people against the persons that their distinct ids belong to.
    pub fn count_people(&mut self, person_of: impl Fn(u32, &str) -> Option<Uuid>) {
        let mut persons_of: HashMap<(u32, StoryPerson), HashSet<Uuid>> = HashMap::new();
        let mut people_of: HashMap<Uuid, HashSet<StoryPerson>> = HashMap::new();
        for ((project, distinct_id), people) in &self.people {
            let Some(person) = person_of(*project, distinct_id) else { continue };
            for one in people {
                persons_of.entry((*project, *one)).or_default().insert(person);
                people_of.entry(person).or_default().insert(*one);
            }
        }
        let is_right = |persons: &&HashSet<Uuid>| {
            persons.len() == 1 && persons.iter().all(|person| people_of.get(person).is_some_and(|all| all.len() == 1))
        };
        let state = &mut self.state;
        state.people = persons_of.len() as u64;
        state.people_right = persons_of.values().filter(is_right).count() as u64;
        state.people_split = persons_of.values().filter(|persons| persons.len() > 1).count() as u64;
        state.persons_mixed = people_of.values().filter(|people| people.len() > 1).count() as u64;
    }

    /// `None` when nothing is known.
    pub fn view(&self) -> Option<TruthState> {
        (self.state.times > 0 || self.state.people > 0).then(|| self.state.clone())
    }
}

/// The newest of what waits, by uuid.
#[derive(Debug)]
struct Halves<T> {
    waiting: HashMap<Uuid, T>,
    order: VecDeque<Uuid>,
}

impl<T> Default for Halves<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Halves<T> {
    fn take(&mut self, uuid: Uuid) -> Option<T> {
        self.waiting.remove(&uuid)
    }

    fn keep(&mut self, uuid: Uuid, half: T) {
        if self.waiting.insert(uuid, half).is_none() {
            self.order.push_back(uuid);
        }
        // Those that were taken meanwhile are still in the order.
        while self.order.len() > KEPT {
            let Some(oldest) = self.order.pop_front() else { break };
            self.waiting.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(person: u64, at_ms: i64, mess: &str) -> TrueEvent {
        TrueEvent { person: (7, person), at_ms, mess: mess.into() }
    }

    #[test]
    fn times_are_held_against_each_other_whichever_is_known_first() {
        let mut truths = Truths::default();
        assert_eq!(truths.view(), None);
        let uuids: Vec<Uuid> = (0..4).map(Uuid::from_u128).collect();
        truths.told(1, uuids[0], "ann", event(1, 10_000, ""));
        truths.stored(uuids[0], 10_900);
        truths.stored(uuids[1], 3_610_000);
        truths.told(1, uuids[1], "ann", event(1, 10_000, "wrong_zone"));
        truths.told(1, uuids[2], "ann", event(1, 10_000, ""));
        truths.stored(uuids[2], 8_999);
        truths.stored(uuids[3], 1);
        let state = truths.view().expect("something is known");
        assert_eq!((state.times, state.times_right), (3, 1));
        assert_eq!(state.times_off.into_iter().collect::<Vec<_>>(), [("nothing".into(), 1), ("wrong_zone".into(), 1)]);
    }

    #[test]
    fn people_are_whole_split_or_mixed() {
        let mut truths = Truths::default();
        let mut serial = 0;
        let mut told = |person: u64, distinct_id: &str| {
            serial += 1;
            truths.told(1, Uuid::from_u128(serial), distinct_id, event(person, 0, ""));
        };
        // One is whole under two ids, two is split, three and four share a device, five is in no store.
        for (person, distinct_id) in
            [(1, "a"), (1, "a2"), (2, "b"), (2, "b2"), (3, "shared"), (4, "shared"), (4, "shared"), (5, "gone")]
        {
            told(person, distinct_id);
        }
        let person_of = |_: u32, distinct_id: &str| {
            let persons = [("a", 1), ("a2", 1), ("b", 2), ("b2", 3), ("shared", 4)];
            persons.iter().find(|(id, _)| *id == distinct_id).map(|(_, person)| Uuid::from_u128(*person))
        };
        truths.count_people(person_of);
        let state = truths.view().expect("something is known");
        assert_eq!((state.people, state.people_right, state.people_split, state.persons_mixed), (4, 1, 1, 1));
    }

    #[test]
    fn a_person_of_another_story_or_project_is_another() {
        let mut truths = Truths::default();
        for (serial, (project, seed)) in [(1, 7), (1, 8), (2, 7)].into_iter().enumerate() {
            let truth = TrueEvent { person: (seed, 1), at_ms: 0, mess: String::new() };
            truths.told(project, Uuid::from_u128(serial as u128), &format!("of seed {seed}"), truth);
        }
        truths.count_people(|project, distinct_id| {
            Some(Uuid::new_v5(&Uuid::nil(), format!("{project} {distinct_id}").as_bytes()))
        });
        let state = truths.view().expect("something is known");
        assert_eq!((state.people, state.people_right, state.people_split), (3, 3, 0));
    }

    #[test]
    fn what_waits_for_ever_is_forgotten() {
        let mut truths = Truths::default();
        for number in 0..=KEPT as u128 {
            truths.stored(Uuid::from_u128(number), 0);
        }
        assert_eq!((truths.stored.waiting.len(), truths.stored.order.len()), (KEPT, KEPT));
        truths.told(1, Uuid::from_u128(0), "ann", event(1, 0, ""));
        assert_eq!(truths.view(), None, "the oldest was let go");
    }
}
