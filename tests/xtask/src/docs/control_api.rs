//! `docs/api.md`, from the registry: every command with its request and response types.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

pub fn page(root: &Path) -> anyhow::Result<String> {
    let source = fs::read_to_string(root.join("pipeline-core/api/src/registry.rs"))?;
    let commands = source.split("commands! {").nth(1).unwrap_or_default();
    let mut page = String::from(
        "# Control API\n\nWritten by `cargo xtask docs` from the registry in `pipeline-core/api`.\n\n\
         Every command is `POST /api/v1/<command>` on the control port with a JSON body (an empty body is `{}`),\n\
         a `Host` that names the server, and `Authorization: Bearer TOKEN` from `run.json` (or the studio's cookie).\n\
         An error is `{\"code\",\"message\",\"hint\"}` with a fitting HTTP status; [troubleshooting.md](troubleshooting.md) lists the codes.\n\
         Live frames: `GET /api/live` (WebSocket, one JSON `LiveFrame` five times a second).\n\n\
         | command | what | request | response |\n|---|---|---|---|\n",
    );
    let mut summary = String::new();
    for line in commands.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            text.trim().clone_into(&mut summary);
        } else if let Some((name, rest)) = line.split_once(' ') {
            let types = rest.split(['(', ')']).collect::<Vec<_>>();
            if let [_, request, response, ..] = types.as_slice() {
                let response = response.trim().trim_start_matches("->").trim_end_matches(';').trim();
                writeln!(page, "| `{name}` | {summary} | `{request}` | `{response}` |")?;
            }
        }
    }
    Ok(page)
}
