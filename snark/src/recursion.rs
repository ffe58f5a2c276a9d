//! From a core proof to a wrap proof.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use bincode::Options;
use lc_stark::{
    CompressedVerifier, InvalidProof, VerifyingKey,
    sp1::{self, InnerProver},
};
use slop_algebra::AbstractField;
use slop_challenger::IopCtx;
use slop_stacked::StackedPcsProver;
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    DIGEST_SIZE, HashableKey, MachineVerifyingKey, SP1OuterPcs, SP1PcsProofInner, SP1PcsProofOuter,
    SP1RecursionProof, SP1WrapProof, ShardProof,
    prover::{AirProver, CpuShardProver},
};
use sp1_primitives::{SP1Field, SP1GlobalContext, SP1OuterGlobalContext};
use sp1_prover::{
    CompressAir, CpuSP1ProverComponents, RecursionSC, SP1ProverComponents, WrapAir, WrapSC,
    recursion::RecursionVks, shapes::SP1RecursionProofShape, verify::WRAP_VK_BYTES,
};
use sp1_recursion_circuit::{
    WrapConfig,
    machine::{
        SP1CompressWithVKeyWitnessValues, SP1MerkleProofWitnessValues, SP1NormalizeWitnessValues,
        SP1ShapedWitnessValues,
    },
    witness::{WitnessBlock, Witnessable},
};
use sp1_recursion_compiler::config::InnerConfig;
use tokio::runtime::Runtime;
use tracing::debug;

use crate::{
    outer_tree::OuterCommitter,
    programs::{self, InnerVerifier, MAX_ARITY},
    step::Step as Program,
};

type Shard = ShardProof<SP1GlobalContext, SP1PcsProofInner>;
type Inner = SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>;
type InnerProgram = Program<SP1GlobalContext, RecursionSC, InnerProver<CompressAir<SP1Field>>>;
pub(crate) type Wrapped = SP1WrapProof<SP1OuterGlobalContext, SP1PcsProofOuter>;
/// SP1's own CPU prover but for how it commits.
type WrapProver = CpuShardProver<
    SP1OuterGlobalContext,
    SP1OuterPcs,
    StackedPcsProver<OuterCommitter, SP1OuterGlobalContext>,
    WrapAir<SP1Field>,
>;

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Prove that core shards verify, and that those proofs do, down to one.
    Compress {
        /// Recursion proofs made.
        done: usize,
        /// Recursion proofs to make.
        total: usize,
    },
    /// Make the compressed proof small, then one that a circuit over BN254 can check.
    Wrap {
        /// 0, then 1.
        done: usize,
        /// 2.
        total: usize,
    },
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecursionError {
    /// What was given is not the proof of the step before.
    #[error("what is to be proven further is no valid proof")]
    Input(#[source] InvalidProof),
    /// A recursion program does not take the proof that it was made for: a fault of SP1 or of this
    /// code.
    #[error("the {program} program refused its input: {reason}")]
    Refused {
        /// Which program.
        program: &'static str,
        /// What its executor said.
        reason: String,
    },
    /// The proof that was made does not hold: a fault of SP1, of this code or of the machine's memory.
    #[error("the proof of the {program} program does not verify: {reason}")]
    Invalid {
        /// Which program.
        program: &'static str,
        /// What SP1's verifier said.
        reason: String,
    },
    /// A program has another key than SP1's release says: other versions of its crates were built.
    #[error(
        "the {program} program has a key that this release of SP1 does not have: build with the committed Cargo.lock"
    )]
    Key {
        /// Which program.
        program: &'static str,
    },
    /// SP1 panicked.
    #[error("SP1's prover panicked: {0}")]
    Panicked(String),
}

/// Makes compressed and wrap proofs on the CPU. Blocking; brings its own runtime, so call it outside
/// of any other.
pub struct Recursion {
    runtime: Runtime,
    keys: RecursionVks,
    shape: SP1RecursionProofShape,
}

