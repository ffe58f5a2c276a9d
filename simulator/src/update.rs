//! Updates: valid ones, and ones with exactly one thing wrong.

use std::fmt;

use lc_core::{
    ExecutionForm, ExecutionPayloadHeader,
    alloy_primitives::B256,
    host::NativeCrypto,
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, SyncAggregate,
        SyncCommittee,
    },
};

use crate::chain::Chain;

/// An update in the making. Valid unless told otherwise; whatever is changed, what lies above it (roots,
/// branches, signature) is made to fit.
#[must_use = "call `build` or `build_finality`"]
pub struct UpdateBuilder<'a> {
    chain: &'a Chain,
    attested_slot: u64,
    signature_slot: Option<u64>,
    finalized_slot: Option<u64>,
    bits: Vec<u8>,
    signers: Option<u64>,
    version: Option<[u8; 4]>,
    next_committee: Option<SyncCommittee>,
    has_finality: bool,
    has_next_committee: bool,
    edit_execution: Option<Edit<'a, ExecutionPayloadHeader>>,
    edit_finalized: Option<Edit<'a, LightClientHeader>>,
    edit_attested: Option<Edit<'a, LightClientHeader>>,
}

type Edit<'a, T> = Box<dyn FnOnce(&mut T) + 'a>;

impl fmt::Debug for UpdateBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateBuilder")
            .field("attested_slot", &self.attested_slot)
            .finish_non_exhaustive()
    }
}

impl<'a> UpdateBuilder<'a> {
    pub(crate) fn new(chain: &'a Chain, attested_slot: u64) -> Self {
        Self {
            chain,
            attested_slot,
            signature_slot: None,
            finalized_slot: None,
            bits: vec![0xff; chain.spec().committee_len() / 8],
            signers: None,
            version: None,
            next_committee: None,
            has_finality: true,
            has_next_committee: true,
            edit_execution: None,
            edit_finalized: None,
            edit_attested: None,
        }
    }

    /// The slot of the block that is signed.
    pub const fn attested_slot(mut self, slot: u64) -> Self {
        self.attested_slot = slot;
        self
    }

    /// The slot of the block that carries the signature. Default: the one after the attested.
    pub const fn signature_slot(mut self, slot: u64) -> Self {
        self.signature_slot = Some(slot);
        self
    }

    /// The slot that the attested state holds final. Default: as [`Chain::finalized_slot`] says.
    pub const fn finalized_slot(mut self, slot: u64) -> Self {
        self.finalized_slot = Some(slot);
        self
    }

