//! zlib's three formats.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use rquickjs::{Ctx, Function, Object, Result};

use super::bytes::{Bytes, refused};

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let deflate = |ctx: Ctx<'js>, format: String, level: u32, Bytes(data): Bytes| {
        compress(&format, Compression::new(level), &data).map(Bytes).map_err(|error| refused(&ctx, &error.to_string()))
    };
    host.set("deflate", Function::new(ctx.clone(), deflate)?)?;
    // Never more than one byte above the limit: what comes out may be a thousand times what went in.
    let inflate = |ctx: Ctx<'js>, format: String, limit: f64, Bytes(data): Bytes| {
        decompress(&format, limit as u64, &data).map(Bytes).map_err(|message| refused(&ctx, message))
    };
    host.set("inflate", Function::new(ctx.clone(), inflate)?)
}

fn compress(format: &str, level: Compression, data: &[u8]) -> io::Result<Vec<u8>> {
    match format {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(data)?;
            encoder.finish()
        }
        "zlib" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(data)?;
            encoder.finish()
        }
        _ => {
            let mut encoder = DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(data)?;
            encoder.finish()
        }
    }
}

/// Errors in zlib's words, as far as plugins can see them.
fn decompress(format: &str, limit: u64, data: &[u8]) -> std::result::Result<Vec<u8>, &'static str> {
    let mut out = Vec::new();
    let read = match format {
        "gzip" if !data.starts_with(&[0x1f, 0x8b][..data.len().min(2)]) => return Err("incorrect header check"),
        "gzip" => MultiGzDecoder::new(data).take(limit + 1).read_to_end(&mut out),
        "zlib" if data.len() >= 2 && u16::from_be_bytes([data[0], data[1]]) % 31 != 0 => {
            return Err("incorrect header check");
        }
        "zlib" => ZlibDecoder::new(data).take(limit + 1).read_to_end(&mut out),
        _ => DeflateDecoder::new(data).take(limit + 1).read_to_end(&mut out),
    };
    match read {
        Ok(_) if out.len() as u64 > limit => Err("too large"),
        // A decoder that was given nothing takes it for a complete nothing.
        Ok(_) if data.is_empty() => Err("unexpected end of file"),
        Ok(_) => Ok(out),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err("unexpected end of file"),
        Err(error) if error.to_string().contains("checksum") => Err("incorrect data check"),
        Err(_) => Err("invalid compressed data"),
    }
}
