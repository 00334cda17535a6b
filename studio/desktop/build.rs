//! Tauri reads its configuration and the icon at build time.

fn main() {
    tauri_build::build();
}
