//! The updates that the store applies with finality, as requests for both statements.

use lc_core::{
    ChainSpec,
    alloy_primitives::{Address, Bytes},
    host::{CommitteeChangeInput, InclusionInput, InputError, LightClientStore, ProgramInput},
    objects::{LightClientFinalityUpdate, LightClientUpdate},
    statement::AccountProof,
    sync_protocol::CheckError,
};

use super::{Case, ExecutionHeaders, Handler, Step, SyncCase, Vectors};

/// An update that the store applied because it was final, as requests for both statements.
#[derive(Clone)]
pub(crate) struct Applied {
    /// Case and step.
    pub(crate) name: String,
    pub(crate) chain: ChainSpec,
    pub(crate) update: LightClientUpdate,
    /// None where the update brings no committee.
    pub(crate) committee_change: Option<ProgramInput>,
    /// About an account whose proof is empty, so that it fails where the finality is accepted.
    pub(crate) inclusion: ProgramInput,
}

/// Every update of the sync cases that the store applies with finality, without a timeout, with the execution block
/// header that its requests need: for whoever runs them through a program and wants the verdict of
/// [`ProgramInput::check`].
#[allow(dead_code, reason = "other crates' tests include this file for it")]
pub(crate) fn applied_updates(vectors: &Vectors) -> Vec<Applied> {
    let (mut all, headers) = (Vec::new(), vectors.execution_headers());
    for case in vectors.cases().iter().filter(|case| case.handler == Handler::Sync) {
        let sync = case.sync();
        let mut store = sync.store();
        for (number, step) in sync.steps.iter().enumerate() {
            let applied = take_step(case, &sync, &mut store, number, step);
            all.extend(applied.map(|applied| applied.with_execution_header(&headers)));
        }
    }
    all
}

/// One step of the store; gives the update if that was applied with finality.
pub(crate) fn take_step(
    case: &Case<'_>,
    sync: &SyncCase,
    store: &mut LightClientStore,
    number: usize,
    step: &Step,
) -> Option<Applied> {
    let chain = &sync.chain;
    match step {
        Step::ProcessUpdate(step) => {
            let name = format!("{} step {number}", case.name);
            let update = LightClientUpdate::from_ssz(chain, &case.object(&step.update)).unwrap();
            let before = store.clone();
            store
                .process(chain, &update, step.current_slot)
                .unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let applied = before.finalized_header != store.finalized_header
                || before.next_sync_committee != store.next_sync_committee;
            applied.then(|| Applied::new(name, chain, &before, update))
        }
        Step::ForceUpdate(step) => {
            store.process_force_update(chain, step.current_slot);
            None
        }
        // One store for all forks.
        Step::UpgradeStore(_) => None,
    }
}

impl Applied {
    /// Whether the finalized header names an execution block by hash alone.
    pub(crate) fn needs_execution_header(&self) -> bool {
        let header = &self.update.finalized_header;
        let fork = self.chain.fork_at_slot(header.beacon.slot).unwrap();
        header.has_hash_form() && header.beacon.slot != 0 && fork.has_execution()
    }

    /// With that block's header in both requests, where they need it.
    pub(crate) fn with_execution_header(self, headers: &ExecutionHeaders) -> Self {
        let hash = &self.update.finalized_header.execution.block_hash;
        let header = self.needs_execution_header().then(|| headers[hash].clone());
        self.with(header)
    }

    /// With that execution block header in both requests.
    pub(crate) fn with(mut self, header: Option<Bytes>) -> Self {
        if let Some(ProgramInput::CommitteeChange(input)) = &mut self.committee_change {
            input.execution_header.clone_from(&header);
        }
        if let ProgramInput::Inclusion(input) = &mut self.inclusion {
            input.execution_header = header;
        }
        self
    }

    /// What a client asks who has the store `before`.
    pub(crate) fn new(
        name: String,
        chain: &ChainSpec,
        before: &LightClientStore,
        update: LightClientUpdate,
    ) -> Self {
        let signer_period = chain.period_at_slot(update.signature_slot);
        let current = signer_period == chain.period_at_slot(before.finalized_header.beacon.slot);
        let next = before.next_sync_committee.as_ref();
        let committee =
            if current { &before.current_sync_committee } else { next.expect("it signed") };
        let committee = Bytes::from(committee.to_ssz());
        let finality = LightClientFinalityUpdate::from(update.clone());
        let account =
            AccountProof { address: Address::ZERO, nodes: Vec::new(), storage: Vec::new() };
        Self {
            committee_change: update.has_next_sync_committee().then(|| {
                ProgramInput::CommitteeChange(CommitteeChangeInput {
                    chain: chain.clone(),
                    signer_period,
                    committee: committee.clone(),
                    updates: vec![update.to_ssz(chain).into()],
                    execution_header: None,
                })
            }),
            inclusion: ProgramInput::Inclusion(InclusionInput {
                chain: chain.clone(),
                signer_period,
                committee,
                finality_update: finality.to_ssz(chain).into(),
                execution_header: None,
                accounts: vec![account],
            }),
            name,
            chain: chain.clone(),
            update,
        }
    }
}

/// The check that refused the request. Panics where it was its encoding.
pub(crate) fn refusal(error: InputError) -> CheckError {
    match error {
        InputError::Check { source, .. } => source,
        other => panic!("{other}"),
    }
}

/// A change of the update that it must not survive.
pub(crate) type Forgery = fn(&mut LightClientUpdate);

/// One signer fewer or more, another body, another finalized block, another next committee.
pub(crate) const FORGERIES: [Forgery; 4] = [
    |update| update.sync_aggregate.sync_committee_bits[0] ^= 1,
    |update| update.attested_header.beacon.body_root.0[0] ^= 1,
    |update| update.finalized_header.beacon.state_root.0[0] ^= 1,
    |update| update.next_sync_committee.aggregate_pubkey.0[47] ^= 1,
];
