//! The recursion programs, each made for the shape of the proofs that it verifies. SP1 fixes all of
//! them: a program that differs in anything has a key that the next one does not take.

use std::collections::{BTreeMap, BTreeSet};

use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{MachineVerifier, SP1PcsProofInner, SP1SC, SP1VerifyingKey, ShardProof};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{
    CompressAir, CoreSC, CpuSP1ProverComponents, SP1ProverComponents,
    recursion::{compose_program_from_input, recursive_verifier, shrink_program_from_input},
    shapes::SP1RecursionProofShape,
    worker::get_normalize_program,
};
use sp1_recursion_circuit::{
    WrapConfig,
    machine::{
        PublicValuesOutputDigest, SP1CompressRootVerifierWithVKey, SP1CompressWithVKeyWitnessValues,
    },
    witness::Witnessable,
};
use sp1_recursion_compiler::{
    circuit::AsmCompiler,
    config::InnerConfig,
    ir::{Builder, DslIrProgram},
};
use sp1_recursion_executor::{RecursionProgram, shape::RecursionShape};

/// Proofs that one compose program takes at most.
pub(crate) const MAX_ARITY: usize = 4;

type Program = RecursionProgram<SP1Field>;
/// Verifies the proofs of recursion programs in SP1's inner field, shrunk or not.
pub(crate) type InnerVerifier =
    MachineVerifier<SP1GlobalContext, SP1SC<SP1GlobalContext, CompressAir<SP1Field>>>;

/// The shape that every program up to the shrink program pads its proofs to.
pub(crate) fn reduce_shape() -> SP1RecursionProofShape {
    SP1RecursionProofShape::retrieve_or_compute_reduce_shape(RiscvAir::machine(), MAX_ARITY)
}

/// Verifies one core shard of the program of `key`.
pub(crate) fn normalize(
    key: &SP1VerifyingKey,
    core: &MachineVerifier<SP1GlobalContext, CoreSC>,
    shape: &SP1RecursionProofShape,
    shard: &ShardProof<SP1GlobalContext, SP1PcsProofInner>,
) -> Program {
    let recursive = recursive_verifier::<_, _, InnerConfig>(core.shard_verifier());
    let shard = core.shape_from_proof(shard);
    let program = get_normalize_program(key.clone(), core, &recursive, &shard, shape, None);
    std::sync::Arc::unwrap_or_clone(program)
}

/// Verifies `arity` proofs of normalize or compose programs.
pub(crate) fn compose(shape: &SP1RecursionProofShape, arity: usize, keys_height: usize) -> Program {
    let verifier = CpuSP1ProverComponents::compress_verifier();
    let input = dummy(&verifier, shape, arity, keys_height);
    let recursive = recursive_verifier::<_, _, InnerConfig>(verifier.shard_verifier());
    let mut program = compose_program_from_input(&recursive, true, &input);
    program.shape = Some(shape.shape.clone());
    program
}

/// Verifies a compressed proof, at a higher rate of the code than it was made with.
pub(crate) fn shrink(shape: &SP1RecursionProofShape, keys_height: usize) -> Program {
    let verifier = CpuSP1ProverComponents::compress_verifier();
    let input = dummy(&verifier, shape, 1, keys_height);
    let recursive = recursive_verifier::<_, _, InnerConfig>(verifier.shard_verifier());
    shrink_program_from_input(&recursive, true, &input)
}

/// Verifies a shrunk proof; its own proof is committed to with a hash over BN254's scalar field,
/// which is cheap in a circuit. `heights` are those of the shrink program's preprocessed tables.
pub(crate) fn wrap(heights: BTreeMap<String, usize>, keys_height: usize) -> Program {
    let verifier = CpuSP1ProverComponents::shrink_verifier();
    let shape = SP1RecursionProofShape { shape: RecursionShape::new(heights) };
    let input = dummy(&verifier, &shape, 1, keys_height);
    let recursive = recursive_verifier::<_, _, WrapConfig>(verifier.shard_verifier());

    // As SP1 does it, in a function that it keeps to itself.
    let mut builder = Builder::<WrapConfig>::default();
    let input = input.read(&mut builder);
    SP1CompressRootVerifierWithVKey::<WrapConfig, _>::verify(
        &mut builder,
        &recursive,
        input,
        true,
        PublicValuesOutputDigest::Root,
    );
    let block = builder.into_root_block();
    // SAFETY: the builder gives a well-formed circuit: nothing in it reads what runs beside it.
    #[expect(unsafe_code, reason = "SP1 has no other way to compile a program of one's own")]
    let program = unsafe { DslIrProgram::new_unchecked(block) };
    AsmCompiler::default().compile(program)
}

/// What a program is made from: an input of the right shape.
fn dummy(
    verifier: &InnerVerifier,
    shape: &SP1RecursionProofShape,
    arity: usize,
    keys_height: usize,
) -> SP1CompressWithVKeyWitnessValues<SP1PcsProofInner> {
    let chips = verifier.shard_verifier().machine().chips();
    shape.dummy_input(
        arity,
        keys_height,
        chips.iter().cloned().collect::<BTreeSet<_>>(),
        verifier.max_log_row_count(),
        *verifier.fri_config(),
        verifier.log_stacking_height() as usize,
    )
}
