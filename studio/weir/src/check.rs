//! `weir check`.

use std::process::ExitCode;

use pipeline_core::api::check::{CheckState, CheckView, ChecksRequest};
use pipeline_core::api::registry;

use crate::check_args::Check;
use crate::client::Client;
use crate::output::print_json;
use crate::say::say;
use crate::table;

pub fn run(check: &Check) -> anyhow::Result<ExitCode> {
    let list = Client::find(&check.target)?.call::<registry::Checks>(&ChecksRequest { run: check.run })?;
    if check.target.json {
        print_json(&list)?;
    } else if list.checks.is_empty() {
        say!("no checks; write checks/NAME.sql in a plugin's folder, or give the server --checks DIR");
    } else {
        for view in &list.checks {
            print(view)?;
        }
    }
    Ok(if list.failing() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(view: &CheckView) -> anyhow::Result<()> {
    let told = match view.state {
        CheckState::Never => "has not run yet".to_owned(),
        CheckState::Passing => format!("no rows ({:.1} ms)", view.duration_ms),
        CheckState::Failing => {
            let more = if view.truncated { " or more" } else { "" };
            format!("{}{more} rows ({:.1} ms, {})", view.rows, view.duration_ms, view.severity.as_str())
        }
        CheckState::Error => "cannot run".to_owned(),
    };
    say!("{:<8} {}  {told}", view.state.as_str(), view.id);
    if !view.description.is_empty() {
        say!("         {}", view.description);
    }
    if let Some(problem) = &view.problem {
        let line = if problem.line > 0 { format!(":{}", problem.line) } else { String::new() };
        say!("         {}{line}", view.file);
        problem.message.lines().for_each(|line| say!("         {line}"));
        say!("         {} [{}]", problem.hint, problem.code);
    }
    if !view.first_rows.is_empty() {
        table::print_values(&mut std::io::stdout().lock(), &view.columns, &view.first_rows)?;
    }
    Ok(())
}
