//! Asking a proof server, and believing nothing it says until the proof is verified and fits.

use std::time::{Duration, Instant};

use lc_core::{
    ProgramId,
    host::ProgramInput,
    statement::{CommitteeChange, Inclusion},
};
use proof_server::{
    client::{Client, ClientError, ClientOptions, Event, PinError, check_pins},
    types::{CircuitHash, EngineInfo, ModeInfo, Proof, ProofMode, ProofStats, ServerHello},
};

use crate::{
    ask::{CommitteeChangeAsk, InclusionAsk},
    circuit::{CircuitNotAllowed, check_circuit},
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
    /// A server that does not make such proofs.
    #[error("the server does not make {mode} proofs: {why}")]
    Unsupported {
        /// The mode asked for.
        mode: ProofMode,
        /// What the server says, or what it makes.
        why: String,
    },
    /// A server whose proofs its operator could forge.
    #[error(transparent)]
    Circuit(#[from] CircuitNotAllowed),
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

/// What a session asks for, and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Which kind of proof.
    pub mode: ProofMode,
    /// Whether proofs of the MOCK engine pass.
    pub allow_mock: bool,
}

/// A connection to a server with the right keys that makes the wanted kind of proof. It is for one request and ends
/// with its answer, before that is verified: behind a balancer, an open connection is a prover that nobody else gets.
#[derive(Debug)]
pub struct Session {
    client: Client,
    terms: Terms,
}

impl Session {
    /// Connects, and compares what the server says of itself with what `checker` can check and `terms` ask for: its
    /// keys, whether it makes such proofs, and with which circuit. Blocking, with time-outs.
    ///
    /// # Errors
    /// [`ProveError::Client`], [`ProveError::Pin`], [`ProveError::Unsupported`] or [`ProveError::Circuit`].
    pub fn connect(
        address: &str,
        options: &ClientOptions,
        checker: &dyn ProofChecker,
        terms: Terms,
    ) -> Result<Self, ProveError> {
        let client = Client::connect(address, options)?;
        let hello = client.hello();
        check_pins(hello, &checker.pins(), terms.allow_mock)?;
        check_mode(&hello.engine, terms.mode, &checker.development_circuits())?;
        Ok(Self { client, terms })
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
        self,
        checker: &dyn ProofChecker,
        store: &Store,
        asked: &CommitteeChangeAsk,
        on_event: impl FnMut(Event),
    ) -> Result<(Store, CommitteeChange, Delivery), ProveError> {
        let (verified, delivery) = self.prove(checker, asked.input(), on_event)?;
        let (mock, development) = (verified.is_mock(), verified.is_development());
        let Statement::CommitteeChange(change) = verified.into_statement() else {
            unreachable!("the proof's program was compared")
        };
        let mut next = advance(store, &change, asked)?;
        next.mock |= mock;
        next.development |= development;
        Ok((next, change, delivery))
    }

    /// Has accounts and slots proven; what they are.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn inclusion(
        self,
        checker: &dyn ProofChecker,
        store: &Store,
        asked: &InclusionAsk,
        on_event: impl FnMut(Event),
    ) -> Result<(Inclusion, Delivery), ProveError> {
        let (verified, delivery) = self.prove(checker, asked.input(), on_event)?;
        let Statement::Inclusion(inclusion) = verified.into_statement() else {
            unreachable!("the proof's program was compared")
        };
        check_asked_inclusion(store, &inclusion, asked)?;
        Ok((inclusion, delivery))
    }

    fn prove(
        mut self,
        checker: &dyn ProofChecker,
        input: ProgramInput,
        on_event: impl FnMut(Event),
    ) -> Result<(Verified, Delivery), ProveError> {
        let Terms { mode, allow_mock } = self.terms;
        let wanted = input.program();
        let asked_at = Instant::now();
        let answer = self.client.prove(mode, input, on_event);
        self.client.close();
        let (proof, stats) = answer?;
        let waited = asked_at.elapsed();
        if (proof.program, proof.mode) != (wanted, mode) {
            let (seen, seen_mode) = (proof.program, proof.mode);
            return Err(ProveError::OtherProof { seen, seen_mode, wanted, mode });
        }
        let verifying_since = Instant::now();
        let verified = verify(checker, &proof, allow_mock)?;
        let verified_in = verifying_since.elapsed();
        Ok((verified, Delivery { proof, stats, waited, verified_in }))
    }
}

