//! `weir serve --supervise`: a parent that does nothing but start the server again.
//!
//! # What it guarantees
//!
//! * A server whose process ends by itself (killed, aborted, out of memory) is started again with the same arguments,
//!   on the ports it had and with the token and sessions it had, so that clients, scripts and pages go on.
//! * Restarts are apart by a pause that doubles, up to [`LONGEST_PAUSE`], and begins anew after a minute that went well.
//! * SIGTERM and SIGINT are passed on, and the parent ends when the server has, with its exit code. A parent that is
//!   killed takes the server with it.
//! * The one line on standard output is the first server's; its `pid` is the server's, not the parent's.
//!
//! # What it does not do
//!
//! A server that ends before it was ready for the first time is not started again: its arguments are wrong. Nothing is
//! said about machines; that is what systemd and the like are for.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use tokio::signal::unix::{SignalKind, signal};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A server that ran for so long did not end because of how it began.
const GOOD_RUN: Duration = Duration::from_mins(1);
/// News that wait to be seen to.
const NEWS: usize = 8;

enum News {
    Ended(std::io::Result<ExitStatus>),
    Signal(Signal),
}

/// In the server: ends it when the parent is gone.
pub fn end_with(parent: i32) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM)).context("cannot be told when the supervisor ends")?;
    // It may have ended before it could be watched.
    if getppid().is_none_or(|pid| pid.as_raw_pid() != parent) {
        bail!("the supervisor has ended");
    }
    Ok(())
}

pub fn run(data_dir: &Path) -> anyhow::Result<ExitCode> {
    let (to_us, news) = sync_channel(NEWS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(1)
        .thread_name("signals")
        .build()
        .context("cannot start the runtime")?;
    {
        let _entered = runtime.enter();
        for (kind, passed) in [(SignalKind::terminate(), Signal::TERM), (SignalKind::interrupt(), Signal::INT)] {
            let (mut stream, to_us) = (signal(kind)?, to_us.clone());
            runtime.spawn(async move {
                while stream.recv().await.is_some() {
                    // One that comes while another is seen to is the same.
                    to_us.try_send(News::Signal(passed)).ok();
                }
            });
        }
    }
    let (mut restarts, mut pause) = (0, FIRST_PAUSE);
    loop {
        let started = Instant::now();
        let (pid, was_ready) = start(restarts, &to_us)?;
        let status = match until_ended(&news, pid)? {
            End::Asked(status) => return Ok(code(status)),
            End::ByItself(status) => status,
        };
        if status.success() || (restarts == 0 && !was_ready) {
            return Ok(code(status));
        }
        if started.elapsed() >= GOOD_RUN {
            pause = FIRST_PAUSE;
        }
        restarts += 1;
        tracing::warn!(%status, data = %data_dir.display(), restarts, "the server ended by itself and is started again");
        match news.recv_timeout(pause) {
            Ok(News::Signal(_)) => return Ok(ExitCode::SUCCESS),
            Ok(News::Ended(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the signals cannot be seen any more"),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

enum End {
    Asked(ExitStatus),
    ByItself(ExitStatus),
}

fn until_ended(news: &Receiver<News>, pid: Pid) -> anyhow::Result<End> {
    let mut asked = false;
    loop {
        match news.recv().context("the server cannot be seen any more")? {
            News::Signal(passed) => {
                asked = true;
                // It may have ended a moment ago; that is the next news.
                kill_process(pid, passed).ok();
            }
            News::Ended(status) => {
                let status = status.context("the server's end cannot be seen")?;
                return Ok(if asked { End::Asked(status) } else { End::ByItself(status) });
            }
        }
    }
}

/// Returns when the server is ready or has ended, and says which.
fn start(restarts: u64, to_us: &SyncSender<News>) -> anyhow::Result<(Pid, bool)> {
    let program = std::env::current_exe().context("where is this program?")?;
    let mut child = Command::new(program)
        .args(own_arguments())
        .args(["--supervised-by", &std::process::id().to_string(), "--restarts", &restarts.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the server")?;
    let pid = Pid::from_child(&child);
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).context("the server says nothing")?;
    }
    let is_ready = !line.is_empty();
    if restarts == 0 {
        // Whoever started us may read this one line and close the pipe.
        std::io::stdout().write_all(line.as_bytes()).and_then(|()| std::io::stdout().flush()).ok();
    }
    wait_for(child, to_us.clone())?;
    Ok((pid, is_ready))
}

fn wait_for(mut child: Child, to_us: SyncSender<News>) -> anyhow::Result<()> {
    let wait = move || to_us.send(News::Ended(child.wait()));
    thread::Builder::new().name("server".into()).spawn(wait).map(drop).context("cannot start a thread")
}

/// As they were given, without the one that makes a supervisor.
fn own_arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().skip(1).filter(|argument| argument != "--supervise")
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
