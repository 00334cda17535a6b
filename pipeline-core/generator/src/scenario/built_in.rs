//! Scenarios that are in the binary. Each is a file to read and to start from.

use super::Scenario;

pub struct BuiltIn {
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($name:literal),*) => {
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            name: $name,
            text: include_str!(concat!("../../scenarios/", $name, ".toml")),
        }),*];
        /// Their names.
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

built_in!("web-shop", "b2b-saas", "mobile-app", "media-site", "fintech", "worst-day");

impl BuiltIn {
    pub fn scenario(&self) -> Scenario {
        Scenario::read(self.text, self.name).expect("a test reads every scenario that is built in")
    }
}

pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|built_in| built_in.name == name)
}
