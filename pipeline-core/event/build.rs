//! Deliberate bugs are for builds in which Weir is developed and tested, never for those that people are given.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(sabotage)");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        println!("cargo:rustc-cfg=sabotage");
    }
}
