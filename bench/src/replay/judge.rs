//! Whether proofs hold: with the verifier for whatever made them.

use std::path::PathBuf;

use light_client::{
    circuit::check_circuit,
    files,
    verify::{ProofChecker, built_in_checker},
};
use proof_server::{
    client::check_pins,
    engine::{Verifier, mock::MockVerifier},
    error_chain,
    types::{ModeInfo, Proof, ProofMode, ServerHello},
};

/// Why a run does not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("{address} makes no {mode} proofs ({why}): choose another --mode or server")]
    Mode { address: String, mode: ProofMode, why: String },
    #[error(
        "{address} proves with other keys than {first}: measure servers of one release together"
    )]
    Different { address: String, first: String },
    #[error("{address}")]
    Pins {
        address: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "this bench was built without the feature `verify` and cannot check the proofs of {0}: build it with default features, or pass --sample-verify 0"
    )]
    NoVerifier(String),
}

/// Checks proofs with the keys that this release was built with, and the mock engine's with its own check.
pub(super) struct Judge {
    real: Box<dyn ProofChecker>,
}

impl Judge {
    /// With the verifying keys of development circuits in `circuits`.
    pub(super) fn new(circuits: &[PathBuf]) -> eyre::Result<Self> {
        let keys =
            circuits.iter().map(|path| files::circuit_key(path)).collect::<Result<_, _>>()?;
        Ok(Self { real: built_in_checker(keys)? })
    }

    /// Whether these servers can be measured together, and their proofs checked if `verifies`.
    pub(super) fn check_servers(
        &self,
        servers: &[(String, ServerHello)],
        mode: ProofMode,
        verifies: bool,
    ) -> Result<(), Unfit> {
        let Some((first, of_first)) = servers.first() else { return Ok(()) };
        for (address, hello) in servers {
            let (address, engine) = (address.clone(), &hello.engine);
            let unfit = |why: String| Unfit::Mode { address: address.clone(), mode, why };
            let circuit = match engine.mode(mode) {
                Some(ModeInfo { unsupported: None, circuit, .. }) => *circuit,
                Some(ModeInfo { unsupported: Some(why), .. }) => return Err(unfit(why.clone())),
                None => return Err(unfit("it does not know that mode".to_owned())),
            };
            if !engine.is_same_prover(&of_first.engine) {
                return Err(Unfit::Different { address, first: first.clone() });
            }
            if engine.engine.is_mock() || !verifies {
                continue;
            }
            if self.real.pins().is_empty() {
                return Err(Unfit::NoVerifier(address));
            }
            let pins = |source| Unfit::Pins { address: address.clone(), source };
            check_pins(hello, &self.real.pins(), false).map_err(|error| pins(error.into()))?;
            check_circuit(mode, circuit, &self.real.development_circuits())
                .map_err(|error| pins(error.into()))?;
        }
        Ok(())
    }

    /// Whether the proof holds for its public values; if not, why.
    pub(super) fn judge(&self, proof: &Proof) -> Result<(), String> {
        let values = if proof.engine.is_mock() {
            MockVerifier
                .verify(proof)
                .map(|values| values.0)
                .map_err(|error| error_chain(&error))?
        } else {
            self.real.check(proof).map_err(|error| error_chain(&error))?
        };
        // The caller has compared the claimed values with the native check's.
        if values == proof.public_values {
            Ok(())
        } else {
            Err("it proves other values than it claims".to_owned())
        }
    }
}
