//! A program's keys: what its proofs are made and checked with.

use std::{fmt, sync::Arc, thread};

use slop_stacked::StackedPcsProver;
use sp1_core_executor::Program;
use sp1_core_machine::{bytes::ByteChip, program::ProgramChip, range::RangeChip, riscv::RiscvAir};
use sp1_hypercube::{
    Chip, Machine, MachineShape, SP1Pcs, SP1VerifyingKey,
    air::{MachineProgram, SP1_PROOF_NUM_PV_ELTS},
    prover::{CpuShardProver, ProverSemaphore, ProvingKey},
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{CoreSC, CpuSP1ProverComponents, SP1ProverComponents};

use super::{
    commitment::MerkleTree,
    guest::{self, GuestError},
};
use crate::VerifyingKey;

pub(super) type Air = RiscvAir<SP1Field>;

/// SP1's own but for [`MerkleTree`].
pub(super) type ShardProver = CpuShardProver<
    SP1GlobalContext,
    SP1Pcs<SP1GlobalContext>,
    StackedPcsProver<MerkleTree, SP1GlobalContext>,
    Air,
>;

/// A program and its keys. Takes 0.6 GB: a Merkle tree with 2^23 leaves, whatever the program.
pub struct Keys {
    pub(super) program: Arc<Program>,
    pub(super) proving: Arc<ProvingKey<SP1GlobalContext, CoreSC, ShardProver>>,
    verifying: VerifyingKey,
}

impl Keys {
    /// The key that this program's proofs are checked against.
    #[must_use]
    pub fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("verifying", &self.verifying).finish_non_exhaustive()
    }
}

/// Makes the keys of all `elfs`, at once: one alone does not keep two cores busy. Some seconds of
/// CPU time each. Blocking; call it outside of any async runtime.
///
/// # Errors
///
/// [`GuestError::Elf`] for a file that is no SP1 program.
pub fn set_up<'a>(elfs: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Keys>, GuestError> {
    let programs = elfs.into_iter().map(guest::load_program).collect::<Result<Vec<_>, _>>()?;
    let prover = &shard_prover(preprocessed_tables());
    Ok(thread::scope(|scope| {
        let set_ups: Vec<_> =
            programs.into_iter().map(|program| scope.spawn(|| keys_of(program, prover))).collect();
        let keys = set_ups.into_iter().map(|set_up| set_up.join());
        keys.map(|keys| keys.expect("a program that loads can be set up")).collect()
    }))
}

fn keys_of(program: Arc<Program>, prover: &ShardProver) -> Keys {
    let memory = program.initial_global_cumulative_sum();
    let permits = ProverSemaphore::new(1);
    // It only waits for rayon's threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers needs nothing of the system");
    let (made, vk) = runtime.block_on(prover.setup_with_initial_global_cumulative_sum(
        program.clone(),
        memory,
        permits,
    ));
    Keys { program, proving: made.pk.clone(), verifying: VerifyingKey(SP1VerifyingKey { vk }) }
}

pub(super) fn shard_prover(machine: Machine<SP1Field, Air>) -> ShardProver {
    let verifier = CpuSP1ProverComponents::core_verifier(machine);
    CpuShardProver::new(verifier.shard_verifier().clone())
}

/// The tables that keys commit to, as a machine without the others. The whole machine takes half a
/// second to make, and keys need not wait for it.
fn preprocessed_tables() -> Machine<SP1Field, Air> {
    let chips = vec![
        Chip::new(RiscvAir::Program(ProgramChip)),
        Chip::new(RiscvAir::ByteLookup(ByteChip::default())),
        Chip::new(RiscvAir::RangeLookup(RangeChip::default())),
    ];
    let shape = MachineShape::all(&chips);
    Machine::new(chips, SP1_PROOF_NUM_PV_ELTS, shape)
}

#[cfg(test)]
mod tests {
    use sp1_hypercube::air::MachineAir;

    use super::*;

    #[test]
    fn keys_commit_to_every_table_of_the_machine_that_is_known_before_a_run() {
        let preprocessed = |machine: Machine<SP1Field, Air>| -> Vec<_> {
            let chips = machine.chips().iter().filter(|chip| chip.preprocessed_width() > 0);
            chips.map(|chip| chip.name().to_owned()).collect()
        };
        assert_eq!(preprocessed(preprocessed_tables()), preprocessed(RiscvAir::machine()));
        let (tables, machine) = (preprocessed_tables(), RiscvAir::<SP1Field>::machine());
        assert_eq!(tables.num_pv_elts(), machine.num_pv_elts());
        assert!(tables.chips().len() < machine.chips().len());
    }

    #[test]
    fn bytes_that_are_no_program_have_no_keys() {
        assert!(matches!(set_up([&b"not an ELF"[..]]), Err(GuestError::Elf(_))));
    }
}
