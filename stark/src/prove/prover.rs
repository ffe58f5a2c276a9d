//! Core proofs without SP1's recursion set-up.
//!
//! SP1's own CPU prover compiles six recursion programs when it starts: 40 s and 7 GB that a core
//! proof has no use for. This one drives SP1's executor and shard prover itself, one shard at a
//! time. Its proofs are ordinary `SP1Proof::Core`. Some of SP1's functions used here are meant for
//! its tests, hence the exact pin of its version.

use std::{
    borrow::Borrow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use sp1_core_executor::{ExecutionError, ExecutionRecord, SP1CoreOpts};
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    Chip, ChipStatistics, Machine,
    air::{MachineAir, PublicValues, ShardRange},
    prover::{AirProver, ProverSemaphore},
};
use sp1_primitives::SP1Field;
use tokio::runtime::Runtime;
use tracing::debug;

use super::{
    commitment::Committer,
    guest::{GuestError, RUN_LIMIT},
    keys::{self, Air, Keys, ShardProver},
    records::Records,
    shard_plan::ShardPlan,
    splices,
};
use crate::{
    CoreVerifier, InvalidProof,
    verifier::{self, Shard, panic_message},
};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The program gave no output.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// Its trace could not be made.
    #[error("the trace of shard {shard} could not be made")]
    Trace {
        /// Counted from 1, in the order of proving.
        shard: usize,
        /// What SP1 said.
        #[source]
        source: ExecutionError,
    },
    /// The proof that was made does not hold: a fault of SP1, of this code or of the machine's
    /// memory.
    #[error("the proof that was made does not verify")]
    Invalid(#[from] InvalidProof),
    /// SP1 panicked.
    #[error("SP1's prover panicked: {0}")]
    Panicked(String),
}

/// What a prover is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Run the program and cut its trace.
    Execute,
    /// Prove shards.
    Prove {
        /// Shards proven.
        done: usize,
        /// Shards known so far. Grows when shards turn up that hold precompiles or memory.
        total: usize,
    },
    /// Check the proof.
    Verify,
}

/// A core proof that was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct CoreProof {
    /// The proof, as [`CoreVerifier::verify`] takes it.
    pub bytes: Vec<u8>,
    /// What the program committed.
    pub public_values: Vec<u8>,
    /// Instructions it ran.
    pub cycles: u64,
    /// Shards of the proof.
    pub shards: usize,
}

impl fmt::Debug for CoreProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, public_values, cycles, shards } = self;
        let (bytes, public_values) = (bytes.len(), public_values.len());
        write!(
            f,
            "CoreProof {{ {bytes} bytes, {public_values} bytes proven, {cycles} cycles, {shards} shards }}"
        )
    }
}

/// Proves programs in SP1's core mode on the CPU. Blocking; brings its own runtime, so call it
/// outside of any other.
pub struct CoreProver {
    prover: ShardProver,
    verifier: CoreVerifier,
    opts: SP1CoreOpts,
    run_limit: Duration,
    runtime: Runtime,
}

impl CoreProver {
    /// A prover with shards of the planned size. Half a second of CPU time, and little memory.
    ///
    /// # Errors
    ///
    /// The system's, if the runtime's threads cannot be started.
    pub fn new(plan: ShardPlan) -> std::io::Result<Self> {
        let machine = RiscvAir::machine();
        Ok(Self {
            prover: keys::shard_prover(machine.clone(), Committer::default()),
            verifier: CoreVerifier::for_machine(machine),
            opts: plan.core_opts(),
            run_limit: RUN_LIMIT,
            // Its threads only wait for rayon's.
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?,
        })
    }

    /// The same with another limit on the time that a program may run, instead of [`RUN_LIMIT`].
    #[must_use]
    pub fn with_run_limit(self, run_limit: Duration) -> Self {
        Self { run_limit, ..self }
    }

    /// Proves what `keys`' program does on `witness`, and verifies the proof. Reports each step
    /// before it is taken.
    ///
    /// # Errors
    ///
    /// [`ProveError::Guest`] if the program refuses `witness`, before anything is proven.
    pub fn prove(
        &self,
        keys: &Keys,
        witness: &[u8],
        report: &mut dyn FnMut(Step),
    ) -> Result<CoreProof, ProveError> {
        // SP1 asserts its invariants. Neither prover nor keys hold anything that a panic could
        // leave half-changed.
        catch_unwind(AssertUnwindSafe(|| self.prove_unguarded(keys, witness, report)))
            .unwrap_or_else(|panic| Err(ProveError::Panicked(panic_message(&*panic))))
    }

    fn prove_unguarded(
        &self,
        keys: &Keys,
        witness: &[u8],
        report: &mut dyn FnMut(Step),
    ) -> Result<CoreProof, ProveError> {
        report(Step::Execute);
        let spliced = splices::execute(&keys.program, witness, &self.opts, self.run_limit)?;
        let (public_values, cycles) = (spliced.public_values.clone(), spliced.cycles);

        let mut records = Records::new(&keys.program, self.prover.machine(), &self.opts, spliced);
        let mut shards = Vec::new();
        loop {
            let done = shards.len();
            report(Step::Prove { done, total: done + records.left() });
            let Some(record) = records.next() else { break };
            let record = record.map_err(|source| ProveError::Trace { shard: done + 1, source })?;
            shards.push(self.prove_shard(keys, record));
        }
        report(Step::Verify);
        shards.sort_by_key(range);
        let (shards, bytes) = (shards.len(), verifier::encode(shards));
        self.verifier.verify(keys.verifying(), &public_values, &bytes)?;
        Ok(CoreProof { bytes, public_values, cycles, shards })
    }

    fn prove_shard(&self, keys: &Keys, record: ExecutionRecord) -> Shard {
        let (begun, cells) = (Instant::now(), cells(self.prover.machine(), &record));
        let one_at_a_time = ProverSemaphore::new(1);
        let proving = AirProver::prove_shard_with_pk(
            &self.prover,
            keys.proving.clone(),
            record,
            one_at_a_time,
        );
        let (shard, _permit) = self.runtime.block_on(proving);
        debug!(cells, seconds = begun.elapsed().as_secs_f64(), "proved a shard");
        shard
    }
}

impl fmt::Debug for CoreProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreProver").field("opts", &self.opts).finish_non_exhaustive()
    }
}

/// Cells of a shard's tables, in which time and memory are measured.
fn cells(machine: &Machine<SP1Field, Air>, record: &ExecutionRecord) -> usize {
    let used = machine.chips().iter().filter(|chip| chip.included(record));
    let size = |chip: &Chip<_, _>| {
        ChipStatistics::new(chip, MachineAir::num_rows(chip, record).unwrap_or(0))
            .total_number_of_cells()
    };
    used.map(size).sum()
}

/// Where a shard lies in the execution: the order in which the verifier wants them.
fn range(shard: &Shard) -> ShardRange {
    let values: &PublicValues<[SP1Field; 4], [SP1Field; 3], [SP1Field; 4], SP1Field> =
        shard.public_values.as_slice().borrow();
    values.range()
}
