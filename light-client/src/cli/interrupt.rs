//! Ctrl-C and SIGTERM while a server works: the job is cancelled, then the process ends.

use std::{
    io::{self, Write},
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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
    canceller: Arc<Mutex<Option<Canceller>>>,
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
    pub(super) fn arm() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::Waiting));
        let canceller = Arc::new(Mutex::new(None));
        let (answered, is_answered) = mpsc::channel();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        thread::spawn({
            let (state, canceller) = (Arc::clone(&state), Arc::clone(&canceller));
            move || {
                let mut arrived = signals.forever();
                let Some(signal) = arrived.next() else { return };
                if pass(&state, State::Interrupted) {
                    let canceller = locked(&canceller).take();
                    end(canceller, is_answered, signal);
                    if arrived.next().is_some() {
                        process::exit(128 + signal);
                    }
                }
            }
        });
        Ok(Self { state, canceller, answered })
    }

    /// From now on the request is given up by this; by nothing where none is open. Does not return if a signal came
    /// before: what went wrong since is its doing.
    pub(super) fn cancels_by(&self, canceller: Option<Canceller>) {
        *locked(&self.canceller) = canceller;
        if *locked(&self.state) == State::Interrupted {
            self.wait_for_the_end();
        }
    }

    /// The server has answered: from now on signals come too late. Does not return if one came before.
    pub(super) fn disarm(self) {
        if pass(&self.state, State::Saving) {
            return;
        }
        self.wait_for_the_end();
    }

    fn wait_for_the_end(&self) -> ! {
        // If nobody listens any more, the process is ending already.
        let _ = self.answered.send(());
        loop {
            thread::park();
        }
    }
}

/// Goes from `Waiting` to `next`; whether that was still possible.
fn pass(state: &Mutex<State>, next: State) -> bool {
    let mut state = locked(state);
    let waiting = *state == State::Waiting;
    if waiting {
        *state = next;
    }
    waiting
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds one can leave it half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends the `Cancel` where a request is open, and ends the process when it is answered or could be. Does not wait here.
fn end(canceller: Option<Canceller>, is_answered: Receiver<()>, signal: i32) {
    let grace = if canceller.is_some() { CANCEL_GRACE } else { Duration::ZERO };
    if let Some(mut canceller) = canceller {
        // A server that reads nothing could hold up the writer: it has its own thread.
        thread::spawn(move || canceller.cancel());
    }
    thread::spawn(move || {
        let _ = is_answered.recv_timeout(grace);
        // Locked to the end: the last word stays the last.
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "\ninterrupted: the request is cancelled, nothing was changed");
        process::exit(128 + signal);
    });
}