    /// So many members sign, drawn by the seed; at most all. Default: all.
    pub fn participants(mut self, count: u64) -> Self {
        let mut members: Vec<u64> = (0..self.chain.spec().sync_committee_size).collect();
        let slot = self.attested_slot;
        members
            .sort_by_cached_key(|member| self.chain.seed.number("participant", &[slot, *member]));
        self.bits.fill(0);
        for member in members.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            self.bits[(member / 8) as usize] |= 1 << (member % 8);
        }
        self
    }

    /// Exactly these members sign: one bit each, lowest bit of the first byte first.
    pub fn bits(mut self, bits: Vec<u8>) -> Self {
        self.bits = bits;
        self
    }

    /// The committee of `period` signs. Default: the one of the signature slot's period.
    pub const fn signed_by(mut self, period: u64) -> Self {
        self.signers = Some(period);
        self
    }

    /// The signature is for a fork of that version. Default: the one before the signature slot.
    pub const fn fork_version(mut self, version: [u8; 4]) -> Self {
        self.version = Some(version);
        self
    }

    /// The attested state's next committee. Default: the one of the next period.
    pub fn next_committee(mut self, committee: SyncCommittee) -> Self {
        self.next_committee = Some(committee);
        self
    }

    /// Leaves the finalized header out, as a node does when there is none.
    pub const fn without_finality(mut self) -> Self {
        self.has_finality = false;
        self
    }

    /// Leaves the next committee out, as a node does when it is already known.
    pub const fn without_next_committee(mut self) -> Self {
        self.has_next_committee = false;
        self
    }

    /// Changes the finalized block's execution header before its body commits to it.
    pub fn edit_execution(mut self, edit: impl FnOnce(&mut ExecutionPayloadHeader) + 'a) -> Self {
        self.edit_execution = Some(Box::new(edit));
        self
    }

    /// Changes the finalized header before the attested state commits to it.
    pub fn edit_finalized(mut self, edit: impl FnOnce(&mut LightClientHeader) + 'a) -> Self {
        self.edit_finalized = Some(Box::new(edit));
        self
    }

    /// Changes the attested header before it is signed.
    pub fn edit_attested(mut self, edit: impl FnOnce(&mut LightClientHeader) + 'a) -> Self {
        self.edit_attested = Some(Box::new(edit));
        self
    }

    /// The update without its next committee.
    #[must_use]
    pub fn build_finality(self) -> LightClientFinalityUpdate {
        self.build().into()
    }

    /// The update.
    ///
    /// # Panics
    /// If nothing is final at the attested slot and no finalized slot was set.
    #[must_use]
    pub fn build(mut self) -> LightClientUpdate {
        let (chain, slot) = (self.chain, self.attested_slot);
        let spec = chain.spec();
        let finalized_header = self.finalized_header();
        let next_sync_committee = self
            .next_committee
            .take()
            .unwrap_or_else(|| chain.committee(spec.period_at_slot(slot) + 1).public().clone());
        let checkpoint = (
            spec.epoch_at_slot(finalized_header.beacon.slot),
            finalized_header.beacon.hash_tree_root::<NativeCrypto>(),
        );
        let next_root = next_sync_committee.hash_tree_root::<NativeCrypto>();
        let state = chain.state(slot, checkpoint, next_root);
        let mut attested_header = chain.header_on(slot, &state);
        if let Some(edit) = self.edit_attested.take() {
            edit(&mut attested_header);
        }
        let at = chain.fork(slot).gindices();
        let signature_slot = self.signature_slot.unwrap_or(slot + 1);
        let mut update = LightClientUpdate {
            sync_aggregate: self.sign(&attested_header, signature_slot),
            attested_header,
            next_sync_committee,
            next_sync_committee_branch: state.branch(at.next_sync_committee),
            finalized_header,
            finality_branch: state.branch(at.finalized_root),
            signature_slot,
        };
        self.leave_out(&mut update);
        update
    }

    fn finalized_header(&mut self) -> LightClientHeader {
        let slot = self.finalized_slot.or(self.chain.finalized_slot(self.attested_slot));
        let mut header = self.chain.header(slot.expect("something is final at the attested slot"));
        if let Some(edit) = self.edit_execution.take() {
            let LightClientHeader { beacon, .. } = header;
            let mut execution =
                self.chain.execution_header(beacon.slot, self.chain.fork(beacon.slot));
            edit(&mut execution);
            header = self.chain.header_with(beacon.slot, beacon.state_root, execution);
        }
        if let Some(edit) = self.edit_finalized.take() {
            edit(&mut header);
        }
        if self.chain.fork(self.attested_slot).execution_form() == ExecutionForm::BlockHash {
            // Objects of Gloas have all their headers in its form. One that has none there stays as it is.
            return header.upgrade_to_gloas::<NativeCrypto>(self.chain.spec()).unwrap_or(header);
        }
        header
    }

    fn sign(&self, attested: &LightClientHeader, signature_slot: u64) -> SyncAggregate {
        let chain = self.chain;
        let period = self.signers.unwrap_or(chain.spec().period_at_slot(signature_slot));
        let version =
            self.version.unwrap_or_else(|| chain.version(signature_slot.saturating_sub(1)));
        let signing_root = chain.signing_root(&attested.beacon, version);
        SyncAggregate {
            sync_committee_bits: self.bits.clone(),
            sync_committee_signature: chain.committee(period).sign(&self.bits, &signing_root),
        }
    }

    fn leave_out(&self, update: &mut LightClientUpdate) {
        if !self.has_finality {
            update.finalized_header = LightClientHeader::default();
            update.finality_branch.fill(B256::ZERO);
        }
        if !self.has_next_committee {
            update.next_sync_committee.pubkeys.fill(Default::default());
            update.next_sync_committee.aggregate_pubkey = Default::default();
            update.next_sync_committee_branch.fill(B256::ZERO);
        }
    }
}
