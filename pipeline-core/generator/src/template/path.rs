//! Placeholders: what a name between braces stands for.

use weir_event::suggestion::nearest;

use crate::catalogue::Catalogue;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonField {
    Key,
    Name,
    FirstName,
    Email,
    Company,
    JobTitle,
    Phone,
    IsBot,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    Person(PersonField),
    /// A field of the place's item.
    Place(usize),
    /// An address in the place's network.
    PlaceIp,
    DeviceId,
    Device(usize),
    SessionId,
    /// How many events the session had before, from 0.
    SessionEvents,
    Session(usize),
    Event(usize),
    /// Catalogue and field of the item at hand.
    Item(usize, usize),
    /// Of the items that were kept: the list of a field.
    Kept(usize, usize),
    KeptCount(usize),
    KeptSum(usize, usize),
    GroupKey(usize),
    GroupProperties(usize),
    GroupProperty(usize, usize),
}

/// What is known where a template stands.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub places: &'a Catalogue,
    pub devices: &'a Catalogue,
    pub catalogues: &'a [Catalogue],
    /// Each with its properties.
    pub groups: &'a [(String, Vec<String>)],
    pub per_session: &'a [String],
    pub per_event: &'a [String],
}

const PERSON: [(&str, PersonField); 8] = [
    ("key", PersonField::Key),
    ("name", PersonField::Name),
    ("first_name", PersonField::FirstName),
    ("email", PersonField::Email),
    ("company", PersonField::Company),
    ("job_title", PersonField::JobTitle),
    ("phone", PersonField::Phone),
    ("is_bot", PersonField::IsBot),
];

impl Names<'_> {
    /// The error has a reason and a hint.
    pub fn path(&self, text: &str) -> Result<Path, (String, String)> {
        let known = self.all();
        let names = || known.iter().map(|(name, _)| name.as_str());
        let unknown = || {
            let root = text.split('.').next();
            let near: Vec<&str> = names().filter(|name| name.split('.').next() == root).collect();
            let near = if near.is_empty() { names().collect() } else { near };
            let meant = nearest(text, names()).map(|meant| format!("Did you mean {{{meant}}}?"));
            let hint = meant.unwrap_or_else(|| format!("Possible here: {}.", near.join(", ")));
            (format!("nothing is called {{{text}}}"), hint)
        };
        known.iter().find(|(name, _)| name == text).map(|(_, path)| path.clone()).ok_or_else(unknown)
    }

    fn all(&self) -> Vec<(String, Path)> {
        let mut all: Vec<(String, Path)> =
            PERSON.iter().map(|(name, field)| (format!("person.{name}"), Path::Person(*field))).collect();
        let named = |root: &str, names: Vec<String>, path: &dyn Fn(usize) -> Path| -> Vec<(String, Path)> {
            names.into_iter().enumerate().map(|(at, name)| (format!("{root}.{name}"), path(at))).collect()
        };
        all.push(("place.ip".to_owned(), Path::PlaceIp));
        all.extend(named("place", self.places.field_names(), &Path::Place));
        all.push(("device.id".to_owned(), Path::DeviceId));
        all.extend(named("device", self.devices.field_names(), &Path::Device));
        all.push(("session.id".to_owned(), Path::SessionId));
        all.push(("session.events".to_owned(), Path::SessionEvents));
        all.extend(named("session", self.per_session.to_vec(), &Path::Session));
        all.extend(named("event", self.per_event.to_vec(), &Path::Event));
        for (at, (name, properties)) in self.groups.iter().enumerate() {
            all.push((format!("group.{name}"), Path::GroupProperties(at)));
            all.push((format!("group.{name}.key"), Path::GroupKey(at)));
            let own = &|property| Path::GroupProperty(at, property);
            all.extend(named(&format!("group.{name}"), properties.clone(), own));
        }
        for (at, catalogue) in self.catalogues.iter().enumerate() {
            let name = &catalogue.name;
            let fields = || catalogue.field_names();
            all.push((format!("{name}.count"), Path::KeptCount(at)));
            all.extend(named(&format!("{name}.all"), fields(), &|field| Path::Kept(at, field)));
            all.extend(named(&format!("{name}.sum"), fields(), &|field| Path::KeptSum(at, field)));
            all.extend(named(name, fields(), &|field| Path::Item(at, field)));
        }
        all
    }
}
