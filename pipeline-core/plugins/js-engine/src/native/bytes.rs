//! Bytes as arguments and results, always by copy.

use rquickjs::{Ctx, Error, Exception, FromJs, IntoJs, Result, TypedArray, Value};

use crate::bytes::copied;

/// A `Uint8Array` (or `Buffer`) on the other side.
pub struct Bytes(pub Vec<u8>);

impl<'js> FromJs<'js> for Bytes {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        copied(ctx, &TypedArray::from_value(value)?).map(Self)
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
