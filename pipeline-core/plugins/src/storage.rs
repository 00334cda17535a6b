//! What plugins keep: durable storage and the short-lived cache.
//!
//! Both are shared by all lanes and each operation on them is atomic. Storage lives here in memory and
//! is durable because every write leaves the host as a [`StorageMutation`] that the caller journals;
//! on start the journal is played back through `restore`. A write made for an event is applied when the
//! event's result is known ([`PendingWrites`]), so an event that is cut short leaves no trace. The cache
//! has neither property: its writes take effect at once and end with the process.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_event::journal::StorageMutation;

/// Keys one plugin may have in the cache; the oldest insertions are not tracked, so any may go.
const CACHE_KEYS: usize = 50_000;

#[derive(Debug, Default)]
pub struct Storage(Mutex<HashMap<String, Keys>>);

/// Everything that was stored at a moment. Taking it copies next to nothing, and what is stored after that,
/// on either side, is not seen by the other.
#[derive(Debug, Clone, Default)]
pub struct StorageSnapshot(HashMap<String, Keys>);

/// What one plugin stores. While a snapshot shares `base`, writes lie in `over`; when nobody does any more,
/// the next write puts them together again.
#[derive(Debug, Clone, Default)]
struct Keys {
    base: Arc<BTreeMap<String, String>>,
    /// A key without a value was deleted.
    over: BTreeMap<String, Option<String>>,
}

impl Keys {
    fn get(&self, key: &str) -> Option<&String> {
        match self.over.get(key) {
            Some(written) => written.as_ref(),
            None => self.base.get(key),
        }
    }

    fn set(&mut self, key: String, value: Option<String>) {
        let Some(base) = Arc::get_mut(&mut self.base) else {
            self.over.insert(key, value);
            return;
        };
        for (key, value) in std::mem::take(&mut self.over).into_iter().chain([(key, value)]) {
            match value {
                Some(value) => base.insert(key, value),
                None => base.remove(&key),
            };
        }
    }

    /// By key.
    fn entries(&self) -> Vec<(String, String)> {
        let owned = |(key, value): (&String, &String)| (key.clone(), value.clone());
        if self.over.is_empty() {
            return self.base.iter().map(owned).collect();
        }
        let kept = self.base.iter().filter(|(key, _)| !self.over.contains_key(*key));
        let written = self.over.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let all: BTreeMap<&String, &String> = kept.chain(written).collect();
        all.into_iter().map(owned).collect()
    }
}

impl Storage {
    pub fn over(snapshot: StorageSnapshot) -> Self {
        Self(Mutex::new(snapshot.0))
    }

    pub fn snapshot(&self) -> StorageSnapshot {
        StorageSnapshot(lock(&self.0).clone())
    }

    pub fn get(&self, plugin: &str, key: &str) -> Option<String> {
        lock(&self.0).get(plugin)?.get(key).cloned()
    }

    pub fn apply(&self, mutation: &StorageMutation) {
        let mut all = lock(&self.0);
        let own = all.entry(mutation.plugin_id.clone()).or_default();
        own.set(mutation.key.clone(), mutation.value.clone());
    }

    /// By key.
    pub fn entries(&self, plugin: &str) -> Vec<(String, String)> {
        lock(&self.0).get(plugin).map(Keys::entries).unwrap_or_default()
    }

    /// Applies the writes of one finished event and says what changed, in order of key.
    pub fn commit(&self, plugin: &str, writes: PendingWrites) -> Vec<StorageMutation> {
        if writes.0.is_empty() {
            return Vec::new();
        }
        let mut all = lock(&self.0);
        let own = all.entry(plugin.to_owned()).or_default();
        let mut mutations = Vec::with_capacity(writes.0.len());
        for (key, write) in writes.0 {
            let value = match write {
                Write::Value(value) => value,
                Write::Add(by) => Some(number_text(number(own.get(&key)) + by)),
            };
            own.set(key.clone(), value.clone());
            mutations.push(StorageMutation { plugin_id: plugin.to_owned(), key, value });
        }
        mutations
    }
}

/// The storage writes of the event in hand.
#[derive(Debug, Default)]
pub struct PendingWrites(BTreeMap<String, Write>);

#[derive(Debug)]
enum Write {
    Value(Option<String>),
    /// Kept as a difference, so that two lanes counting at once lose nothing.
    Add(f64),
}

