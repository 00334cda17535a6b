//! Copies of the bytes in JavaScript's buffers.
#![allow(unsafe_code)] // The only place that looks into QuickJS's memory.

use rquickjs::{Ctx, Exception, Result, TypedArray};

/// Fails for a buffer that has been handed away.
pub fn copied<'js>(ctx: &Ctx<'js>, array: &TypedArray<'js, u8>) -> Result<Vec<u8>> {
    // SAFETY: the slice is copied before any JavaScript can run, so nothing can move or change its buffer.
    let bytes = unsafe { array.as_bytes() }.map(<[u8]>::to_vec);
    bytes.ok_or_else(|| Exception::throw_type(ctx, "the buffer is detached"))
}
