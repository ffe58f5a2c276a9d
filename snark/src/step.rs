//! One recursion program with its keys, and how it is run and proven.

use std::{fmt, iter, sync::Arc};

use slop_challenger::IopCtx;
use sp1_hypercube::{
    MachineVerifyingKey, ShardContext, ShardProof,
    air::MachineAir,
    inner_perm,
    prover::{AirProver, PcsProof, ProverSemaphore, ProvingKey},
};
use sp1_primitives::{SP1ExtensionField, SP1Field};
use sp1_recursion_circuit::witness::WitnessBlock;
use sp1_recursion_executor::{ExecutionRecord, Executor, RecursionProgram};
use tokio::runtime::Runtime;

/// A recursion program and its keys. Gigabytes: the tables that are known before a run, and what
/// was committed to of them.
pub(crate) struct Step<GC: IopCtx, SC: ShardContext<GC>, P: AirProver<GC, SC>> {
    program: Arc<RecursionProgram<SP1Field>>,
    pub(crate) proving: Arc<ProvingKey<GC, SC, P>>,
    pub(crate) verifying: MachineVerifyingKey<GC>,
}

impl<GC, SC, P> Step<GC, SC, P>
where
    GC: IopCtx<F = SP1Field>,
    SC: ShardContext<GC>,
    SC::Air: MachineAir<
            SP1Field,
            Program = RecursionProgram<SP1Field>,
            Record = ExecutionRecord<SP1Field>,
        >,
    P: AirProver<GC, SC>,
{
    pub(crate) fn set_up(
        runtime: &Runtime,
        prover: &P,
        program: RecursionProgram<SP1Field>,
    ) -> Self {
        let program = Arc::new(program);
        let (made, verifying) =
            runtime.block_on(prover.setup(program.clone(), ProverSemaphore::new(1)));
        Self { program, proving: made.pk.clone(), verifying }
    }

    /// Proves that the program accepts `witness`.
    ///
    /// # Errors
    ///
    /// What the program said that it does not.
    pub(crate) fn prove(
        &self,
        runtime: &Runtime,
        prover: &P,
        witness: Vec<WitnessBlock>,
    ) -> Result<ShardProof<GC, PcsProof<GC, SC>>, String> {
        let mut record = self.run(witness)?;
        prover.machine().generate_dependencies(iter::once(&mut record), None);
        let proving =
            prover.prove_shard_with_pk(self.proving.clone(), record, ProverSemaphore::new(1));
        Ok(runtime.block_on(proving).0)
    }

    fn run(&self, witness: Vec<WitnessBlock>) -> Result<ExecutionRecord<SP1Field>, String> {
        let mut executor =
            Executor::<SP1Field, SP1ExtensionField, _>::new(self.program.clone(), inner_perm());
        executor.witness_stream = witness.into();
        executor.run().map_err(|error| error.to_string())?;
        Ok(executor.record)
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>, P: AirProver<GC, SC>> fmt::Debug for Step<GC, SC, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").finish_non_exhaustive()
    }
}
