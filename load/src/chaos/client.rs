//! A client among the chaos: asks, gives up, breaks off, asks again, and checks every word.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use proof_server::types::{
    ClientHello, ClientMessage, Code, Failure, FrameLimits, Joined, Proof, ProofMode, RequestId,
    encode,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    ledger::{History, Ledger},
    plan::{Act, Moment},
};
use crate::{
    inputs::Subject,
    random::Random,
    session::{Asked, Final, News, Session, Step, Trouble},
};

/// How long a client that tries again may go without a proof. The longest pause of a server that is up is the one
/// between two attempts to reach the secondary, 15 s; a request that cost workers their lives is refused for the
/// time that results are kept.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Pause before another attempt where the server said nothing of one, and the longest where it did.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(2);

/// One mode is enough: what is asked for is to be the same as often as possible.
const MODE: ProofMode = ProofMode::Core;

/// What came of one attempt.
enum Attempt {
    Valid,
    Again(Duration),
    /// Told to the ledger.
    Violated,
}

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    subjects: Arc<[Subject]>,
    ledger: Arc<Ledger>,
    random: Random,
    session: Option<Session>,
    last_proof: Option<Proof>,
}

impl Client {
    pub(crate) fn new(
        address: SocketAddr,
        subjects: &Arc<[Subject]>,
        ledger: &Arc<Ledger>,
        random: Random,
    ) -> Self {
        let (subjects, ledger) = (Arc::clone(subjects), Arc::clone(ledger));
        Self { address, subjects, ledger, random, session: None, last_proof: None }
    }

    /// Acts until `end`, and brings the last act to its end.
    pub(crate) async fn work(mut self, end: Instant) {
        while Instant::now() < end {
            let act = Act::next(&mut self.random);
            let subject = self.random.pick(&self.subjects).clone();
            self.ledger.act(act.name());
            match act {
                Act::Ask => self.settle(&subject).await,
                Act::Cancel(after) => self.cancel(&subject, after).await,
                Act::Leave(moment, pause) => {
                    self.leave(&subject, moment).await;
                    sleep(pause).await;
                    self.settle(&subject).await;
                }
                Act::Several(count) => self.several(count).await,
                Act::Tear => self.tear().await,
                Act::Verify { spoilt } => self.verify(spoilt).await,
                Act::Rest(pause) => sleep(pause).await,
            }
        }
    }

    /// Asks until there is a proof.
    pub(crate) async fn settle(&mut self, subject: &Subject) {
        let (began, mut history) = (Instant::now(), History::default());
        loop {
            let attempt = match self.ask(subject, &mut history).await {
                Ok((asked, end)) => self.judge(subject, &asked, end, &mut history),
                Err(trouble) => self.trouble(&trouble, &mut history),
            };
            match attempt {
                Attempt::Valid => return self.ledger.settled(began.elapsed()),
                Attempt::Violated => return,
                Attempt::Again(_) if began.elapsed() > BOUND => {
                    let what = format!("no proof within {} s", BOUND.as_secs());
                    return self.ledger.violation(what, &history);
                }
                Attempt::Again(pause) => sleep(pause).await,
            }
        }
    }

    /// One request from its beginning to its end, on this client's connection.
    async fn ask(
        &mut self,
        subject: &Subject,
        history: &mut History,
    ) -> Result<(Asked, Final), Trouble> {
        let mut session = self.session().await?;
        let id = session.ask(subject, MODE).await?;
        history.note(&self.ledger, format!("asks for {}, request {id}", subject.program()));
        let ended = self.follow(&mut session, id, history).await?;
        session.fence().await?;
        self.session = Some(session);
        Ok(ended)
    }