/// Whether a server makes proofs of `mode`, and with a circuit whose proofs may be taken. Only the proof shows
/// whether it told the truth.
///
/// # Errors
/// [`ProveError::Unsupported`] or [`ProveError::Circuit`].
fn check_mode(
    engine: &EngineInfo,
    mode: ProofMode,
    allowed: &[CircuitHash],
) -> Result<(), ProveError> {
    match engine.mode(mode) {
        Some(ModeInfo { unsupported: None, circuit, .. }) => {
            Ok(check_circuit(mode, *circuit, allowed)?)
        }
        Some(ModeInfo { unsupported: Some(why), .. }) => {
            Err(ProveError::Unsupported { mode, why: why.clone() })
        }
        None => {
            let offered: Vec<&str> = engine.offered().map(|info| info.mode.name()).collect();
            let why = format!("it makes {}, ask another one", offered.join(" and "));
            Err(ProveError::Unsupported { mode, why })
        }
    }
}

#[cfg(test)]
mod tests {
    use proof_server::types::EngineKind;

    use super::*;
    use crate::testing::DEV_CIRCUIT;

    fn engine(modes: Vec<ModeInfo>) -> EngineInfo {
        let sp1_version = "6.10.0".to_owned();
        EngineInfo { engine: EngineKind::Cpu, sp1_version, programs: Vec::new(), modes }
    }

    fn groth16(circuit: Option<CircuitHash>) -> EngineInfo {
        engine(vec![ModeInfo::offered(ProofMode::Groth16, circuit)])
    }

    #[test]
    fn a_mode_that_is_offered_with_an_official_circuit_or_none_may_be_asked_for() {
        let starks = engine(vec![ModeInfo::offered(ProofMode::Compressed, None)]);
        check_mode(&starks, ProofMode::Compressed, &[]).unwrap();
        check_mode(&groth16(Some(CircuitHash::GROTH16)), ProofMode::Groth16, &[]).unwrap();
        // The mock engine has no circuit.
        check_mode(&groth16(None), ProofMode::Groth16, &[]).unwrap();
    }

    #[test]
    fn a_mode_that_is_not_made_is_refused_with_the_servers_reason_or_with_what_it_makes() {
        let why = "the circuit's files are not there: run `make circuits`".to_owned();
        let modes = vec![
            ModeInfo::offered(ProofMode::Core, None),
            ModeInfo::offered(ProofMode::Compressed, None),
            ModeInfo::unsupported(ProofMode::Groth16, why),
        ];
        let refused = |mode| {
            check_mode(&engine(modes.clone()), mode, &[DEV_CIRCUIT]).unwrap_err().to_string()
        };
        assert_eq!(
            refused(ProofMode::Groth16),
            "the server does not make groth16 proofs: the circuit's files are not there: run `make circuits`"
        );
        assert_eq!(
            refused(ProofMode::Plonk),
            "the server does not make plonk proofs: it makes core and compressed, ask another one"
        );
    }

    #[test]
    fn a_development_circuit_is_asked_for_only_where_its_own_key_was_given() {
        let (dev, other) = (groth16(Some(DEV_CIRCUIT)), CircuitHash([1; 32]));
        check_mode(&dev, ProofMode::Groth16, &[other, DEV_CIRCUIT]).unwrap();
        for allowed in [vec![], vec![other]] {
            let error = check_mode(&dev, ProofMode::Groth16, &allowed).unwrap_err();
            assert!(matches!(error, ProveError::Circuit(_)), "{error}");
            assert!(error.to_string().contains(&DEV_CIRCUIT.to_string()), "{error}");
        }
    }
}