impl PendingWrites {
    pub fn get(&self, storage: &Storage, plugin: &str, key: &str) -> Option<String> {
        match self.0.get(key) {
            None => storage.get(plugin, key),
            Some(Write::Value(value)) => value.clone(),
            Some(Write::Add(by)) => Some(number_text(number(storage.get(plugin, key).as_ref()) + by)),
        }
    }

    pub fn set(&mut self, key: String, value: Option<String>) {
        self.0.insert(key, Write::Value(value));
    }

    pub fn add(&mut self, storage: &Storage, plugin: &str, key: &str, by: f64) -> f64 {
        match self.0.get_mut(key) {
            Some(Write::Value(value)) => {
                let sum = number(value.as_ref()) + by;
                *value = Some(number_text(sum));
                sum
            }
            Some(Write::Add(pending)) => {
                *pending += by;
                number(storage.get(plugin, key).as_ref()) + *pending
            }
            None => {
                self.0.insert(key.to_owned(), Write::Add(by));
                number(storage.get(plugin, key).as_ref()) + by
            }
        }
    }
}

fn number(text: Option<&String>) -> f64 {
    text.and_then(|text| text.trim_matches('"').parse().ok()).unwrap_or(0.0)
}

fn number_text(value: f64) -> String {
    // Rust prints a whole f64 without a fraction, as JavaScript does.
    if value.is_finite() { value.to_string() } else { "null".to_owned() }
}

#[derive(Debug)]
enum Cached {
    Text(String),
    List(VecDeque<String>),
}

#[derive(Debug)]
struct Entry {
    value: Cached,
    expires_at_ms: Option<f64>,
}

/// A cache entry as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    pub key: String,
    pub value: String,
    /// The value is a JSON list of the elements.
    pub is_list: bool,
    pub expires_at_ms: Option<i64>,
}

/// One map per plugin id.
#[derive(Debug, Default)]
pub struct Cache(Mutex<HashMap<String, HashMap<String, Entry>>>);

impl Cache {
    fn with<R>(&self, plugin: &str, now_ms: i64, key: &str, run: impl FnOnce(&mut HashMap<String, Entry>) -> R) -> R {
        let mut all = lock(&self.0);
        let own = all.entry(plugin.to_owned()).or_default();
        if own.get(key).is_some_and(|entry| entry.expires_at_ms.is_some_and(|at| at <= now_ms as f64)) {
            own.remove(key);
        }
        if own.len() >= CACHE_KEYS {
            own.retain(|_, entry| entry.expires_at_ms.is_none_or(|at| at > now_ms as f64));
            if own.len() >= CACHE_KEYS
                && let Some(victim) = own.keys().next().cloned()
            {
                own.remove(&victim);
            }
        }
        run(own)
    }

    pub fn get(&self, plugin: &str, now_ms: i64, key: &str) -> Option<String> {
        self.with(plugin, now_ms, key, |own| match &own.get(key)?.value {
            Cached::Text(text) => Some(text.clone()),
            Cached::List(_) => None,
        })
    }

    pub fn set(&self, plugin: &str, now_ms: i64, key: &str, value: String, ttl_seconds: Option<f64>) {
        let expires_at_ms = ttl_seconds.map(|ttl| now_ms as f64 + ttl * 1000.0);
        self.with(plugin, now_ms, key, |own| {
            own.insert(key.to_owned(), Entry { value: Cached::Text(value), expires_at_ms });
        });
    }

    /// By key; lists as JSON.
    pub fn entries(&self, plugin: &str, now_ms: i64) -> Vec<CacheEntry> {
        let all = lock(&self.0);
        let own = all.get(plugin).into_iter().flatten();
        let is_alive = |entry: &Entry| entry.expires_at_ms.is_none_or(|at| at > now_ms as f64);
        let mut entries: Vec<CacheEntry> = own
            .filter(|(_, entry)| is_alive(entry))
            .map(|(key, entry)| CacheEntry {
                key: key.clone(),
                value: match &entry.value {
                    Cached::Text(text) => text.clone(),
                    Cached::List(list) => serde_json::json!(list).to_string(),
                },
                is_list: matches!(entry.value, Cached::List(_)),
                expires_at_ms: entry.expires_at_ms.map(|at| at as i64),
            })
            .collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries
    }

    /// From outside; a key that expires keeps its time.
    pub fn put(&self, plugin: &str, now_ms: i64, key: &str, value: Option<String>) {
        self.with(plugin, now_ms, key, |own| match value {
            Some(value) => {
                let expires_at_ms = own.get(key).and_then(|entry| entry.expires_at_ms);
                own.insert(key.to_owned(), Entry { value: Cached::Text(value), expires_at_ms });
            }
            None => drop(own.remove(key)),
        });
    }