    /// Gives a request up in the middle: it ends all the same, once.
    async fn cancel(&mut self, subject: &Subject, after: Duration) {
        let (mut history, mut given_up) = (History::default(), false);
        let ended = async {
            let mut session = self.session().await?;
            let id = session.ask(subject, MODE).await?;
            history.note(&self.ledger, format!("asks for {}, request {id}", subject.program()));
            let follow = self.follow(&mut session, id, &mut history);
            let ended = match timeout(after, follow).await {
                Ok(ended) => ended?,
                Err(_) => {
                    history.note(&self.ledger, "cancels");
                    given_up = true;
                    session.cancel(id).await?;
                    self.follow(&mut session, id, &mut history).await?
                }
            };
            session.fence().await?;
            self.session = Some(session);
            Ok(ended)
        };
        match ended.await {
            Ok((_, Final::Failed(failure))) if given_up && failure.code == Code::Cancelled => {
                self.ledger.outcome("CANCELLED, as asked");
            }
            Ok((asked, end)) => {
                self.judge(subject, &asked, end, &mut history);
            }
            Err(trouble) => {
                self.trouble(&trouble, &mut history);
            }
        }
    }

    /// Breaks the connection at some moment of a request, if it comes to that.
    async fn leave(&mut self, subject: &Subject, moment: Moment) {
        let mut history = History::default();
        let left = async {
            let mut session = self.session().await?;
            if moment == Moment::Torn {
                return session.tear(subject, MODE).await;
            }
            session.ask(subject, MODE).await?;
            history.note(&self.ledger, format!("asks, to break off when {moment:?}"));
            let last = match moment {
                Moment::Sent | Moment::Torn => return Ok(()),
                Moment::Accepted => News::Accepted,
                Moment::Queued => News::Queued,
                Moment::Started => News::Started,
                Moment::Progress => News::Progress,
            };
            loop {
                match session.step().await? {
                    Step::News(news) if news >= last => return Ok(()),
                    Step::Ended(..) => return Ok(()),
                    _ => {}
                }
            }
        };
        if let Err(trouble) = left.await {
            self.trouble(&trouble, &mut history);
        }
    }

    /// Several requests at once on one connection: each ends once, and those that end badly are made again.
    async fn several(&mut self, count: usize) {
        let mut history = History::default();
        let mut open: Vec<(RequestId, Subject)> = Vec::new();
        let mut again = Vec::new();
        let all = async {
            let mut session = self.session().await?;
            for _ in 0..count {
                let subject = self.random.pick(&self.subjects).clone();
                let id = session.ask(&subject, MODE).await?;
                history.note(&self.ledger, format!("asks for {}, request {id}", subject.program()));
                open.push((id, subject));
            }
            while !open.is_empty() {
                let Step::Ended(id, ended) = session.step().await? else { continue };
                let (asked, end) = *ended;
                let Some(at) = open.iter().position(|(of, _)| *of == id) else { continue };
                let (_, subject) = open.swap_remove(at);
                history.note(&self.ledger, format!("request {id}: {}", name(&end)));
                match self.judge(&subject, &asked, end, &mut history) {
                    Attempt::Valid => self.ledger.settled(asked.sent.elapsed()),
                    Attempt::Again(_) => again.push(subject),
                    Attempt::Violated => {}
                }
            }
            session.fence().await?;
            self.session = Some(session);
            Ok(())
        };
        if let Err(trouble) = all.await {
            self.trouble(&trouble, &mut history);
        }
        for subject in again.into_iter().chain(open.into_iter().map(|(_, subject)| subject)) {
            self.settle(&subject).await;
        }
    }

    /// Half a Hello on a connection of its own.
    async fn tear(&mut self) {
        let hello = ClientMessage::Hello(ClientHello::new("torn"));
        let hello = encode(&hello, &FrameLimits::default()).expect("a Hello is small");
        if let Ok(mut stream) = TcpStream::connect(self.address).await {
            let half = 1 + self.random.below(hello.len() - 1);
            let _ = stream.write_all(&hello[..half]).await;
        }
    }

