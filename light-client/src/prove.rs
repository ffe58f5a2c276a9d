//! Asking a proof server, and believing nothing it says until the proof is verified and fits.

use std::time::{Duration, Instant};

use lc_core::{
    ProgramId,
    host::ProgramInput,
    statement::{CommitteeChange, Inclusion},
};
use proof_server::{
    client::{Client, ClientError, ClientOptions, Event, PinError, check_pins},
    types::{Proof, ProofMode, ProofStats, ServerHello},
};

use crate::{
    ask::{CommitteeChangeAsk, InclusionAsk},
    decide::{Refusal, advance, check_asked_inclusion},
    statement::Statement,
    store::Store,
    verify::{ProofChecker, ProofError, Verified, verify},
};

/// Why there is no result. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// No server, no conversation with it, or its own failure.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A server that this client must not use.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The proof is of another program or mode.
    #[error(
        "the server sent a {seen_mode} proof of {seen}, asked for was a {mode} proof of {wanted}: ask another server"
    )]
    OtherProof {
        /// The program it is of.
        seen: ProgramId,
        /// The mode it is of.
        seen_mode: ProofMode,
        /// The program asked for.
        wanted: ProgramId,
        /// The mode asked for.
        mode: ProofMode,
    },
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof holds, and says something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A proof that was delivered and verified.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The proof.
    pub proof: Proof,
    /// What the server says it cost.
    pub stats: ProofStats,
    /// From the request to the answer.
    pub waited: Duration,
    /// What verifying it here took.
    pub verified_in: Duration,
}

/// A connection to a server with the right keys.
#[derive(Debug)]
pub struct Session {
    client: Client,
    allow_mock: bool,
}

impl Session {
    /// Connects, and compares the server's keys with those of `checker`. Blocking, with time-outs.
    ///
    /// # Errors
    /// [`ProveError::Client`] or [`ProveError::Pin`].
    pub fn connect(
        address: &str,
        options: &ClientOptions,
        checker: &dyn ProofChecker,
        allow_mock: bool,
    ) -> Result<Self, ProveError> {
        let client = Client::connect(address, options)?;
        check_pins(client.hello(), &checker.pins(), allow_mock)?;
        Ok(Self { client, allow_mock })
    }

    /// What the server said of itself.
    #[must_use]
    pub fn hello(&self) -> &ServerHello {
        self.client.hello()
    }

    /// The connection, to cancel by.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Has a committee change proven; the store after it, and what was proven. Nothing is saved.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn committee_change(
        &mut self,
        checker: &dyn ProofChecker,
        store: &Store,
        asked: &CommitteeChangeAsk,
        mode: ProofMode,
        on_event: impl FnMut(Event),
    ) -> Result<(Store, CommitteeChange, Delivery), ProveError> {
        let (verified, delivery) = self.prove(checker, asked.input(), mode, on_event)?;
        let mock = verified.is_mock();
        let Statement::CommitteeChange(change) = verified.into_statement() else {
            unreachable!("the proof's program was compared")
        };
        let mut next = advance(store, &change, asked)?;
        next.mock |= mock;
        Ok((next, change, delivery))
    }

    /// Has accounts and slots proven; what they are.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn inclusion(
        &mut self,
        checker: &dyn ProofChecker,
        store: &Store,
        asked: &InclusionAsk,
        mode: ProofMode,
        on_event: impl FnMut(Event),
    ) -> Result<(Inclusion, Delivery), ProveError> {
        let (verified, delivery) = self.prove(checker, asked.input(), mode, on_event)?;
        let Statement::Inclusion(inclusion) = verified.into_statement() else {
            unreachable!("the proof's program was compared")
        };
        check_asked_inclusion(store, &inclusion, asked)?;
        Ok((inclusion, delivery))
    }

    fn prove(
        &mut self,
        checker: &dyn ProofChecker,
        input: ProgramInput,
        mode: ProofMode,
        on_event: impl FnMut(Event),
    ) -> Result<(Verified, Delivery), ProveError> {
        let wanted = input.program();
        let asked_at = Instant::now();
        let (proof, stats) = self.client.prove(mode, input, on_event)?;
        let waited = asked_at.elapsed();
        if (proof.program, proof.mode) != (wanted, mode) {
            let (seen, seen_mode) = (proof.program, proof.mode);
            return Err(ProveError::OtherProof { seen, seen_mode, wanted, mode });
        }
        let verifying_since = Instant::now();
        let verified = verify(checker, &proof, self.allow_mock)?;
        let verified_in = verifying_since.elapsed();
        Ok((verified, Delivery { proof, stats, waited, verified_in }))
    }
}
