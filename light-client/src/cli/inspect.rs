//! `light-client verify`, `show` and `status`.

use std::{fmt::Display, time::Instant};

use light_client::{
    Store, StoreFile,
    decide::{Place, check_inclusion, place},
    files,
    statement::Statement,
    verify::{ProofError, built_in_checker, verify as verify_proof},
};
use proof_server::types::{CircuitHash, Proof};
use serde_json::{Value, json};

use super::{
    args::{CircuitArgs, ShowArgs, StatusArgs, VerifyArgs},
    fault::Fault,
    report::{Report, bytes, seconds},
};

pub(super) fn verify(args: &VerifyArgs) -> Result<(), Fault> {
    let report = Report::of_public_values();
    let proof = files::proof(&args.file)?;
    let store = args.store.as_deref().map(StoreFile::read).transpose()?;
    let keys = args.circuits.read()?;
    let since = Instant::now();
    let verified = verify_proof(&*built_in_checker(keys)?, &proof, args.allow_mock)?;
    let took = since.elapsed();
    let fits = store.as_ref().map(|store| fits(store, verified.statement())).transpose()?;
    if args.json {
        let mut json = description(&proof, verified.statement());
        json["verified"] = (!verified.is_mock()).into();
        json["seconds"] = (took.as_millis() as f64 / 1000.0).into();
        if let Some(fits) = fits {
            json["store"] = fits.into();
        }
        return report.text(format_args!("{json:#}\n"));
    }
    report.result("verified", verdict(&proof, format_args!("yes, in {}", seconds(took))))?;
    if let Some(fits) = fits {
        report.result("store", fits)?;
    }
    header(&report, &proof)?;
    report.text(verified.statement())
}

pub(super) fn show(args: &ShowArgs) -> Result<(), Fault> {
    let report = Report::of_public_values();
    let proof = files::proof(&args.file)?;
    let statement =
        Statement::decode(proof.program, &proof.public_values).map_err(ProofError::from)?;
    if args.json {
        return report.text(format_args!("{:#}\n", description(&proof, &statement)));
    }
    report.result("verified", "no: these are claims, `light-client verify` checks them")?;
    header(&report, &proof)?;
    report.text(&statement)
}

pub(super) fn status(args: &StatusArgs) -> Result<(), Fault> {
    let report = Report::new();
    let store = StoreFile::read(&args.store.path)?;
    if !args.json {
        return trusted(&report, &store);
    }
    report.text(format_args!("{:#}\n", trusted_json(&store)))
}

/// What a store trusts, under the names of public values where there are such; null what it does not know.
pub(super) fn trusted_json(store: &Store) -> Value {
    let finalized = &store.finalized;
    let known = finalized.knows_state();
    json!({
        "network": store.network,
        "chain": store.chain_root(),
        "period": store.period,
        "committee": store.committee_root(),
        "finalizedSlot": finalized.slot,
        "finalizedRoot": finalized.root,
        "executionNumber": known.then_some(finalized.execution_number),
        "executionHash": finalized.execution_hash,
        "executionStateRoot": known.then_some(finalized.execution_state_root),
        "mock": store.mock,
        "development": store.development,
    })
}

/// Prints what a store trusts.
pub(super) fn trusted(report: &Report, store: &Store) -> Result<(), Fault> {
    let finalized = &store.finalized;
    if store.mock {
        report.result("MOCK", "advanced by proofs that prove nothing: for tests only")?;
    }
    if store.development {
        let what =
            "advanced by proofs of a development circuit, which can be forged: for tests only";
        report.result("DEV", what)?;
    }
    report.result("network", format_args!("{}, chain {}", store.network, store.chain_root()))?;
    report.result(
        "committee",
        format_args!("{}, signs in period {}", store.committee_root(), store.period),
    )?;
    report.result("finalized", format_args!("{}, slot {}", finalized.root, finalized.slot))?;
    let (hash, number) = (finalized.execution_hash, finalized.execution_number);
    if hash.is_zero() {
        return report.result("execution", "none: the finalized block is from before Capella");
    }
    if !finalized.knows_state() {
        return report.result("execution", format_args!("{hash}; the rest is not in its header"));
    }
    report.result("execution", format_args!("{hash}, block {number}"))?;
    report.result("state", finalized.execution_state_root)
}

