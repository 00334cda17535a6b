//! An e-mail address in one form.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// Not every address there can be, but no text that is none.
    pub fn read(given: &str) -> Option<Self> {
        let text = given.trim().to_lowercase();
        let at = text.find('@')?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        let is_plain = |part: &str, most: usize| {
            (1..=most).contains(&part.chars().count()) && !part.contains(|c: char| c == '@' || c.is_whitespace())
        };
        (is_plain(local, 64) && is_plain(domain, 255)).then_some(Self { text, at })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    pub fn hash(&self, salt: &str) -> String {
        let digest = Sha256::new().chain_update(salt).chain_update(&self.text).finalize();
        digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn every_spelling_of_an_address_has_one_form() {
        for given in ["ada@example.com", " ADA@example.com", "Ada@Example.Com "] {
            let address = Address::read(given).expect("an address");
            assert_eq!((address.as_str(), address.domain()), ("ada@example.com", "example.com"));
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for given in ["", "nobody", "@example.com", "ada@", "a b@example.com", "a@b@c"] {
            assert_eq!(Address::read(given), None, "{given}");
        }
    }

    #[test]
    fn a_salt_makes_it_another_hash() {
        let address = Address::read("ada@example.com").expect("an address");
        assert_eq!(address.hash("").len(), 64);
        assert_ne!(address.hash(""), address.hash("pepper"));
    }
}
