//! The chain: what every slot's header is, and what it commits to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use lc_core::{
    BeaconBlockHeader, BlsSignature, ChainSpec, ExecutionForm, ExecutionPayloadHeader, Fork,
    GeneralizedIndex,
    alloy_primitives::{B256, U256},
    containers::{compute_signing_root, compute_sync_committee_domain},
    host::NativeCrypto,
    objects::{LightClientBootstrap, LightClientHeader, LightClientUpdate},
    root::Root,
};

use crate::{
    builder::{ChainBuilder, Preset},
    committee::Committee,
    execution::{ExecutionState, KnownAccounts},
    seed::Seed,
    tree::SparseTree,
    update::UpdateBuilder,
};

/// Epochs from a checkpoint to the block that holds it final, when all goes well.
const FINALITY_EPOCHS: u64 = 2;
/// Added to a slot, gives its block number: the two must not be confused.
const BLOCK_NUMBER_OFFSET: u64 = 7_000_000;
/// A simulated chain. Deterministic; what was computed once is kept.
#[derive(Debug)]
pub struct Chain {
    pub(crate) seed: Seed,
    pub(crate) preset: Preset,
    pub(crate) spec: ChainSpec,
    pub(crate) first_period: u64,
    pub(crate) duplicate_keys: usize,
    pub(crate) trie_depth: usize,
    pub(crate) memo: Mutex<Memo>,
}

/// What was computed already, by period or slot.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    committees: BTreeMap<u64, Arc<Committee>>,
    states: BTreeMap<u64, Arc<ExecutionState>>,
    headers: BTreeMap<u64, LightClientHeader>,
}

impl Chain {
    /// A chain with every setting at its default.
    #[must_use]
    pub const fn builder() -> ChainBuilder {
        ChainBuilder::new()
    }

    /// Its constants.
    #[must_use]
    pub const fn spec(&self) -> &ChainSpec {
        &self.spec
    }

    /// Its preset.
    #[must_use]
    pub const fn preset(&self) -> Preset {
        self.preset
    }

    /// The period that it starts in.
    #[must_use]
    pub const fn first_period(&self) -> u64 {
        self.first_period
    }

    /// The first slot of the first period.
    #[must_use]
    pub const fn first_slot(&self) -> u64 {
        self.first_slot_of(self.first_period)
    }

    /// The first slot of `period`.
    #[must_use]
    pub const fn first_slot_of(&self, period: u64) -> u64 {
        period * self.spec.slots_per_period()
    }

    /// The accounts and slots whose state is known.
    #[must_use]
    pub fn accounts(&self) -> KnownAccounts {
        KnownAccounts::derive(&self.seed)
    }

    /// The committee that signs in `period`.
    #[must_use]
    pub fn committee(&self, period: u64) -> Arc<Committee> {
        self.remembered(
            period,
            |memo| &mut memo.committees,
            || {
                let size = self.spec.committee_len();
                Arc::new(Committee::derive(&self.seed, period, size, self.duplicate_keys))
            },
        )
    }

    /// The execution state during `period`.
    #[must_use]
    pub fn execution_state(&self, period: u64) -> Arc<ExecutionState> {
        self.remembered(
            period,
            |memo| &mut memo.states,
            || Arc::new(ExecutionState::derive(&self.seed, period, self.trie_depth)),
        )
    }

    /// The block at `slot`.
    #[must_use]
    pub fn header(&self, slot: u64) -> LightClientHeader {
        // Each header holds an earlier one final: first down to one that is known, then up again. A recursion
        // would be hundreds of calls deep.
        let mut slots = vec![slot];
        while let Some(earlier) = self.finalized_slot(slots[slots.len() - 1]) {
            if self.lock().headers.contains_key(&earlier) {
                break;
            }
            slots.push(earlier);
        }
        while let Some(next) = slots.pop() {
            self.remembered(
                next,
                |memo| &mut memo.headers,
                || self.header_on(next, &self.canonical_state(next)),
            );
        }
        self.remembered(slot, |memo| &mut memo.headers, || unreachable!("it was just computed"))
    }