/// How a verified statement stands to a store.
fn fits(store: &Store, statement: &Statement) -> Result<&'static str, Fault> {
    match statement {
        Statement::CommitteeChange(change) => Ok(match place(store, change)? {
            Place::Next => "follows: it would advance the store",
            Place::Behind => "fits: it led to the committee that the store trusts",
        }),
        Statement::Inclusion(inclusion) => {
            check_inclusion(store, inclusion)?;
            Ok("follows: signed by the committee that the store trusts")
        }
    }
}

fn header(report: &Report, proof: &Proof) -> Result<(), Fault> {
    let size = bytes(proof.bytes.len() as u64);
    report.result(
        "proof",
        format_args!(
            "{}, {}, {size}, {} engine, SP1 {}",
            proof.program, proof.mode, proof.engine, proof.sp1_version
        ),
    )?;
    report.result("key", proof.vkey)?;
    circuit(report, proof)
}

/// What a proof that passed is worth, after `how` it was verified if it was.
pub(super) fn verdict(proof: &Proof, how: impl Display) -> String {
    if proof.engine.is_mock() {
        "not at all: the proof is MOCK and was let pass".to_owned()
    } else if proof.is_development() {
        format!("{how}, against a DEV circuit: whoever set it up can have forged the proof")
    } else {
        how.to_string()
    }
}

/// The line about a SNARK's circuit; a STARK has none.
pub(super) fn circuit(report: &Report, proof: &Proof) -> Result<(), Fault> {
    let text = match proof.circuit {
        Some(circuit) if proof.is_development() => {
            format!("{circuit}, DEV: whoever set it up can forge proofs")
        }
        Some(circuit) => format!("{circuit}, SP1's official one"),
        None if proof.mode.is_snark() => "not named, so SP1's official one".to_owned(),
        None => return Ok(()),
    };
    report.result("circuit", text)
}

impl CircuitArgs {
    /// The keys in the files.
    pub(super) fn read(&self) -> Result<Vec<Vec<u8>>, Fault> {
        Ok(self.keys.iter().map(|path| files::circuit_key(path)).collect::<Result<_, _>>()?)
    }
}

pub(super) fn description(proof: &Proof, statement: &Statement) -> Value {
    json!({
        "program": proof.program.name(),
        "mode": proof.mode.name(),
        "engine": proof.engine.name(),
        "circuit": proof.circuit.as_ref().map(CircuitHash::to_string),
        "development": proof.is_development(),
        "vkey": proof.vkey.to_string(),
        "sp1Version": proof.sp1_version,
        "proofBytes": proof.bytes.len(),
        "publicValues": statement.to_json(),
    })
}

#[cfg(test)]
mod tests {
    use lc_core::ProgramId;
    use proof_server::types::{EngineKind, ProofMode, VkeyHash};

    use super::*;

    #[test]
    fn a_verdict_says_yes_without_a_but_for_nothing_else_than_a_real_proof_of_an_official_circuit()
    {
        let verdict = |engine, circuit| {
            let proof = Proof {
                program: ProgramId::Inclusion,
                mode: ProofMode::Groth16,
                engine,
                circuit: Some(circuit),
                vkey: VkeyHash([7; 32]),
                sp1_version: "6.10.0".to_owned(),
                public_values: Vec::new(),
                bytes: Vec::new(),
            };
            verdict(&proof, "yes, in 0.004 s")
        };
        let (official, other) = (CircuitHash::GROTH16, CircuitHash([7; 32]));
        assert_eq!(verdict(EngineKind::Cpu, official), "yes, in 0.004 s");
        assert_eq!(
            verdict(EngineKind::Cpu, other),
            "yes, in 0.004 s, against a DEV circuit: whoever set it up can have forged the proof"
        );
        let mock = "not at all: the proof is MOCK and was let pass";
        assert_eq!(verdict(EngineKind::Mock, official), mock);
        assert_eq!(verdict(EngineKind::Mock, other), mock);
    }
}
