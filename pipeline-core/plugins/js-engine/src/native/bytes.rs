//! Bytes on their way between JavaScript and Rust, always by copy.
#![allow(unsafe_code)] // Reading a typed array is unsafe by nature; nothing else here is.

use rquickjs::{Ctx, Error, Exception, FromJs, IntoJs, Result, TypedArray, Value};

/// A `Uint8Array` (or `Buffer`) on the other side.
pub struct Bytes(pub Vec<u8>);

impl<'js> FromJs<'js> for Bytes {
    fn from_js(_: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        let array = TypedArray::<u8>::from_value(value)?;
        // SAFETY: no JavaScript runs between borrowing the memory and copying it.
        let copied = unsafe { array.as_bytes() }.map(<[u8]>::to_vec);
        copied.map(Self).ok_or_else(|| Error::new_from_js("detached buffer", "bytes"))
    }
}

impl<'js> IntoJs<'js> for Bytes {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        Ok(TypedArray::new(ctx.clone(), self.0)?.into_value())
    }
}

/// For arguments the JavaScript side has let through although it should not have.
pub fn refused(ctx: &Ctx<'_>, message: &str) -> Error {
    Exception::throw_message(ctx, message)
}