    /// A proof that holds is verified, a spoilt one refused.
    async fn verify(&mut self, spoilt: bool) {
        let Some(mut proof) = self.last_proof.clone() else { return };
        if spoilt {
            proof.public_values[0] ^= 1;
        }
        let mut history = History::default();
        let public_values = proof.public_values.clone();
        let ended = async {
            let mut session = self.session().await?;
            let id = session.verify(proof).await?;
            history.note(&self.ledger, format!("has a proof verified, request {id}"));
            let ended = self.follow(&mut session, id, &mut history).await?;
            session.fence().await?;
            self.session = Some(session);
            Ok(ended)
        };
        match ended.await {
            Ok((_, Final::Verified(values))) if !spoilt && values == public_values => {
                self.ledger.outcome("verified");
            }
            Ok((_, Final::Failed(failure))) if spoilt && failure.code == Code::InvalidInput => {
                self.ledger.outcome("INVALID_INPUT of a spoilt proof");
            }
            Ok((_, Final::Failed(failure))) if failure.code.is_retryable() => {
                self.ledger.outcome(format!("{} of a verification", failure.code));
            }
            Ok((_, end)) => {
                history.note(&self.ledger, format!("spoilt: {spoilt}; {}", name(&end)));
                self.ledger.violation("a wrong verdict about a proof", &history);
            }
            Err(trouble) => {
                self.trouble(&trouble, &mut history);
            }
        }
    }

    async fn follow(
        &self,
        session: &mut Session,
        id: RequestId,
        history: &mut History,
    ) -> Result<(Asked, Final), Trouble> {
        loop {
            match session.step().await? {
                Step::Ended(of, ended) if of == id => {
                    history.note(&self.ledger, name(&ended.1));
                    return Ok(*ended);
                }
                // Signs of life would hide the rest.
                Step::News(News::Progress | News::Queued) => {}
                step => history.note(&self.ledger, format!("{step:?}")),
            }
        }
    }

    /// What an answer to a request that was not given up is worth.
    fn judge(
        &mut self,
        subject: &Subject,
        asked: &Asked,
        end: Final,
        history: &mut History,
    ) -> Attempt {
        let failure = match end {
            Final::Proof(proof, _) if proof.public_values == subject.public_values => {
                self.ledger.outcome(match asked.accepted {
                    Some((_, Joined::Open)) => "a proof, by a job that was open",
                    Some((_, Joined::Kept)) => "a proof, kept",
                    _ => "a proof, by a job of its own",
                });
                self.last_proof = Some(proof);
                return Attempt::Valid;
            }
            Final::Failed(failure) => failure,
            end => {
                self.ledger.violation(format!("a wrong answer: {}", name(&end)), history);
                return Attempt::Violated;
            }
        };
        self.ledger.outcome(failure.code.name());
        let strayed = failure.message.starts_with("the server that proves inclusion")
            && matches!(subject.input, lc_core::host::ProgramInput::CommitteeChange(_));
        if !failure.code.is_retryable() || strayed {
            self.ledger.violation(format!("a request fails for no reason: {failure}"), history);
            return Attempt::Violated;
        }
        Attempt::Again(pause(&failure))
    }

    /// A connection may break at any time; a server may not say what it must not.
    fn trouble(&self, trouble: &Trouble, history: &mut History) -> Attempt {
        history.note(&self.ledger, trouble);
        match trouble {
            Trouble::Broken(_) => {
                self.ledger.outcome("the connection broke");
                Attempt::Again(RETRY_PAUSE)
            }
            // The connection was idle for too long, or the server went down.
            Trouble::Refused(failure) if failure.code.is_retryable() => {
                self.ledger.outcome(format!("{} of the connection", failure.code));
                Attempt::Again(pause(failure))
            }
            Trouble::Refused(_) | Trouble::Fault(_) => {
                self.ledger.violation(trouble, history);
                Attempt::Violated
            }
        }
    }

    async fn session(&mut self) -> Result<Session, Trouble> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => Session::connect(self.address, BOUND).await,
        }
    }
}

fn pause(failure: &Failure) -> Duration {
    let asked = failure.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    asked.map_or(RETRY_PAUSE, |asked| asked.min(MAX_RETRY_PAUSE))
}

fn name(end: &Final) -> String {
    match end {
        Final::Proof(proof, stats) => format!("{proof:?}, {stats:?}"),
        Final::Verified(_) => "verified".to_owned(),
        Final::Failed(failure) => failure.to_string(),
    }
}
