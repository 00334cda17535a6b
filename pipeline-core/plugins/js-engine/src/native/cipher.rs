//! AES in the three modes plugins use, as steps without state: JavaScript keeps the position and the
//! running initialisation vector.

use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher, StreamCipherSeek};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{AesGcm, Tag};
use rquickjs::{Ctx, Function, Object, Result};

use super::bytes::{Bytes, refused};

/// Runs the code with `$aes` naming the cipher that belongs to the length of the key.
macro_rules! with_aes {
    ($ctx:expr, $key:expr, $aes:ident => $code:expr) => {
        match $key.len() {
            16 => {
                type $aes = Aes128;
                Ok($code)
            }
            24 => {
                type $aes = Aes192;
                Ok($code)
            }
            32 => {
                type $aes = Aes256;
                Ok($code)
            }
            _ => Err(refused($ctx, "Invalid key length")),
        }
    };
}

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    // Whole blocks, no padding.
    let cbc = |ctx: Ctx<'js>, encrypt: bool, Bytes(key): Bytes, Bytes(iv): Bytes, Bytes(mut data): Bytes| {
        let wrong = |_| refused(&ctx, "Invalid initialization vector");
        with_aes!(&ctx, key, Aes => {
            let (blocks, _) = Block::<Aes>::slice_as_chunks_mut(&mut data);
            if encrypt {
                cbc::Encryptor::<Aes>::new_from_slices(&key, &iv).map_err(wrong)?.encrypt_blocks(blocks);
            } else {
                cbc::Decryptor::<Aes>::new_from_slices(&key, &iv).map_err(wrong)?.decrypt_blocks(blocks);
            }
            Bytes(data)
        })
    };
    host.set("aesCbc", Function::new(ctx.clone(), cbc)?)?;

    // `short` counts in the last four bytes only, as GCM does.
    let ctr = |ctx: Ctx<'js>, short: bool, Bytes(key): Bytes, Bytes(iv): Bytes, at: f64, Bytes(mut data): Bytes| {
        let wrong = |_| refused(&ctx, "Invalid initialization vector");
        with_aes!(&ctx, key, Aes => {
            if short {
                let mut cipher = ctr::Ctr32BE::<Aes>::new_from_slices(&key, &iv).map_err(wrong)?;
                cipher.seek(at as u64);
                cipher.apply_keystream(&mut data);
            } else {
                let mut cipher = ctr::Ctr128BE::<Aes>::new_from_slices(&key, &iv).map_err(wrong)?;
                cipher.seek(at as u64);
                cipher.apply_keystream(&mut data);
            }
            Bytes(data)
        })
    };
    host.set("aesCtr", Function::new(ctx.clone(), ctr)?)?;

    // The tag of what was encrypted.
    let tag = |ctx: Ctx<'js>, Bytes(key): Bytes, Bytes(iv): Bytes, Bytes(extra): Bytes, Bytes(mut plain): Bytes| {
        let failed = || refused(&ctx, "too much data for one message");
        with_aes!(&ctx, key, Aes => {
            let tag = seal::<AesGcm<Aes, U12>>(&key, &iv, &extra, &mut plain).ok_or_else(failed)?;
            Bytes(tag.to_vec())
        })
    };
    host.set("aesGcmTag", Function::new(ctx.clone(), tag)?)
}

/// Encrypts in place, for the tag.
fn seal<C>(key: &[u8], iv: &[u8], extra: &[u8], plain: &mut [u8]) -> Option<Tag>
where
    C: KeyInit + AeadInOut<TagSize = U16>,
{
    let cipher = C::new_from_slice(key).ok()?;
    let nonce = iv.try_into().ok()?;
    cipher.encrypt_inout_detached(&nonce, extra, plain.into()).ok()
}
