//! The WIT contract as Rust: the world of engines, and beside it the world of plugins that need none,
//! which shares its types.

#![allow(clippy::pedantic, missing_docs, unused_qualifications)]

wasmtime::component::bindgen!({
    path: "wit/v0_1",
    world: "engine",
    imports: { default: trappable },
});

pub mod component {
    wasmtime::component::bindgen!({
        path: "wit/v0_1",
        world: "plugin",
        imports: { default: trappable },
        with: {
            "weir:plugin/types": crate::bindings::weir::plugin::types,
            "weir:plugin/log": crate::bindings::weir::plugin::log,
            "weir:plugin/config": crate::bindings::weir::plugin::config,
            "weir:plugin/storage": crate::bindings::weir::plugin::storage,
            "weir:plugin/cache": crate::bindings::weir::plugin::cache,
            "weir:plugin/clock": crate::bindings::weir::plugin::clock,
            "weir:plugin/random": crate::bindings::weir::plugin::random,
            "weir:plugin/report": crate::bindings::weir::plugin::report,
            "weir:plugin/waiting": crate::bindings::weir::plugin::waiting,
            "weir:plugin/http": crate::bindings::weir::plugin::http,
            "weir:plugin/geoip": crate::bindings::weir::plugin::geoip,
            "weir:plugin/jobs": crate::bindings::weir::plugin::jobs,
            "weir:plugin/metrics": crate::bindings::weir::plugin::metrics,
        },
    });
}
