//! What a request is doing: one line that moves on a terminal, one line for each change elsewhere.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use proof_server::{
    client::Event,
    types::{Joined, Phase, Progress},
};

use super::report::{Report, plain, seconds};

/// The moving line is drawn again this often, so that its clock runs.
const REDRAW: Duration = Duration::from_secs(1);
/// Cells of the bar.
const BAR: usize = 24;

/// Shows events until it is dropped.
pub(super) struct Live {
    report: Report,
    last: Option<Event>,
    moving: Option<Moving>,
}

/// The line that moves, and who draws it.
struct Moving {
    shared: Arc<Shared>,
    drawer: Option<JoinHandle<()>>,
}

struct Shared {
    line: Mutex<Line>,
    changed: Condvar,
}

#[derive(Default)]
struct Line {
    status: Option<(Event, Instant)>,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    pub(super) fn new(report: Report) -> Self {
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let moving = (io::stderr().is_terminal() && !dumb).then(Moving::start);
        Self { report, last: None, moving }
    }

    /// Takes the next event. Signs of life that say nothing new are not shown twice.
    pub(super) fn on_event(&mut self, event: Event) {
        if self.last == Some(event) {
            return;
        }
        self.last = Some(event);
        match (&self.moving, event) {
            (Some(moving), Event::Queued { .. } | Event::Started | Event::Progress(_)) => {
                moving.show(event)
            }
            _ => self.report.note(label(event), describe(event)),
        }
    }
}

impl Moving {
    fn start() -> Self {
        let shared = Arc::new(Shared { line: Mutex::default(), changed: Condvar::new() });
        let drawer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || draw(&shared)
        });
        Self { shared, drawer: Some(drawer) }
    }

    fn show(&self, event: Event) {
        let mut line = self.shared.lock();
        // The clock is that of the phase, not of the step in it.
        let since = match &line.status {
            Some((before, since)) if label(*before) == label(event) => *since,
            _ => Instant::now(),
        };
        line.status = Some((event, since));
        self.shared.changed.notify_all();
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(drawer) = self.drawer.take() {
            let _ = drawer.join();
        }
    }
}

/// Draws the line over and over, and takes it away at the end.
fn draw(shared: &Shared) {
    let mut line = shared.lock();
    while !line.ended {
        if let Some((event, since)) = line.status {
            let text = plain(label(event), moving(event, since.elapsed()));
            let _ = write!(io::stderr(), "\r\x1b[2K{text}");
        }
        line = shared
            .changed
            .wait_timeout(line, REDRAW)
            .map_or_else(|poisoned| poisoned.into_inner().0, |(line, _)| line);
    }
    if line.status.is_some() {
        let _ = write!(io::stderr(), "\r\x1b[2K");
    }
}

const fn label(event: Event) -> &'static str {
    match event {
        Event::Accepted { .. } => "accepted",
        Event::Queued { .. } => "queued",
        Event::Started => "started",
        Event::Progress(progress) => match progress.phase {
            Phase::Execute => "executing",
            Phase::Prove => "proving",
            Phase::Compress => "reducing",
            Phase::Wrap => "wrapping",
            Phase::Verify => "checking",
            Phase::Outer => "sealing",
        },
    }
}

fn describe(event: Event) -> String {
    match event {
        Event::Accepted { request, joined } => {
            let what = match joined {
                Joined::No => "the server has checked the input",
                Joined::Open => "the server is at it already",
                Joined::Kept => "the server has the proof already",
            };
            format!("{what}; request {request}")
        }
        Event::Queued { position: 0, .. } => "next in line".to_owned(),
        Event::Queued { position, eta_seconds: None } => format!("{position} before it"),
        Event::Queued { position, eta_seconds: Some(eta) } => {
            format!(
                "{position} before it, starts in about {}",
                seconds(Duration::from_secs(eta.into()))
            )
        }
        Event::Started => "a worker has it".to_owned(),
        // One step of minutes, on which a count tells nothing.
        Event::Progress(Progress { phase: Phase::Outer, .. }) => "into a SNARK".to_owned(),
        Event::Progress(Progress { total: 0, .. }) => "…".to_owned(),
        Event::Progress(Progress { done, total, .. }) => format!("{done} of {total}"),
    }
}

/// The line's value on a terminal: a bar where there is something to measure, and a clock.
fn moving(event: Event, elapsed: Duration) -> String {
    let clock = format!("{} s", elapsed.as_secs());
    match event {
        Event::Progress(Progress { phase, done, total }) if total > 0 && phase != Phase::Outer => {
            let filled = BAR * done.min(total) as usize / total as usize;
            format!(
                "[{}{}] {done} of {total}, {clock}",
                "#".repeat(filled),
                "-".repeat(BAR - filled)
            )
        }
        _ => format!("{}, {clock}", describe(event)),
    }
}

#[cfg(test)]
mod tests {
    use proof_server::types::RequestName;

    use super::*;

    fn progress(done: u32, total: u32) -> Event {
        Event::Progress(Progress { phase: Phase::Prove, done, total })
    }

    #[test]
    fn each_event_reads_as_one_line() {
        let queued = |position, eta_seconds| describe(Event::Queued { position, eta_seconds });
        assert_eq!(queued(0, Some(3)), "next in line");
        assert_eq!(queued(2, None), "2 before it");
        assert_eq!(queued(2, Some(200)), "2 before it, starts in about 3 min 20 s");
        let accepted = |joined| describe(Event::Accepted { request: RequestName([4; 32]), joined });
        assert_eq!(
            accepted(Joined::No),
            "the server has checked the input; request 0404040404040404"
        );
        assert!(accepted(Joined::Open).starts_with("the server is at it already; request 04"));
        assert!(accepted(Joined::Kept).starts_with("the server has the proof already"));
        assert_eq!(plain(label(progress(3, 7)), describe(progress(3, 7))), "proving    3 of 7");
        let outer = Event::Progress(Progress { phase: Phase::Outer, done: 0, total: 1 });
        assert_eq!(plain(label(outer), describe(outer)), "sealing    into a SNARK");
        assert_eq!(moving(outer, Duration::from_secs(61)), "into a SNARK, 61 s");
    }

    #[test]
    fn the_bar_fills_and_never_overflows() {
        let bar = |done, total| moving(progress(done, total), Duration::from_secs(61));
        assert_eq!(bar(0, 4), format!("[{}] 0 of 4, 61 s", "-".repeat(24)));
        assert_eq!(bar(1, 4), format!("[{}{}] 1 of 4, 61 s", "#".repeat(6), "-".repeat(18)));
        assert_eq!(bar(9, 4), format!("[{}] 9 of 4, 61 s", "#".repeat(24)));
        assert_eq!(bar(0, 0), "…, 61 s");
    }
}
