//! RSA signatures (PKCS#1 v1.5) with PEM keys.
//!
//! Signing is not blinded, since the engine has no secret randomness: whoever can time a plugin to the
//! microsecond runs the machine it runs on.

use rquickjs::{Ctx, Function, Object, Result};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{PrivateKey, PublicKey};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::bytes::{Bytes, refused};

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let sign = |ctx: Ctx<'js>, hash: String, pem: String, Bytes(data): Bytes| {
        let key = private_key(&pem).ok_or_else(|| {
            refused(&ctx, "not a private RSA key: expected PEM text that begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----")
        })?;
        let signed = match hash.as_str() {
            "sha1" => key.pkcs1v15_sign::<Sha1>(&data),
            "sha224" => key.pkcs1v15_sign::<Sha224>(&data),
            "sha256" => key.pkcs1v15_sign::<Sha256>(&data),
            "sha384" => key.pkcs1v15_sign::<Sha384>(&data),
            "sha512" => key.pkcs1v15_sign::<Sha512>(&data),
            _ => return Err(refused(&ctx, "Invalid digest")),
        };
        signed.map(Bytes).map_err(|error| refused(&ctx, &error.to_string()))
    };
    host.set("rsaSign", Function::new(ctx.clone(), sign)?)?;
    let verify = |ctx: Ctx<'js>, hash: String, pem: String, Bytes(data): Bytes, Bytes(signature): Bytes| {
        let key = public_key(&pem).ok_or_else(|| {
            refused(&ctx, "not a public RSA key: expected PEM text that begins with -----BEGIN PUBLIC KEY----- or -----BEGIN RSA PUBLIC KEY-----")
        })?;
        let verified = match hash.as_str() {
            "sha1" => key.pkcs1v15_verify::<Sha1>(&data, &signature),
            "sha224" => key.pkcs1v15_verify::<Sha224>(&data, &signature),
            "sha256" => key.pkcs1v15_verify::<Sha256>(&data, &signature),
            "sha384" => key.pkcs1v15_verify::<Sha384>(&data, &signature),
            "sha512" => key.pkcs1v15_verify::<Sha512>(&data, &signature),
            _ => return Err(refused(&ctx, "Invalid digest")),
        };
        Ok(verified.is_ok())
    };
    host.set("rsaVerify", Function::new(ctx.clone(), verify)?)
}

fn private_key(pem: &str) -> Option<PrivateKey> {
    let pem = pem.trim();
    PrivateKey::from_pkcs8_pem(pem).ok().or_else(|| PrivateKey::from_pkcs1_pem(pem).ok())
}

/// A private key also verifies.
fn public_key(pem: &str) -> Option<PublicKey> {
    let pem = pem.trim();
    PublicKey::from_public_key_pem(pem)
        .ok()
        .or_else(|| PublicKey::from_pkcs1_pem(pem).ok())
        .or_else(|| private_key(pem).map(|key| key.to_public_key()))
}
