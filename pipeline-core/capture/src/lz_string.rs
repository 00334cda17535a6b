//! LZ-string in its base64 form, as old browsers of posthog-js send it.
//!
//! The format is a bit stream of codes: 0 and 1 announce a new character of 8 or 16 bits, 2 ends, any
//! other names an entry of a dictionary that both sides grow alike. Every entry is "the last phrase and
//! the first character of this one", and these two lie side by side in what was written, so the
//! dictionary holds ranges of the output and copies nothing. The output is bounded as it grows: a few
//! kilobytes can name gigabytes.

use std::fmt::Write as _;

use crate::error::CaptureError;
use crate::inflate::Bounds;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NOT_A_DIGIT: u8 = 0xff;
/// A space is a plus sign that went through a form; padding counts as zeroes.
const DIGITS: [u8; 256] = {
    let mut digits = [NOT_A_DIGIT; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        digits[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    digits[b' ' as usize] = 62;
    digits[b'=' as usize] = 0;
    digits
};

const NEW_8_BITS: u32 = 0;
const NEW_16_BITS: u32 = 1;
const END: u32 = 2;
/// The three codes above take the first places of the dictionary.
const RESERVED: usize = 3;

struct Bits<'a> {
    text: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    /// `count` bits, the least significant first.
    fn read(&mut self, count: u32) -> Result<u32, CaptureError> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.text.get(self.position / 6).ok_or_else(|| broken("it ends early"))?;
            let digit = DIGITS[usize::from(*byte)];
            if digit == NOT_A_DIGIT {
                return Err(broken("it is not base64"));
            }
            value |= u32::from(digit >> (5 - self.position % 6) & 1) << place;
            self.position += 1;
        }
        Ok(value)
    }
}

fn broken(why: &str) -> CaptureError {
    CaptureError::Decode(format!("invalid lz-string data: {why}"))
}

/// A range of the output.
#[derive(Clone, Copy)]
struct Phrase {
    start: u32,
    length: u32,
}

pub fn decompress_base64(text: &[u8], bounds: Bounds) -> Result<Vec<u8>, CaptureError> {
    let mut bits = Bits { text: text.trim_ascii(), position: 0 };
    let mut output: Vec<u16> = Vec::new();
    let mut phrases: Vec<Phrase> = Vec::new();
    let mut code_bits = 2;
    let mut last: Option<Phrase> = None;
    // How many codes until they need one bit more; the first code and the second have their own widths.
    let mut until_wider = 1_usize;
    loop {
        let code = bits.read(code_bits)?;
        let start = output.len() as u32;
        let phrase = match code {
            END => return utf8(&output, bounds),
            NEW_8_BITS | NEW_16_BITS => {
                let unit = bits.read(if code == NEW_8_BITS { 8 } else { 16 })?;
                output.push(unit as u16);
                let phrase = Phrase { start, length: 1 };
                phrases.push(phrase);
                if last.is_some() {
                    until_wider -= 1;
                    widen(&mut until_wider, &mut code_bits);
                }
                phrase
            }
            code => {
                let known = phrases.get(code as usize - RESERVED).copied();
                let last = last.ok_or_else(|| broken("it starts with a reference"))?;
                let (from, repeats_itself) = match known {
                    Some(phrase) => (phrase, false),
                    // The one entry that is named before it is made.
                    None if code as usize == phrases.len() + RESERVED => (last, true),
                    None => return Err(broken("it refers to nothing")),
                };
                let length = from.length + u32::from(repeats_itself);
                bounds.check(output.len() + length as usize)?;
                let (begin, end) = (from.start as usize, (from.start + from.length) as usize);
                output.extend_from_within(begin..end);
                if repeats_itself {
                    output.push(output[begin]);
                }
                Phrase { start, length }
            }
        };
        if let Some(last) = last {
            phrases.push(Phrase { start: last.start, length: last.length + 1 });
            until_wider -= 1;
            widen(&mut until_wider, &mut code_bits);
        } else {
            code_bits = 3;
            until_wider = 4;
        }
        last = Some(phrase);
    }
}

const fn widen(until_wider: &mut usize, code_bits: &mut u32) {
    if *until_wider == 0 {
        *until_wider = 1 << *code_bits;
        *code_bits += 1;
    }
}

/// Half of a surrogate pair is written as its escape would be read: see the rule on lone surrogates.
fn utf8(units: &[u16], bounds: Bounds) -> Result<Vec<u8>, CaptureError> {
    let mut text = String::with_capacity(units.len());
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok(character) => text.push(character),
            Err(lone) => write!(text, "\\\\u{:04x}", lone.unpaired_surrogate())
                .map_err(|error| CaptureError::Decode(error.to_string()))?,
        }
        bounds.check(text.len())?;
    }
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decompress(text: &str) -> Result<String, CaptureError> {
        decompress_base64(text.as_bytes(), Bounds::of(1 << 20, 1 << 20))
            .map(|bytes| String::from_utf8(bytes).expect("it made UTF-8"))
    }

    fn compress(text: &str) -> String {
        // Another implementation than ours.
        lz_str::compress_to_base64(text)
    }

    #[test]
    fn what_another_implementation_packs_comes_out() {
        let long: Vec<String> = (0..20_000).map(|n| format!("{{\"n\":{n},\"käse\":\"🧀\"}}")).collect();
        let long = long.join(",");
        for text in ["", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "{\"event\":\"e\",\"x\":\"ü🧀\u{3042}\"}", &long] {
            assert_eq!(decompress(&compress(text)).as_deref(), Ok(text));
            assert_eq!(decompress(&compress(text).replace('+', " ")).as_deref(), Ok(text));
        }
    }

    #[test]
    fn damage_says_so() {
        for text in ["", "{}", "????", "AAA", "//////////"] {
            assert!(matches!(decompress(text), Err(CaptureError::Decode(_))), "{text}");
        }
        let packed = compress("a text that is cut");
        assert!(matches!(decompress(&packed[..packed.len() / 2]), Err(CaptureError::Decode(_))));
    }

    #[test]
    fn a_bomb_is_refused_as_it_grows() {
        let bomb = compress(&"a".repeat(5_000_000));
        assert!(bomb.len() < 20_000);
        let bounds = Bounds::of(bomb.len(), 1 << 20);
        assert_eq!(decompress_base64(bomb.as_bytes(), bounds), Err(CaptureError::TooLarge { limit_bytes: 1 << 20 }));
    }

    #[test]
    fn half_a_surrogate_pair_becomes_its_escape() {
        let units: Vec<u16> = "\"x".encode_utf16().chain([0xd800]).chain("\"".encode_utf16()).collect();
        let text = utf8(&units, Bounds::of(100, 100)).expect("short");
        assert_eq!(serde_json::from_slice::<String>(&text).expect("JSON"), "x\\ud800");
    }
}
