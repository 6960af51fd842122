//! A part of the check, which runs in a process of its own and tells what it finds line by line: whatever becomes of it, what it
//! has told is there.

use std::any::Any;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::Asked;
use crate::report::Row;

pub struct Section {
    pub name: &'static str,
    pub run: fn(&Context) -> Result<(), Box<dyn Error>>,
    /// What it may take on hardware, and with `--quick`.
    pub seconds: u64,
    pub quick: u64,
}

/// The word that the program gives itself for a section, before its seconds.
pub const HERE: &str = "--here";

/// What a section may take for the work that is under way when its time is over.
const GRACE: Duration = Duration::from_secs(15);

/// What a section goes by.
pub struct Context {
    pub quick: bool,
    pub weights: Option<PathBuf>,
    end: Instant,
}

impl Context {
    pub fn new(quick: bool, weights: Option<PathBuf>, time: Duration) -> Self {
        Self { quick, weights, end: Instant::now() + time }
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Tells something to the process that waits for it.
    pub fn tell(&self, row: Row) {
        // Of plain data.
        println!("{}", serde_json::to_string(&row).unwrap_or_else(|error| panic!("{error}")));
    }

    /// Whether the time is over, of which `what` is the victim.
    pub fn cuts(&self, what: impl FnOnce() -> String) -> bool {
        let over = self.is_over();
        if over {
            self.tell(Row::Cut(what()));
        }
        over
    }
}

impl Section {
    pub fn run_here(&self, context: &Context) {
        match catch_unwind(AssertUnwindSafe(|| (self.run)(context))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => context.tell(Row::Failed(error.to_string())),
            Err(panic) => context.tell(Row::Failed(format!("panicked: {}", said(&*panic)))),
        }
        context.tell(Row::End);
    }

    /// How it ended: "done", or why not all of it is there.
    pub fn run_apart(&self, asked: &Asked, found: &mut dyn FnMut(Row)) -> String {
        self.try_apart(asked, found).unwrap_or_else(|error| format!("failed: {error}"))
    }

    fn try_apart(&self, asked: &Asked, found: &mut dyn FnMut(Row)) -> std::io::Result<String> {
        let seconds = if asked.quick { self.quick } else { self.seconds };
        let mut command = Command::new(env::current_exe()?);
        command.arg(self.name).args([HERE, &seconds.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        command.args(asked.quick.then_some("--quick"));
        if let Some(weights) = &asked.weights {
            command.arg("--weights").arg(weights);
        }
        let mut child = command.spawn()?;
        let (told, telling) = channel();
        let lines = child.stdout.take().map(BufReader::new);
        thread::spawn(move || {
            for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                // Drivers print as well.
                if let Ok(row) = serde_json::from_str(&line)
                    && told.send(row).is_err()
                {
                    break;
                }
            }
        });
        let end = Instant::now() + Duration::from_secs(seconds) + GRACE;
        let mut ended = "done".to_owned();
        loop {
            match telling.recv_timeout(end.saturating_duration_since(Instant::now())) {
                // Drivers may hang or crash when all is done.
                Ok(Row::End) => break child.kill()?,
                Ok(Row::Failed(why)) => ended = format!("failed: {why}"),
                Ok(Row::Cut(what)) => ended = format!("out of time: {what}"),
                Ok(row) => found(row),
                Err(RecvTimeoutError::Timeout) => {
                    ended = format!("failed: it did not come to an end in {seconds} s");
                    break child.kill()?;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    ended = format!("failed: the process crashed ({})", child.wait()?);
                    break;
                }
            }
        }
        child.wait()?;
        Ok(ended)
    }
}

/// What a panic says.
pub fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
