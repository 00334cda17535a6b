//! Standard output of commands. Who reads it may leave early (`weir … | head`): then the command ends, as a
//! program does that a signal tells of the closed pipe, and says nothing.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::process;

/// 128 and the number of SIGPIPE: what a shell shows for a program that was ended by it.
const NOBODY_READS: i32 = 141;

/// A line, like `println!`, which panics when nobody reads.
macro_rules! say {
    () => { $crate::say::line(format_args!("")) };
    ($($words:tt)*) => { $crate::say::line(format_args!($($words)*)) };
}
pub(crate) use say;

pub fn line(words: Arguments<'_>) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_fmt(words).and_then(|()| out.write_all(b"\n")) {
        ended(&error);
    }
}

fn ended(error: &io::Error) -> ! {
    if error.kind() != io::ErrorKind::BrokenPipe {
        eprintln!("weir: cannot write to standard output: {error}");
    }
    process::exit(NOBODY_READS)
}

/// Ends the program if the error is that nobody reads.
pub fn check(error: &anyhow::Error) {
    let is_closed = |kind: Option<io::ErrorKind>| kind == Some(io::ErrorKind::BrokenPipe);
    for cause in error.chain() {
        let of_io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let of_json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        if is_closed(of_io) || is_closed(of_json) {
            process::exit(NOBODY_READS);
        }
    }
}
