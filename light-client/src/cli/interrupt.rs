//! Ctrl-C and SIGTERM while a server works: the job is cancelled, then the process ends.

use std::{
    io::{self, Write},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use proof_server::client::Canceller;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// How long a server may take to answer a `Cancel`. After that it is told by the end of the connection.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// From its start to [`Interrupt::disarm`], Ctrl-C and SIGTERM cancel the request and end the process
/// with 128 + the signal's number. A second signal does not wait.
#[derive(Debug)]
pub(super) struct Interrupt {
    state: Arc<Mutex<State>>,
    answered: Sender<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A server works; nothing here has changed.
    Waiting,
    /// The process is about to end.
    Interrupted,
    /// The answer is being saved, which takes milliseconds and should be whole.
    Saving,
}

impl Interrupt {
    pub(super) fn arm(canceller: Canceller) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::Waiting));
        let (answered, is_answered) = mpsc::channel();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        thread::spawn({
            let state = Arc::clone(&state);
            move || {
                let mut arrived = signals.forever();
                let Some(signal) = arrived.next() else { return };
                if pass(&state, State::Interrupted) {
                    end(canceller, is_answered, signal);
                    if arrived.next().is_some() {
                        process::exit(128 + signal);
                    }
                }
            }
        });
        Ok(Self { state, answered })
    }

    /// The server has answered: from now on signals come too late. Does not return if one came before.
    pub(super) fn disarm(self) {
        if pass(&self.state, State::Saving) {
            return;
        }
        // If nobody listens any more, the process is ending already.
        let _ = self.answered.send(());
        loop {
            thread::park();
        }
    }
}

/// Goes from `Waiting` to `next`; whether that was still possible.
fn pass(state: &Mutex<State>, next: State) -> bool {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = *state == State::Waiting;
    if waiting {
        *state = next;
    }
    waiting
}

/// Sends the `Cancel`, and ends the process when it is answered or could be. Does not wait here.
fn end(mut canceller: Canceller, is_answered: Receiver<()>, signal: i32) {
    // A server that reads nothing could hold up the writer: it has its own thread.
    thread::spawn(move || canceller.cancel());
    thread::spawn(move || {
        let _ = is_answered.recv_timeout(CANCEL_GRACE);
        // Locked to the end: the last word stays the last.
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "\ninterrupted: the request is cancelled, nothing was changed");
        process::exit(128 + signal);
    });
}
