//! The contract `weir:plugin`, as generated.
#![allow(clippy::all, missing_docs)]

wit_bindgen::generate!({
    path: "../../wit/v0_1",
    world: "plugin",
    pub_export_macro: true,
    default_bindings_module: "weir_plugin::bindings",
});