impl Recursion {
    /// Reads the keys of all recursion programs. A second.
    ///
    /// # Errors
    ///
    /// The system's, if the runtime's threads cannot be started.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            // Its threads only wait for rayon's.
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?,
            keys: RecursionVks::new(None, MAX_ARITY, true),
            shape: programs::reduce_shape(),
        })
    }

    /// Makes one proof of constant size from a core proof of `public_values` by the program of `key`,
    /// and verifies it. Reports each step before it is taken.
    ///
    /// # Errors
    ///
    /// [`RecursionError`]; of `core` only its form is checked, for its claims the recursion itself.
    pub fn compress(
        &self,
        key: &VerifyingKey,
        public_values: &[u8],
        core: &[u8],
        report: &mut dyn FnMut(Step),
    ) -> Result<Vec<u8>, RecursionError> {
        guarded(|| {
            let shards = sp1::decode_core(core).map_err(RecursionError::Input)?;
            let total = shards.len() + reductions(shards.len());
            let mut done = 0;
            let mut next = || {
                report(Step::Compress { done, total });
                done += 1;
            };
            let normalized = self.normalize(key, shards, &mut next)?;
            let bytes = sp1::encode_compressed(self.compose(normalized, &mut next)?);
            CompressedVerifier::new().verify(key, public_values, &bytes).map_err(|error| {
                RecursionError::Invalid { program: "compose", reason: error.to_string() }
            })?;
            Ok(bytes)
        })
    }

    /// Makes a wrap proof of a compressed one, for a circuit, and verifies it: bincode of SP1's own
    /// type.
    ///
    /// # Errors
    ///
    /// [`RecursionError`].
    pub fn wrap(
        &self,
        compressed: &[u8],
        report: &mut dyn FnMut(Step),
    ) -> Result<Vec<u8>, RecursionError> {
        guarded(|| {
            let proof = sp1::decode_compressed(compressed).map_err(RecursionError::Input)?;
            report(Step::Wrap { done: 0, total: 2 });
            let (shrunk, heights) = self.shrink(proof)?;
            report(Step::Wrap { done: 1, total: 2 });
            let options = bincode::DefaultOptions::new().with_fixint_encoding();
            let proof = self.wrap_shrunk(shrunk, heights)?;
            Ok(options.serialize(&proof).expect("plain data in memory can be encoded"))
        })
    }

    fn normalize(
        &self,
        key: &VerifyingKey,
        shards: Vec<Shard>,
        next: &mut dyn FnMut(),
    ) -> Result<Vec<Inner>, RecursionError> {
        let core = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
        let verifier = CpuSP1ProverComponents::compress_verifier();
        let prover = sp1::inner_prover(verifier.shard_verifier());
        let prove = |shard: Shard| {
            next();
            let program = programs::normalize(sp1::key(key), &core, &self.shape, &shard);
            let program = Program::set_up(&self.runtime, &prover, program);
            let input = SP1NormalizeWitnessValues {
                vk: sp1::key(key).vk.clone(),
                shard_proofs: vec![shard],
                is_complete: false,
                vk_root: self.keys.root(),
                // Our programs verify no proofs themselves.
                reconstruct_deferred_digest: [SP1Field::zero(); DIGEST_SIZE],
                num_deferred_proofs: SP1Field::zero(),
            };
            let mut witness = Vec::new();
            Witnessable::<InnerConfig>::write(&input, &mut witness);
            self.prove_inner("normalize", &program, &prover, &verifier, witness)
        };
        shards.into_iter().map(prove).collect()
    }

    fn compose(
        &self,
        mut proofs: Vec<Inner>,
        next: &mut dyn FnMut(),
    ) -> Result<Inner, RecursionError> {
        let verifier = CpuSP1ProverComponents::compress_verifier();
        let prover = sp1::inner_prover(verifier.shard_verifier());
        let mut program: Option<(usize, InnerProgram)> = None;
        loop {
            let is_complete = proofs.len() <= MAX_ARITY;
            let mut composed = Vec::new();
            let mut rest = proofs.into_iter().peekable();
            while rest.peek().is_some() {
                next();
                let batch: Vec<_> = rest.by_ref().take(MAX_ARITY).collect();
                let arity = batch.len();
                if program.as_ref().is_none_or(|(made_for, _)| *made_for != arity) {
                    // The old one goes first: two would be twice the memory.
                    drop(program.take());
                    let made = programs::compose(&self.shape, arity, self.keys.height());
                    program = Some((arity, Program::set_up(&self.runtime, &prover, made)));
                }
                let (_, program) = program.as_ref().expect("made above");
                let mut witness = Vec::new();
                let input = self.with_keys(batch, is_complete);
                Witnessable::<InnerConfig>::write(&input, &mut witness);
                composed.push(self.prove_inner("compose", program, &prover, &verifier, witness)?);
            }
            proofs = composed;
            if is_complete {
                return Ok(proofs.pop().expect("one batch gives one proof"));
            }
        }
    }

    /// The shrunk proof, and the heights of the tables of the program that made it.
    fn shrink(&self, proof: Inner) -> Result<(Inner, BTreeMap<String, usize>), RecursionError> {
        let verifier = CpuSP1ProverComponents::shrink_verifier();
        let prover = sp1::inner_prover(verifier.shard_verifier());
        let program = programs::shrink(&self.shape, self.keys.height());
        let program: InnerProgram = Program::set_up(&self.runtime, &prover, program);
        let heights = self.runtime.block_on(<InnerProver<CompressAir<SP1Field>> as AirProver<
            SP1GlobalContext,
            RecursionSC,
        >>::preprocessed_table_heights(
            program.proving.clone()
        ));
        let mut witness = Vec::new();
        Witnessable::<InnerConfig>::write(&self.with_keys(vec![proof], true), &mut witness);
        let proof = self.prove_inner("shrink", &program, &prover, &verifier, witness)?;
        Ok((proof, heights))
    }

    fn wrap_shrunk(
        &self,
        proof: Inner,
        heights: BTreeMap<String, usize>,
    ) -> Result<Wrapped, RecursionError> {
        let begun = Instant::now();
        let verifier = CpuSP1ProverComponents::wrap_verifier();
        let prover = WrapProver::new(verifier.shard_verifier().clone());
        let program = programs::wrap(heights, self.keys.height());
        let program = Program::<_, WrapSC, _>::set_up(&self.runtime, &prover, program);
        let known: MachineVerifyingKey<SP1OuterGlobalContext> =
            bincode::deserialize(WRAP_VK_BYTES).expect("SP1's own file");
        if program.verifying != known {
            return Err(RecursionError::Key { program: "wrap" });
        }
        debug!(program = "wrap", seconds = begun.elapsed().as_secs_f64(), "set up");
        let mut witness = Vec::new();
        Witnessable::<WrapConfig>::write(&self.with_keys(vec![proof], true), &mut witness);
        let proof = program
            .prove(&self.runtime, &prover, witness)
            .map_err(|reason| RecursionError::Refused { program: "wrap", reason })?;
        debug!(program = "wrap", seconds = begun.elapsed().as_secs_f64(), "proved");
        let mut challenger = SP1OuterGlobalContext::default_challenger();
        program.verifying.observe_into(&mut challenger);
        verifier.verify_shard(&program.verifying, &proof, &mut challenger).map_err(|error| {
            RecursionError::Invalid { program: "wrap", reason: error.to_string() }
        })?;
        Ok(SP1WrapProof { vk: program.verifying, proof })
    }

    fn prove_inner(
        &self,
        name: &'static str,
        program: &InnerProgram,
        prover: &InnerProver<CompressAir<SP1Field>>,
        verifier: &InnerVerifier,
        witness: Vec<WitnessBlock>,
    ) -> Result<Inner, RecursionError> {
        let begun = Instant::now();
        let vk = program.verifying.clone();
        let (_, vk_merkle_proof) =
            self.keys.open(&vk).map_err(|_| RecursionError::Key { program: name })?;
        let proof = program
            .prove(&self.runtime, prover, witness)
            .map_err(|reason| RecursionError::Refused { program: name, reason })?;
        debug!(program = name, seconds = begun.elapsed().as_secs_f64(), "proved");
        let mut challenger = SP1GlobalContext::default_challenger();
        vk.observe_into(&mut challenger);
        verifier.verify_shard(&vk, &proof, &mut challenger).map_err(|error| {
            RecursionError::Invalid { program: name, reason: error.to_string() }
        })?;
        Ok(SP1RecursionProof { vk, proof, vk_merkle_proof })
    }

    /// Proofs with what shows that their programs are among SP1's.
    fn with_keys(
        &self,
        proofs: Vec<Inner>,
        is_complete: bool,
    ) -> SP1CompressWithVKeyWitnessValues<SP1PcsProofInner> {
        let values = proofs.iter().map(|proof| proof.vk.hash_koalabear()).collect();
        let (vks_and_proofs, vk_merkle_proofs) = proofs
            .into_iter()
            .map(|proof| ((proof.vk, proof.proof), proof.vk_merkle_proof))
            .unzip();
        SP1CompressWithVKeyWitnessValues {
            compress_val: SP1ShapedWitnessValues { vks_and_proofs, is_complete },
            merkle_val: SP1MerkleProofWitnessValues {
                root: self.keys.root(),
                values,
                vk_merkle_proofs,
            },
        }
    }
}

impl fmt::Debug for Recursion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recursion").finish_non_exhaustive()
    }
}

/// Compose proofs that it takes to make one of `proofs`.
fn reductions(proofs: usize) -> usize {
    let batches = proofs.div_ceil(MAX_ARITY);
    if batches <= 1 { 1 } else { batches + reductions(batches) }
}

/// SP1 asserts its invariants. Nothing that outlives a call can be left half-changed by a panic.
fn guarded<T>(run: impl FnOnce() -> Result<T, RecursionError>) -> Result<T, RecursionError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(RecursionError::Panicked(sp1::panic_message(&*panic))))
}
