//! Shows how far work on gigabytes is: one line that changes on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use proof_server::{circuits::Event, config::show_size};

/// Between two lines of a log, 10 s, and two changes on a terminal, a fifth of one: as often as one can read.
const LOG_EVERY: Duration = Duration::from_secs(10);
const TERMINAL_EVERY: Duration = Duration::from_millis(200);

/// Back to the start of the terminal's line, and clear it (ECMA-48, EL).
const CLEAR: &str = "\r\x1b[K";

pub(super) struct Meter {
    terminal: bool,
    /// Whether the terminal's last line is one that changes.
    open: bool,
    shown: Instant,
    step: Option<Step>,
}

/// What goes on, and since when.
struct Step {
    doing: &'static str,
    file: String,
    began: Instant,
    /// Bytes that were done before, which took no time.
    start: u64,
}

impl Meter {
    pub(super) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { terminal, open: false, shown: Instant::now(), step: None }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Progress { doing, file, done, total } => self.progress(doing, file, done, total),
            Event::Note(text) => {
                self.end();
                write(&format!("{}\n", clean(text)));
            }
            _ => {}
        }
    }

    /// Leaves the line as it is.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            write("\n");
        }
    }

    fn progress(&mut self, doing: &'static str, file: &str, done: u64, total: Option<u64>) {
        let now = Instant::now();
        let same = |step: &&Step| step.doing == doing && step.file == file && step.start <= done;
        if self.step.as_ref().filter(same).is_none() {
            self.end();
            self.step = Some(Step { doing, file: file.to_owned(), began: now, start: done });
        }
        let Some(step) = &self.step else { return };
        let every = if self.terminal { TERMINAL_EVERY } else { LOG_EVERY };
        let due = now.duration_since(self.shown) >= every;
        // A terminal shows that a step is done, a log what takes long.
        if !(due || self.terminal && total == Some(done)) {
            return;
        }
        self.shown = now;
        let line = line(step, done, total, now.duration_since(step.began));
        if self.terminal {
            self.open = true;
            write(&format!("{CLEAR}{line}"));
        } else {
            write(&format!("{line}\n"));
        }
    }
}

/// Whoever closed standard error does not want to know.
fn write(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Without what would move a terminal's cursor: names and answers are strangers'.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn line(step: &Step, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let mut line = format!("{} {}: ", step.doing, clean(&step.file));
    match total {
        Some(total) => {
            let percent = u128::from(done) * 100 / u128::from(total.max(1));
            line += &format!("{percent} %, {} of {}", show_size(done), show_size(total));
        }
        None => line += &show_size(done),
    }
    let Some(rate) = rate(done.saturating_sub(step.start), elapsed) else { return line };
    line += &format!(", {}/s", show_size(rate));
    let left = total.and_then(|total| total.saturating_sub(done).checked_div(rate));
    if let Some(left) = left.filter(|left| *left > 0) {
        line += &format!(", {} left", clock(left));
    }
    line
}

/// Bytes a second, once a second has shown one.
fn rate(bytes: u64, elapsed: Duration) -> Option<u64> {
    let millis = u64::try_from(elapsed.as_millis()).ok().filter(|millis| *millis >= 1000)?;
    Some(bytes.saturating_mul(1000) / millis)
}

/// Seconds as `2 h 03 min`, `4 min 05 s` or `6 s`.
fn clock(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(start: u64) -> Step {
        let file = "a\u{1b}.tar.gz".to_owned();
        Step { doing: "downloading", file, began: Instant::now(), start }
    }

    #[test]
    fn a_line_says_how_much_is_done_how_fast_and_how_long_it_will_take() {
        let text = line(&step(1 << 30), 3 << 30, Some(8 << 30), Duration::from_secs(128));
        assert_eq!(
            text,
            "downloading a .tar.gz: 37 %, 3.0 GiB of 8.0 GiB, 16.0 MiB/s, 5 min 20 s left"
        );
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let started = line(&step(0), 1024, Some(2048), Duration::from_millis(999));
        assert_eq!(started, "downloading a .tar.gz: 50 %, 1.0 KiB of 2.0 KiB");
        let endless = line(&step(0), 2048, None, Duration::from_secs(2));
        assert_eq!(endless, "downloading a .tar.gz: 2.0 KiB, 1.0 KiB/s");
        let stalled = line(&step(5), 5, Some(10), Duration::from_secs(9));
        assert_eq!(stalled, "downloading a .tar.gz: 50 %, 5 bytes of 10 bytes, 0 bytes/s");
        assert_eq!(
            line(&step(0), 0, Some(0), Duration::ZERO),
            "downloading a .tar.gz: 0 %, 0 bytes of 0 bytes"
        );
    }

    #[test]
    fn times_are_shown_with_two_units() {
        assert_eq!(clock(6), "6 s");
        assert_eq!(clock(245), "4 min 05 s");
        assert_eq!(clock(7390), "2 h 03 min");
    }
}