    /// The slot that the chain holds final at `slot`: the start of the epoch two epochs before. None where
    /// that is before the chain's start.
    #[must_use]
    pub fn finalized_slot(&self, slot: u64) -> Option<u64> {
        let epoch = self.spec.epoch_at_slot(slot).checked_sub(FINALITY_EPOCHS)?;
        let finalized = epoch * self.spec.slots_per_epoch;
        (finalized >= self.first_slot()).then_some(finalized)
    }

    /// The bootstrap for the block at `slot`.
    #[must_use]
    pub fn bootstrap(&self, slot: u64) -> LightClientBootstrap {
        let header = self.header(slot);
        let state = self.canonical_state(slot);
        LightClientBootstrap {
            current_sync_committee: self.committee(self.spec.period_at_slot(slot)).public().clone(),
            current_sync_committee_branch: state
                .branch(self.fork(slot).gindices().current_sync_committee),
            header,
        }
    }

    /// An update of `period`: by default attested shortly after its middle, by the whole committee.
    pub fn update(&self, period: u64) -> UpdateBuilder<'_> {
        UpdateBuilder::new(self, self.first_slot_of(period) + self.spec.slots_per_period() / 2 + 3)
    }

    /// The signature that the committee of `signature_slot`'s period gives over `header`.
    #[must_use]
    pub fn sign(
        &self,
        header: &BeaconBlockHeader,
        signature_slot: u64,
        bits: &[u8],
    ) -> BlsSignature {
        let period = self.spec.period_at_slot(signature_slot);
        let version = self.version(signature_slot.saturating_sub(1));
        self.committee(period).sign(bits, &self.signing_root(header, version))
    }

    /// Signs a changed update again, with the members that its bits say.
    pub fn sign_again(&self, update: &mut LightClientUpdate) {
        let bits = &update.sync_aggregate.sync_committee_bits;
        let signature = self.sign(&update.attested_header.beacon, update.signature_slot, bits);
        update.sync_aggregate.sync_committee_signature = signature;
    }

    pub(crate) fn signing_root(&self, header: &BeaconBlockHeader, version: [u8; 4]) -> B256 {
        let root = &self.spec.genesis_validators_root;
        let domain = compute_sync_committee_domain::<NativeCrypto>(version, root);
        compute_signing_root::<NativeCrypto>(&(*header).into(), &domain).into()
    }

    pub(crate) fn version(&self, slot: u64) -> [u8; 4] {
        let entry = self.spec.entry_at_epoch(self.spec.epoch_at_slot(slot));
        entry.map_or([0; 4], |entry| entry.version)
    }

    /// The fork at `slot`; Altair, in whose layout such objects encode, before the first.
    pub(crate) fn fork(&self, slot: u64) -> Fork {
        self.spec.fork_at_slot(slot).unwrap_or(Fork::Altair)
    }

    /// The beacon state after the block at `slot`, with what it holds final and its committees.
    pub(crate) fn state(
        &self,
        slot: u64,
        (finalized_epoch, finalized_root): (u64, B256),
        next_committee: B256,
    ) -> SparseTree<'_> {
        let at = self.fork(slot).gindices();
        let epoch_index = GeneralizedIndex(at.finalized_root.0 ^ 1);
        let committee = self.committee(self.spec.period_at_slot(slot)).root();
        SparseTree::new(&self.seed, "state", slot)
            .with(epoch_index, Root::of_u64(finalized_epoch).into())
            .with(at.finalized_root, finalized_root)
            .with(at.current_sync_committee, committee)
            .with(at.next_sync_committee, next_committee)
    }

    /// The header at `slot` above that state.
    pub(crate) fn header_on(&self, slot: u64, state: &SparseTree<'_>) -> LightClientHeader {
        let fork = self.fork(slot);
        let execution = fork.has_execution().then(|| self.execution_header(slot, fork));
        self.header_with(slot, state.root(), execution.unwrap_or_default())
    }

    /// The header at `slot` with that state and execution header, in a body made to fit.
    pub(crate) fn header_with(
        &self,
        slot: u64,
        state_root: B256,
        execution: ExecutionPayloadHeader,
    ) -> LightClientHeader {
        let (execution_branch, body_root) = self.body(slot, &execution);
        let execution = match self.fork(slot).execution_form() {
            ExecutionForm::Absent | ExecutionForm::PayloadHeader => execution,
            ExecutionForm::BlockHash => {
                ExecutionPayloadHeader { block_hash: execution.block_hash, ..Default::default() }
            }
        };
        LightClientHeader {
            beacon: BeaconBlockHeader {
                slot,
                proposer_index: self.seed.number("proposer", &[slot]) % 1_000_000,
                parent_root: self.seed.bytes("parent", &[slot]),
                state_root,
                body_root,
            },
            execution,
            execution_branch,
        }
    }

    fn canonical_state(&self, slot: u64) -> SparseTree<'_> {
        let finalized = match self.finalized_slot(slot) {
            Some(slot) => {
                let root = self.header(slot).beacon.hash_tree_root::<NativeCrypto>();
                (self.spec.epoch_at_slot(slot), root)
            }
            None => (0, self.seed.bytes("finalized before the chain", &[])),
        };
        self.state(slot, finalized, self.committee(self.spec.period_at_slot(slot) + 1).root())
    }

    /// Branch of the execution header or block hash, and root of the block's body.
    fn body(&self, slot: u64, execution: &ExecutionPayloadHeader) -> (Vec<B256>, B256) {
        let fork = self.fork(slot);
        let body = SparseTree::new(&self.seed, "body", slot);
        let at = fork.gindices();
        let (Some(index), leaf) = (match fork.execution_form() {
            // None for extra data that no block can have: nothing is then the root, as in a real chain.
            ExecutionForm::Absent | ExecutionForm::PayloadHeader => (
                at.execution_payload,
                execution.hash_tree_root::<NativeCrypto>(fork).unwrap_or_default().into(),
            ),
            ExecutionForm::BlockHash => (at.execution_block_hash, execution.block_hash),
        }) else {
            return (LightClientHeader::default().execution_branch, body.root());
        };
        let body = body.with(index, leaf);
        (body.branch(index), body.root())
    }

    pub(crate) fn execution_header(&self, slot: u64, fork: Fork) -> ExecutionPayloadHeader {
        let bytes = |label| self.seed.bytes(label, &[slot]);
        let blob_field =
            |label| if fork >= Fork::Deneb { self.seed.number(label, &[slot]) >> 40 } else { 0 };
        let mut header = ExecutionPayloadHeader {
            parent_hash: self.seed.bytes("block hash", &[slot.wrapping_sub(1)]),
            fee_recipient: self.seed.address("fee recipient", &[slot % 7]),
            state_root: self.execution_state(self.spec.period_at_slot(slot)).root(),
            receipts_root: bytes("receipts"),
            logs_bloom: self.seed.bloom("bloom", slot),
            prev_randao: bytes("randao"),
            block_number: slot + BLOCK_NUMBER_OFFSET,
            gas_limit: 36_000_000,
            gas_used: self.seed.number("gas used", &[slot]) % 36_000_000,
            timestamp: 1_600_000_000 + 12 * slot,
            extra_data: b"simulated"[..(slot % 10) as usize].to_vec(),
            base_fee_per_gas: U256::from(self.seed.number("base fee", &[slot]) >> 24),
            block_hash: bytes("block hash"),
            transactions_root: bytes("transactions"),
            withdrawals_root: bytes("withdrawals"),
            blob_gas_used: blob_field("blob gas used"),
            excess_blob_gas: blob_field("excess blob gas"),
        };
        if self.plans_gloas() {
            header.block_hash = self.block_hash(slot, &header);
        }
        header
    }

    /// The value kept under `key`, computed where there is none. Not under the lock: computing one value
    /// needs others.
    fn remembered<T: Clone>(
        &self,
        key: u64,
        field: impl Fn(&mut Memo) -> &mut BTreeMap<u64, T>,
        compute: impl FnOnce() -> T,
    ) -> T {
        if let Some(value) = field(&mut self.lock()).get(&key) {
            return value.clone();
        }
        let value = compute();
        field(&mut self.lock()).entry(key).or_insert(value).clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memo> {
        // Values are put in whole, so a panic elsewhere leaves none half-made.
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
