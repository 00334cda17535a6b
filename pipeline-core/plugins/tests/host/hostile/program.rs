//! From a seed to the source of a hostile plugin.

use std::fmt;

use super::catalogue::{ANYWHERE, IN_AN_EVENT};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    TopLevel,
    Setup,
    Event,
    AsyncEvent,
    AfterAnAwait,
    Timer,
    Microtask,
    Batch,
}

const PLACES: [Place; 8] = [
    Place::TopLevel,
    Place::Setup,
    Place::Event,
    Place::AsyncEvent,
    Place::AfterAnAwait,
    Place::Timer,
    Place::Microtask,
    Place::Batch,
];

pub struct Hostile {
    name: String,
    pub code: String,
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:\n{}", self.name, self.code)
    }
}

/// SplitMix64: small, and the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

impl Hostile {
    pub fn from_seed(seed: u64) -> Self {
        let mut draw = Draw(seed);
        let place = PLACES[draw.below(PLACES.len())];
        let count = 1 + draw.below(3);
        let mut tricks = Vec::new();
        for _ in 0..count {
            let all = ANYWHERE.len() + if place.has_event() { IN_AN_EVENT.len() } else { 0 };
            let at = draw.below(all);
            tricks.push(ANYWHERE.iter().chain(IN_AN_EVENT).nth(at).copied().unwrap_or(ANYWHERE[0]));
        }
        // Prototype tricks at the top and something else in the event meet in ways neither does alone.
        let above = (draw.below(3) == 0).then(|| ANYWHERE[draw.below(ANYWHERE.len())]);
        let on = draw.below(4);
        Self::new(&format!("run {seed}"), place, &tricks, above, on)
    }

    pub fn each_alone() -> impl Iterator<Item = Self> {
        let anywhere = ANYWHERE.iter().flat_map(|trick| [Place::TopLevel, Place::Event].map(|place| (place, trick)));
        let in_events =
            IN_AN_EVENT.iter().flat_map(|trick| [Place::Event, Place::AfterAnAwait].map(|place| (place, trick)));
        anywhere.chain(in_events).map(|(place, trick)| Self::new("alone", place, &[*trick], None, 0))
    }

    /// `on` is the number of the event it strikes; 0 means each.
    fn new(name: &str, place: Place, tricks: &[(&str, &str)], above: Option<(&str, &str)>, on: usize) -> Self {
        let body: String = tricks.iter().flat_map(|(_, code)| [*code, "\n"]).collect();
        let body = if on == 0 { body } else { format!("if (event.properties?.n === {on}) {{\n{body}}}\n") };
        let whole = |body: &str| {
            format!("(() => {{ const event = {{ properties: {{ n: {on} }} }}, meta = {{}};\n{body} }})()\n")
        };
        let pass = "export function processEvent(event) { return event }\n";
        let main = match place {
            Place::TopLevel => format!("{}{pass}", whole(&body)),
            Place::Setup => {
                let body = body.replace("event.", "({ properties: {} }).");
                format!("export function setupPlugin(meta) {{ const event = {{}};\n{body} }}\n{pass}")
            }
            Place::Event => format!("export function processEvent(event, meta) {{\n{body}return event }}\n"),
            Place::AsyncEvent => format!("export async function processEvent(event, meta) {{\n{body}return event }}\n"),
            Place::AfterAnAwait => format!(
                "export async function processEvent(event, meta) {{\nawait meta.storage.get('a');\n\
                 await new Promise((done) => setTimeout(done, 1));\n{body}return event }}\n"
            ),
            Place::Timer => format!(
                "export function processEvent(event, meta) {{\nsetTimeout(() => {{\n{body}}}, 1); return event }}\n"
            ),
            Place::Microtask => format!(
                "export function processEvent(event, meta) {{\nPromise.resolve().then(() => {{\n{body}}});\n\
                 return event }}\n"
            ),
            Place::Batch => format!(
                "export function processEventBatch(events, meta) {{\nfor (const event of events) {{\n\
                 const one = () => {{\n{body}return event }}; one() }}\nreturn events }}\n"
            ),
        };
        let above = above.map_or_else(String::new, |(_, code)| {
            format!(
                "try {{ (() => {{ const event = {{ properties: {{}} }}, meta = {{}};\n{code}\n}})() }} catch {{}}\n"
            )
        });
        let names: Vec<&str> = tricks.iter().map(|(name, _)| *name).collect();
        Self { name: format!("{name}, {place:?}, {}", names.join(" + ")), code: format!("{above}{main}") }
    }
}

impl Place {
    const fn has_event(self) -> bool {
        !matches!(self, Self::TopLevel | Self::Setup)
    }
}
