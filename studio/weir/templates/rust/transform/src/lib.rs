//! Writes e-mail addresses in one form and adds their hash and domain.

mod address;
#[rustfmt::skip]
mod weir_types;

use address::Address;
use weir_plugin::{Event, Meta, Plugin, PluginError, warn};
use weir_types::{Config, Keep};

struct Addresses {
    property: String,
    is_kept: bool,
    salt: String,
}

impl Plugin for Addresses {
    fn new(meta: &Meta) -> Result<Self, PluginError> {
        let config = Config::of(meta);
        Ok(Self {
            property: config.property().to_owned(),
            is_kept: config.keep() == Keep::Yes,
            salt: config.salt().unwrap_or_default().to_owned(),
        })
    }

    fn process_event(&mut self, mut event: Event) -> Result<Option<Event>, PluginError> {
        let property = &self.property;
        let Some(given) = event.property_str(property) else { return Ok(Some(event)) };
        let Some(address) = Address::read(given) else {
            // The text itself stays out of the log: it may be somebody's address all the same.
            warn!("{property} holds no address");
            return Ok(Some(event));
        };
        event.set_property(&format!("{property}_domain"), address.domain());
        event.set_property(&format!("{property}_hash"), address.hash(&self.salt));
        if self.is_kept {
            event.set_property(property, address.as_str());
        } else {
            event.remove_property(property);
        }
        Ok(Some(event))
    }
}

weir_plugin::plugin!(Addresses);
