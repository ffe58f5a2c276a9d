//! How far a run is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a log gets a line: often enough to see that it lives, rare enough to be read.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far a run is.
#[derive(Debug)]
pub(super) struct Progress {
    /// None where nobody watches.
    bar: Option<ProgressBar>,
    total: Option<usize>,
    proved: usize,
    failed: usize,
    began: Instant,
    next_line: Instant,
}

impl Progress {
    /// Of a run of `total` requests, where that is known.
    pub(super) fn new(total: Option<usize>) -> Self {
        let began = Instant::now();
        let bar = stderr().is_terminal().then(|| bar(total));
        Self { bar, total, proved: 0, failed: 0, began, next_line: began + LINE_EVERY }
    }

    /// One more request is over.
    pub(super) fn one(&mut self, is_proved: bool) {
        if is_proved {
            self.proved += 1
        } else {
            self.failed += 1
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!("{} failed", self.failed));
        }
    }

    /// Time passes, whether or not anything came.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        if let Some(bar) = &self.bar {
            bar.tick();
        } else if now >= self.next_line {
            self.next_line = now + LINE_EVERY;
            eprintln!("{}", line(self.proved, self.failed, self.total, now - self.began));
        }
    }

    /// Takes the bar away, so that what is printed next stands alone.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<usize>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total as u64),
            "{elapsed_precise} {wide_bar} {pos}/{len} {per_sec} {msg}",
        ),
        None => (ProgressBar::no_length(), "{elapsed_precise} {spinner} {pos} {per_sec} {msg}"),
    };
    let style = ProgressStyle::with_template(template).expect("the template is one");
    bar.with_style(style)
}

fn line(proved: usize, failed: usize, total: Option<usize>, after: Duration) -> String {
    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
    format!("{} s: {}{of} requests over, {failed} failed", after.as_secs(), proved + failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_how_far_it_is() {
        let after = Duration::from_millis(20_500);
        assert_eq!(line(7, 1, Some(100), after), "20 s: 8 of 100 requests over, 1 failed");
        assert_eq!(line(7, 0, None, after), "20 s: 7 requests over, 0 failed");
    }

    #[test]
    fn the_bars_templates_are_templates() {
        bar(Some(3)).finish_and_clear();
        bar(None).finish_and_clear();
    }
}
