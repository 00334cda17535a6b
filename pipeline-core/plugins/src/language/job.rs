//! A build on a thread of its own, and the end of it.
//!
//! A job ends in one message to the loader, with the number it was given; a loader that has given the
//! plugin a newer job ignores it. Cancelling kills the programs that the job runs, with all their
//! children, and does not wait for them.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use weir_api::plugin::Diagnostic;

use crate::host::{Message, Shared};
use crate::language::Order;

/// Compiling machine code recurses deeply.
const STACK_BYTES: usize = 8 << 20;

#[derive(Debug, Default)]
pub struct Cancel {
    is_asked: AtomicBool,
    /// Of the program that runs now; only set while it cannot have been waited for.
    group: Mutex<Option<Pid>>,
}

/// What a program said, as far as it came.
#[derive(Debug)]
pub struct Said {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Cancel {
    pub fn cancel(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        kill(&self.lock());
    }

    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::SeqCst)
    }

    /// Runs a program to its end, which comes early when this is cancelled.
    pub fn run(&self, command: &mut Command) -> io::Result<Said> {
        let mut child =
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        {
            let mut group = self.lock();
            *group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            if self.is_asked() {
                kill(&group);
            }
        }
        let mut stderr = child.stderr.take();
        let listener = thread::Builder::new().name("weir-plugin-build-log".into()).spawn(move || {
            let mut said = Vec::new();
            let read = stderr.as_mut().map_or(Ok(0), |stderr| stderr.read_to_end(&mut said));
            read.map(|_| said)
        })?;
        let mut stdout = Vec::new();
        let read = child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut stdout));
        let stderr = listener.join().unwrap_or_else(|_| Ok(Vec::new()));
        // Before the wait: after it the number may be another's.
        *self.lock() = None;
        let status = child.wait()?;
        read?;
        Ok(Said { status, stdout, stderr: String::from_utf8_lossy(&stderr?).into_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pid>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kill(group: &MutexGuard<'_, Option<Pid>>) {
    if let Some(group) = **group {
        // Fails when all of them have ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

pub struct Job {
    pub number: u64,
    cancel: Arc<Cancel>,
}

impl Job {
    pub fn start(number: u64, order: Order, shared: Arc<Shared>) -> Result<Self, Box<Diagnostic>> {
        let cancel = Arc::new(Cancel::default());
        let own = Arc::clone(&cancel);
        let work = move || {
            let plugin_id = order.plugin_id.clone();
            let built = order.carry_out(&shared, &own);
            // Fails when the host has been shut down, and then nobody waits for it.
            let _ = shared.to_loader.send(Message::Built(plugin_id, number, Box::new(built)));
        };
        thread::Builder::new().name("weir-plugin-build".into()).stack_size(STACK_BYTES).spawn(work).map_err(
            |error| {
                Box::new(Diagnostic {
                    message: format!("The build did not start: {error}"),
                    hint: Some("The machine is out of threads or memory.".to_owned()),
                    ..Diagnostic::default()
                })
            },
        )?;
        Ok(Self { number, cancel })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
