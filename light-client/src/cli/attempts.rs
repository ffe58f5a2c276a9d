//! One request, asked for until it is answered: a connection an attempt, with pauses between them.

use std::{
    hash::{BuildHasher, RandomState},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use light_client::{
    prove::{ProveError, Session, Terms},
    retry::Retry,
    verify::ProofChecker,
};
use proof_server::client::{ClientOptions, Event};

use super::{
    args::ServerArgs,
    fault::{Fault, one_line},
    interrupt::Interrupt,
    live::Live,
    report::{Report, seconds},
};

/// How long a server may take for its Hello before the user is told what may be the matter.
const USUAL_HELLO: Duration = Duration::from_secs(5);

/// Who asks whom, and how.
pub(super) struct Attempts<'a> {
    pub(super) report: Report,
    pub(super) args: &'a ServerArgs,
    pub(super) options: ClientOptions,
    pub(super) checker: &'a dyn ProofChecker,
}

impl Attempts<'_> {
    /// Has `ask` ask each new session until one brings an answer, or what went wrong does not pass. `begun` is called
    /// once, with the first session.
    pub(super) fn until_answered<T>(
        mut self,
        begun: impl FnOnce(),
        mut ask: impl FnMut(Session, &mut dyn FnMut(Event)) -> Result<T, ProveError>,
    ) -> Result<T, Fault> {
        let interrupt = Interrupt::arm().map_err(Fault::Signals)?;
        let began = Instant::now();
        let mut retry = Retry::new(self.args.patience);
        let mut begun = Some(begun);
        loop {
            let left = retry.left(began.elapsed());
            self.options.hello_timeout = Some(left.max(self.options.connect_timeout));
            let answer = self.connect().and_then(|session| {
                retry.greeted();
                self.introduce(&session, begun.take());
                interrupt.cancels_by(Some(session.client().canceller()?));
                let mut live = Live::new(self.report);
                ask(session, &mut |event| {
                    retry.heard(began.elapsed());
                    live.on_event(event);
                })
            });
            let error = match answer {
                Ok(answer) => {
                    interrupt.disarm();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            interrupt.cancels_by(None);
            let Some(pause) = retry.pause(&error, began.elapsed(), random()) else {
                interrupt.disarm();
                return Err(error.into());
            };
            let fault = Fault::from(error);
            self.report.note(
                "trying",
                format_args!("again in {}: {}", seconds(pause), one_line(&fault.line())),
            );
            thread::sleep(pause);
        }
    }

    fn connect(&self) -> Result<Session, ProveError> {
        let terms = Terms { mode: self.args.mode, allow_mock: self.args.allow_mock };
        let (greeted, is_greeted) = mpsc::channel::<()>();
        let report = self.report;
        let waits = self.options.hello_timeout > Some(USUAL_HELLO);
        let teller = waits.then(|| {
            thread::spawn(move || {
                if is_greeted.recv_timeout(USUAL_HELLO) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let what = "for a greeting: all servers behind this address may be at work";
                    report.note("waiting", what);
                }
            })
        });
        let session = Session::connect(&self.args.address, &self.options, self.checker, terms);
        drop(greeted);
        if let Some(teller) = teller {
            // It has nothing left to do but to end.
            let _ = teller.join();
        }
        session
    }

    /// Who answers, told once: behind a balancer all are alike.
    fn introduce(&self, session: &Session, begun: Option<impl FnOnce()>) {
        let Some(begun) = begun else { return };
        let hello = session.hello();
        let (server, engine) = (&hello.server, &hello.engine);
        let about = if engine.engine.is_mock() {
            "MOCK engine: its proofs prove nothing".to_owned()
        } else {
            format!(
                "{} engine, SP1 {}, its keys are the pinned ones",
                engine.engine, engine.sp1_version
            )
        };
        let report = &self.report;
        report.note("server", format_args!("{}, {server}, {about}", self.args.address));
        if let Some(info) = engine.mode(self.args.mode).filter(|info| info.is_development()) {
            report.note(
                "DEV",
                format_args!(
                    "{} proofs can be forged by whoever set up the server's circuit",
                    info.mode
                ),
            );
        }
        begun();
    }
}

/// From 0 to 1, different in each process and call.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
