//! A program's keys: what its proofs are made and checked with.

use std::{fmt, sync::Arc, thread};

use slop_algebra::{AbstractField, PrimeField32};
use sp1_core_executor::Program;
use sp1_core_machine::{bytes::ByteChip, program::ProgramChip, range::RangeChip, riscv::RiscvAir};
use sp1_hypercube::{
    Chip, Machine, MachineShape, SP1VerifyingKey,
    air::{MachineProgram, SP1_PROOF_NUM_PV_ELTS},
    prover::{ProverSemaphore, ProvingKey},
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{CoreSC, CpuSP1ProverComponents, SP1ProverComponents};

use super::{
    commitment::{Committer, Outline},
    guest::{self, GuestError},
};
use crate::{
    VerifyingKey,
    sp1::{self, InnerProver},
};

pub(super) type Air = RiscvAir<SP1Field>;

pub(super) type ShardProver = InnerProver<Air>;

/// A program and its keys. Some 70 MB: the tables that are known before a run, and what SP1 makes
/// of them.
pub struct Keys {
    pub(super) program: Arc<Program>,
    pub(super) proving: Arc<ProvingKey<SP1GlobalContext, CoreSC, ShardProver>>,
    verifying: VerifyingKey,
    outline: Vec<u8>,
}

impl Keys {
    /// The key that this program's proofs are checked against.
    #[must_use]
    pub fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// What of these keys takes long to make, for [`set_up`]: 64 KiB.
    #[must_use]
    pub fn outline(&self) -> &[u8] {
        &self.outline
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("verifying", &self.verifying).finish_non_exhaustive()
    }
}

/// Makes the keys of programs, each given as its ELF file and, where at hand, its keys'
/// [outline](Keys::outline): with it half a second of CPU time each, without it some seconds. All
/// are made at once, because one alone does not keep two cores busy. Blocking; call it outside of
/// any async runtime.
///
/// An outline of other programs is noticed and made anew. One that was tampered with gives another
/// verifying key, so compare that where it is known.
///
/// # Errors
///
/// [`GuestError::Elf`] for a file that is no SP1 program.
pub fn set_up<'a>(
    programs: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> Result<Vec<Keys>, GuestError> {
    let programs = programs
        .into_iter()
        .map(|(elf, outline)| Ok((guest::load_program(elf)?, outline)))
        .collect::<Result<Vec<_>, GuestError>>()?;
    let tables = &preprocessed_tables();
    Ok(thread::scope(|scope| {
        let set_ups: Vec<_> = programs
            .into_iter()
            .map(|(program, outline)| {
                scope.spawn(move || keys_of(program, outline, tables.clone()))
            })
            .collect();
        let keys = set_ups.into_iter().map(|set_up| set_up.join());
        keys.map(|keys| keys.expect("a program that loads can be set up")).collect()
    }))
}

fn keys_of(program: Arc<Program>, outline: Option<&[u8]>, tables: Machine<SP1Field, Air>) -> Keys {
    let committer = Committer::outlined(outline.and_then(decode_outline));
    let prover = shard_prover(tables, committer.clone());
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
    let outline = committer.outline().expect("keys are a commitment");
    Keys {
        program,
        proving: made.pk.clone(),
        verifying: VerifyingKey(SP1VerifyingKey { vk }),
        outline: encode_outline(outline),
    }
}

/// Its elements, each as four bytes, little-endian.
fn encode_outline(Outline(nodes): &Outline) -> Vec<u8> {
    let elements = nodes.as_flattened().iter();
    elements.flat_map(|element| element.as_canonical_u32().to_le_bytes()).collect()
}

/// `None` for bytes that [`encode_outline`] does not make.
fn decode_outline(bytes: &[u8]) -> Option<Outline> {
    let (elements, []) = bytes.as_chunks::<4>() else { return None };
    let elements = elements.iter().map(|bytes| {
        let element = u32::from_le_bytes(*bytes);
        (element < SP1Field::ORDER_U32).then(|| SP1Field::from_canonical_u32(element))
    });
    let elements: Vec<_> = elements.collect::<Option<_>>()?;
    let (nodes, []) = elements.as_chunks() else { return None };
    Some(Outline(nodes.to_vec()))
}

pub(super) fn shard_prover(machine: Machine<SP1Field, Air>, committer: Committer) -> ShardProver {
    let verifier = CpuSP1ProverComponents::core_verifier(machine);
    sp1::inner_prover_with(verifier.shard_verifier(), committer)
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
    use std::array;

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
        assert!(matches!(set_up([(&b"not an ELF"[..], None)]), Err(GuestError::Elf(_))));
    }

    #[test]
    fn an_outline_is_pinned_and_bytes_that_are_none_are_refused() {
        let node = |from: u32| array::from_fn(|i| SP1Field::from_canonical_u32(from + i as u32));
        let outline = Outline(vec![node(1), node(SP1Field::ORDER_U32 - 8)]);
        let bytes = encode_outline(&outline);
        assert_eq!(bytes.len(), 64);
        assert_eq!(bytes[..8], [1, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[60..], (SP1Field::ORDER_U32 - 1).to_le_bytes());
        assert_eq!(decode_outline(&bytes), Some(outline));

        assert_eq!(decode_outline(&bytes[..63]), None);
        assert_eq!(decode_outline(&bytes[..36]), None);
        let mut too_large = bytes;
        too_large[60..].copy_from_slice(&SP1Field::ORDER_U32.to_le_bytes());
        assert_eq!(decode_outline(&too_large), None);
    }
}
