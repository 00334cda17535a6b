//! What the standard library cannot do fast enough, or at all, in JavaScript.
//!
//! Each part adds functions to `engine.host`; the JavaScript around them (`js/provided/`) checks
//! arguments and gives them Node's shape. Nothing here keeps state between calls or asks the platform
//! for time or randomness.

pub mod bytes;
pub mod cipher;
pub mod deflate;
pub mod digest;
pub mod signature;
pub mod text;
pub mod zone;

use rquickjs::{Ctx, Object, Result};

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    text::define(ctx, host)?;
    digest::define(ctx, host)?;
    cipher::define(ctx, host)?;
    signature::define(ctx, host)?;
    deflate::define(ctx, host)?;
    zone::define(ctx, host)
}
