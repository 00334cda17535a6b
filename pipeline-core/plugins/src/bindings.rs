//! The WIT contract as Rust.

#![allow(clippy::pedantic, missing_docs, unused_qualifications)]

wasmtime::component::bindgen!({
    path: "wit/v0_1",
    world: "engine",
    imports: { default: trappable },
});
