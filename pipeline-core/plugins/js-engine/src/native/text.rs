//! Text to bytes and back, in the encodings `Buffer` knows, but for UTF-16 (which Rust text cannot hold
//! unpaired) and with Node's leniency: what is not hex or Base64 ends or is skipped.

use rquickjs::{Ctx, Function, Object, Result};

use super::bytes::{Bytes, refused};

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let encode = |ctx: Ctx<'js>, text: String, encoding: String| -> Result<Bytes> {
        let bytes = match encoding.as_str() {
            "utf8" => text.into_bytes(),
            "hex" => from_hex(&text),
            "base64" | "base64url" => from_base64(&text),
            "latin1" => text.encode_utf16().map(|unit| unit as u8).collect(),
            _ => return Err(refused(&ctx, "unknown encoding")),
        };
        Ok(Bytes(bytes))
    };
    host.set("textToBytes", Function::new(ctx.clone(), encode)?)?;
    let decode = |ctx: Ctx<'js>, Bytes(bytes): Bytes, encoding: String| match encoding.as_str() {
        "utf8" => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        "hex" => Ok(to_hex(&bytes)),
        "base64" => Ok(to_base64(&bytes, STANDARD, true)),
        "base64url" => Ok(to_base64(&bytes, URL_SAFE, false)),
        "latin1" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        "ascii" => Ok(bytes.iter().map(|byte| char::from(byte & 0x7f)).collect()),
        _ => Err(refused(&ctx, "unknown encoding")),
    };
    host.set("bytesToText", Function::new(ctx.clone(), decode)?)?;
    host.set("isUtf8", Function::new(ctx.clone(), |Bytes(bytes): Bytes| std::str::from_utf8(&bytes).is_ok())?)?;
    host.set("utf8Length", Function::new(ctx.clone(), |text: String| text.len() as f64)?)
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Up to the first pair that is not hex.
fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes().chunks_exact(2).map_while(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

fn to_base64(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63]));
            } else if padded {
                text.push('=');
            }
        }
    }
    text
}

/// Both alphabets at once; anything else is skipped, and the first `=` is the end.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}
