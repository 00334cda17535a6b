//! Digests, HMAC and PBKDF2.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use rquickjs::{Ctx, Function, Object, Result};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::bytes::{Bytes, refused};

/// Runs the code with `$hash` naming the type that belongs to a name of Node.
macro_rules! with_hash {
    ($ctx:expr, $name:expr, $hash:ident => $code:expr) => {
        match $name {
            "md5" => {
                type $hash = Md5;
                Ok($code)
            }
            "sha1" => {
                type $hash = Sha1;
                Ok($code)
            }
            "sha224" => {
                type $hash = Sha224;
                Ok($code)
            }
            "sha256" => {
                type $hash = Sha256;
                Ok($code)
            }
            "sha384" => {
                type $hash = Sha384;
                Ok($code)
            }
            "sha512" => {
                type $hash = Sha512;
                Ok($code)
            }
            other => Err(refused($ctx, &format!("unknown digest '{other}'"))),
        }
    };
}

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let digest = |ctx: Ctx<'js>, name: String, Bytes(data): Bytes| with_hash!(&ctx, name.as_str(), Hash => Bytes(Hash::digest(&data).to_vec()));
    host.set("digest", Function::new(ctx.clone(), digest)?)?;
    let hmac = |ctx: Ctx<'js>, name: String, Bytes(key): Bytes, Bytes(data): Bytes| {
        with_hash!(&ctx, name.as_str(), Hash => {
            let mut mac = Hmac::<Hash>::new_from_slice(&key).expect("HMAC takes keys of any length");
            mac.update(&data);
            Bytes(mac.finalize().into_bytes().to_vec())
        })
    };
    host.set("hmac", Function::new(ctx.clone(), hmac)?)?;
    let pbkdf2 = |ctx: Ctx<'js>, name: String, Bytes(password): Bytes, Bytes(salt): Bytes, rounds: u32, length: u32| {
        let mut key = vec![0; length as usize];
        with_hash!(&ctx, name.as_str(), Hash => pbkdf2_hmac::<Hash>(&password, &salt, rounds, &mut key))?;
        Ok::<_, rquickjs::Error>(Bytes(key))
    };
    host.set("pbkdf2", Function::new(ctx.clone(), pbkdf2)?)
}
