//! How far a command is, on stderr: a bar on a terminal, elsewhere a line now and then, ever more seldom as time goes on.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two lines: half of what was gone at the first of them, and never outside of these.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(600);

/// Of the whole process, however many things it does one after the other: a night's work is a page of lines.
static PACE: Mutex<Option<Pace>> = Mutex::new(None);

/// When a line is due.
#[derive(Clone, Copy)]
struct Pace {
    started: Instant,
    told: Instant,
}

impl Pace {
    fn is_due(&self, now: Instant) -> bool {
        now - self.told >= ((self.told - self.started) / 2).clamp(SHORTEST, LONGEST)
    }
}

/// Starts the clock, where nothing did before.
pub fn start() {
    pace(|_, _| ());
}

/// Whether a line is due where there is no terminal; it is told then.
pub fn is_due() -> bool {
    pace(|pace, now| {
        let due = pace.is_due(now);
        if due {
            pace.told = now;
        }
        due
    })
}

/// Something was told that shows how far all is.
pub fn told() {
    pace(|pace, now| pace.told = now);
}

fn pace<T>(with: impl FnOnce(&mut Pace, Instant) -> T) -> T {
    let now = Instant::now();
    let mut pace = PACE.lock().unwrap_or_else(PoisonError::into_inner);
    with(pace.get_or_insert(Pace { started: now, told: now }), now)
}

/// How far a command is with so many files.
pub struct Progress {
    /// On a terminal.
    bar: Option<ProgressBar>,
    what: String,
    files: usize,
    started: Instant,
    /// A line was told.
    told: AtomicBool,
}

impl Progress {
    /// `what` the files are, for the user.
    pub fn new(files: usize, what: &str) -> Self {
        start();
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(files as u64).with_message(what.to_owned());
            match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { bar, what: what.to_owned(), files, started: Instant::now(), told: AtomicBool::new(false) }
    }

    /// So many files are done.
    pub fn set(&self, done: usize) {
        let done = done.min(self.files);
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        } else if done > 0 && is_due() {
            self.told.store(true, Ordering::Relaxed);
            eprintln!("reid: {}", line(&self.what, done, self.files, self.started.elapsed()));
        }
    }

    /// A line of its own, above the bar.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// All is done: takes the bar off the screen, or ends the lines.
    pub fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        } else if self.told.load(Ordering::Relaxed) {
            let seconds = self.started.elapsed().as_secs_f64();
            eprintln!("reid: {}: all {} in {}", self.what, self.files, duration(seconds));
        }
    }
}

impl Drop for Progress {
    /// Where something went wrong.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How far it is; something is done.
fn line(what: &str, done: usize, files: usize, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let left = seconds / done as f64 * (files - done) as f64;
    format!("{what}: {done} of {files}, {:.1} a second, {} left", done as f64 / seconds, duration(left))
}

/// Seconds in the two units that matter.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds after which lines come, looking every half second.
    fn lines(seconds: u64) -> Vec<f64> {
        let started = Instant::now();
        let mut pace = Pace { started, told: started };
        let mut due = Vec::new();
        for half in 1..=2 * seconds {
            let now = started + Duration::from_millis(500 * half);
            if pace.is_due(now) {
                pace.told = now;
                due.push(half as f64 / 2.0);
            }
        }
        due
    }

    #[test]
    fn lines_come_soon_and_then_ever_more_seldom() {
        assert!(lines(1).is_empty());
        assert_eq!(lines(60), [2.0, 4.0, 6.0, 9.0, 13.5, 20.5, 31.0, 46.5]);
        let night = lines(10 * 3600);
        assert_eq!(night.len(), 74);
        assert!(night.is_sorted_by(|a, b| b - a <= 600.0));
    }

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long() {
        assert_eq!(line("images", 320, 1184, Duration::from_secs(8)), "images: 320 of 1184, 40.0 a second, 22 s left");
        assert_eq!(line("photos", 1, 1, Duration::ZERO), "photos: 1 of 1, 1000.0 a second, 0 s left");
    }

    #[test]
    fn durations_have_the_two_units_that_matter() {
        assert_eq!(
            [0.2, 59.4, 61.0, 3599.6, 90061.0].map(duration),
            ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "25 h 1 min"]
        );
    }
}