    /// As it was seen with [`Self::entries`]; a list stays one.
    pub fn restore(&self, plugin: &str, now_ms: i64, entry: &CacheEntry) {
        let list = serde_json::from_str(&entry.value).ok().filter(|_| entry.is_list);
        let value = list.map_or_else(|| Cached::Text(entry.value.clone()), Cached::List);
        let expires_at_ms = entry.expires_at_ms.map(|at| at as f64);
        self.with(plugin, now_ms, &entry.key, |own| own.insert(entry.key.clone(), Entry { value, expires_at_ms }));
    }

    pub fn incr(&self, plugin: &str, now_ms: i64, key: &str) -> f64 {
        self.with(plugin, now_ms, key, |own| {
            let zero = || Entry { value: Cached::Text("0".into()), expires_at_ms: None };
            let entry = own.entry(key.to_owned()).or_insert_with(zero);
            let old = if let Cached::Text(text) = &entry.value { number(Some(text)) } else { 0.0 };
            entry.value = Cached::Text(number_text(old + 1.0));
            old + 1.0
        })
    }

    pub fn expire(&self, plugin: &str, now_ms: i64, key: &str, ttl_seconds: f64) -> bool {
        self.with(plugin, now_ms, key, |own| {
            let Some(entry) = own.get_mut(key) else { return false };
            entry.expires_at_ms = Some(now_ms as f64 + ttl_seconds * 1000.0);
            true
        })
    }

    /// Runs `edit` on the list under `key`; an empty list is no list.
    pub fn list<R>(&self, plugin: &str, now_ms: i64, key: &str, edit: impl FnOnce(&mut VecDeque<String>) -> R) -> R {
        self.with(plugin, now_ms, key, |own| {
            let empty = || Entry { value: Cached::List(VecDeque::new()), expires_at_ms: None };
            let entry = own.entry(key.to_owned()).or_insert_with(empty);
            if let Cached::Text(_) = entry.value {
                entry.value = Cached::List(VecDeque::new());
            }
            let Cached::List(list) = &mut entry.value else { return edit(&mut VecDeque::new()) };
            let result = edit(list);
            if list.is_empty() {
                own.remove(key);
            }
            result
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_in_two_events_at_once_loses_nothing() {
        let storage = Storage::default();
        let (mut first, mut second) = (PendingWrites::default(), PendingWrites::default());
        assert_eq!(first.add(&storage, "p", "n", 1.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(second.add(&storage, "p", "n", 1.0).to_bits(), 1.0_f64.to_bits());
        storage.commit("p", first);
        storage.commit("p", second);
        assert_eq!(storage.get("p", "n").as_deref(), Some("2"));
    }

    #[test]
    fn a_snapshot_and_what_is_stored_after_it_do_not_see_each_other() {
        let storage = Storage::default();
        let set = |storage: &Storage, key: &str, value: Option<&str>| {
            let (plugin_id, key, value) = ("p".to_owned(), key.to_owned(), value.map(str::to_owned));
            storage.apply(&StorageMutation { plugin_id, key, value });
        };
        let entries = |storage: &Storage| {
            storage.entries("p").into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        set(&storage, "a", Some("1"));
        set(&storage, "b", Some("1"));
        let copy = Storage::over(storage.snapshot());
        set(&storage, "a", None);
        set(&storage, "c", Some("2"));
        set(&copy, "b", Some("3"));
        assert_eq!((entries(&storage), entries(&copy)), ("b=1 c=2".to_owned(), "a=1 b=3".to_owned()));
        assert_eq!((storage.get("p", "a"), copy.get("p", "a")), (None, Some("1".to_owned())));
        // And a snapshot of what lies over one; then together again.
        let second = Storage::over(storage.snapshot());
        drop(copy);
        drop(second);
        set(&storage, "d", Some("4"));
        assert_eq!(entries(&storage), "b=1 c=2 d=4");
    }

    #[test]
    fn cache_entries_expire_and_lists_vanish_when_empty() {
        let cache = Cache::default();
        cache.set("p", 0, "k", "v".into(), Some(1.0));
        assert_eq!(cache.get("p", 999, "k").as_deref(), Some("v"));
        assert_eq!(cache.get("p", 1000, "k"), None);
        cache.list("p", 0, "l", |list| list.push_front("a".into()));
        assert!(cache.expire("p", 0, "l", 5.0));
        cache.list("p", 0, "l", VecDeque::pop_front);
        assert!(!cache.expire("p", 0, "l", 5.0));
    }
}
