//! The light-client store of the consensus specs: follows a chain from whole objects, without proofs.
//!
//! Source: consensus-specs v1.5.0 `altair/light-client/sync-protocol.md` with its later changes; names
//! and the order of checks are the specification's. The specification's own test vectors run against it.

use alloy_primitives::B256;

use super::{execution::verify_header, witness};
use crate::{
    chain_spec::ChainSpec,
    host::NativeCrypto,
    merkle::is_valid_normalized_merkle_branch,
    objects::{LightClientBootstrap, LightClientHeader, LightClientUpdate, SyncCommittee},
    root::signature_words,
    sync_protocol::{
        CheckError, fork_at_slot, verify_period, verify_signature, verify_slots,
        verify_supermajority,
    },
};

/// Why the store refused an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The bootstrap is not the trusted block's.
    #[error(
        "the bootstrap is for block {seen}, the trusted block is {wanted}: fetch the bootstrap of that root"
    )]
    Untrusted {
        /// Root of the bootstrap's header.
        seen: B256,
        /// The trusted root.
        wanted: B256,
    },
    /// The bootstrap's committee is not in its state.
    #[error("the bootstrap's sync committee branch does not lead to its state root")]
    CurrentCommitteeBranch,
    /// A check of the protocol failed.
    #[error("the object fails a check")]
    Check(#[from] CheckError),
    /// The update was signed in the future.
    #[error(
        "the update was signed in slot {signature_slot}, the current slot is {current_slot}: check the clock"
    )]
    FromTheFuture {
        /// `signature_slot`.
        signature_slot: u64,
        /// The clock's slot.
        current_slot: u64,
    },
    /// Nobody signed.
    #[error("nobody signed the update")]
    NoParticipants,
    /// The update's period is neither the store's nor the one after it.
    #[error(
        "the update was signed in period {seen}, the store knows the committees of {store} and maybe the one after it: send the periods between"
    )]
    UnknownCommittee {
        /// Period of `signature_slot`.
        seen: u64,
        /// Period of the store's finalized header.
        store: u64,
    },
    /// The update brings nothing new.
    #[error(
        "the update's attested slot {attested} is not after the store's finalized slot {finalized}, and it brings no unknown committee"
    )]
    Irrelevant {
        /// `attested_header.beacon.slot`.
        attested: u64,
        /// The store's finalized slot.
        finalized: u64,
    },
    /// The next committee is another than the store knows for that period.
    #[error("the update's next sync committee is another than the known one of that period")]
    OtherNextCommittee,
    /// The update says that it has no finality or committee, yet holds one.
    #[error("the update's {0} has no branch, yet is not empty")]
    NotEmpty(&'static str),
}

/// `LightClientStore`, for objects of all forks: each is kept and checked in the form in which it came, so that there is
/// no store to upgrade at a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct LightClientStore {
    pub finalized_header: LightClientHeader,
    pub current_sync_committee: SyncCommittee,
    /// None where the specification's is empty.
    pub next_sync_committee: Option<SyncCommittee>,
    pub best_valid_update: Option<LightClientUpdate>,
    pub optimistic_header: LightClientHeader,
    pub previous_max_active_participants: u64,
    pub current_max_active_participants: u64,
}

impl LightClientStore {
    /// `initialize_light_client_store`: trusts the block with root `trusted_block_root`, nothing else.
    ///
    /// # Errors
    /// [`StoreError`] if the bootstrap is not that block's, or not consistent.
    pub fn initialize(
        spec: &ChainSpec,
        trusted_block_root: B256,
        bootstrap: &LightClientBootstrap,
    ) -> Result<Self, StoreError> {
        let header = &bootstrap.header;
        verify_header(spec, "bootstrap", header)?;
        let seen = header.beacon.hash_tree_root::<NativeCrypto>();
        if seen != trusted_block_root {
            return Err(StoreError::Untrusted { seen, wanted: trusted_block_root });
        }
        let index = fork_at_slot(spec, header.beacon.slot)?.gindices().current_sync_committee;
        let committee = &bootstrap.current_sync_committee;
        let leaf = committee.hash_tree_root::<NativeCrypto>();
        let branch = &bootstrap.current_sync_committee_branch;
        let root = &header.beacon.state_root;
        if !is_valid_normalized_merkle_branch::<NativeCrypto>(&leaf, branch, index, root) {
            return Err(StoreError::CurrentCommitteeBranch);
        }
        Ok(Self {
            finalized_header: header.clone(),
            current_sync_committee: committee.clone(),
            next_sync_committee: None,
            best_valid_update: None,
            optimistic_header: header.clone(),
            previous_max_active_participants: 0,
            current_max_active_participants: 0,
        })
    }

    /// `validate_light_client_update`. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] names the first check that fails.
    pub fn validate(
        &self,
        spec: &ChainSpec,
        update: &LightClientUpdate,
        current_slot: u64,
    ) -> Result<(), StoreError> {
        if update.sync_aggregate.participants() == 0 {
            return Err(StoreError::NoParticipants);
        }
        let (attested, finalized) = (&update.attested_header, &update.finalized_header);
        verify_header(spec, "attested", attested)?;
        let signature_slot = update.signature_slot;
        if current_slot < signature_slot {
            return Err(StoreError::FromTheFuture { signature_slot, current_slot });
        }
        verify_slots(signature_slot, attested.beacon.slot, finalized.beacon.slot)?;
        let committee = self.signing_committee(spec, signature_slot)?;
        self.verify_relevant(spec, update)?;
        self.verify_finality(spec, update)?;
        self.verify_next_committee(spec, update)?;
        let signers = witness::signers(committee, &update.sync_aggregate);
        let signature = signature_words(&update.sync_aggregate.sync_committee_signature);
        let attested = attested.beacon.into();
        verify_signature::<NativeCrypto>(spec, &attested, signature_slot, &signers, &signature)?;
        Ok(())
    }

    /// `process_light_client_update`.
    ///
    /// # Errors
    /// As [`Self::validate`]; the store is then as it was.
    pub fn process(
        &mut self,
        spec: &ChainSpec,
        update: &LightClientUpdate,
        current_slot: u64,
    ) -> Result<(), StoreError> {
        self.validate(spec, update, current_slot)?;
        if self
            .best_valid_update
            .as_ref()
            .is_none_or(|best| Self::is_better_update(spec, update, best))
        {
            self.best_valid_update = Some(update.clone());
        }
        let signed = update.sync_aggregate.participants();
        self.current_max_active_participants = self.current_max_active_participants.max(signed);
        let attested = &update.attested_header;
        if signed > self.safety_threshold()
            && attested.beacon.slot > self.optimistic_header.beacon.slot
        {
            self.optimistic_header = attested.clone();
        }
        let newer = update.finalized_header.beacon.slot > self.finalized_header.beacon.slot;
        let brings_committee = self.next_sync_committee.is_none()
            && update.has_next_sync_committee()
            && update.has_finality()
            && spec.period_at_slot(update.finalized_header.beacon.slot)
                == spec.period_at_slot(attested.beacon.slot);
        if has_supermajority(spec, signed) && (newer || brings_committee) {
            self.apply(spec, update);
            self.best_valid_update = None;
        }
        Ok(())
    }

    /// `process_light_client_store_force_update`: after a whole period without finality, goes on with the
    /// best update there is.
    pub fn process_force_update(&mut self, spec: &ChainSpec, current_slot: u64) {
        if current_slot <= self.finalized_header.beacon.slot + spec.slots_per_period() {
            return;
        }
        if let Some(mut best) = self.best_valid_update.take() {
            // The attested header is then taken for finalized.
            if best.finalized_header.beacon.slot <= self.finalized_header.beacon.slot {
                best.finalized_header = best.attested_header.clone();
            }
            self.apply(spec, &best);
        }
    }

    /// `is_better_update`: whether `new` is what a store rather keeps.
    #[must_use]
    pub fn is_better_update(
        spec: &ChainSpec,
        new: &LightClientUpdate,
        old: &LightClientUpdate,
    ) -> bool {
        let (new, old) = (Rank::of(spec, new), Rank::of(spec, old));
        if new.supermajority != old.supermajority {
            return new.supermajority;
        }
        if !new.supermajority && new.participants != old.participants {
            return new.participants > old.participants;
        }
        if new.relevant_committee != old.relevant_committee {
            return new.relevant_committee;
        }
        if new.finality != old.finality {
            return new.finality;
        }
        if new.finality && new.committee_finality != old.committee_finality {
            return new.committee_finality;
        }
        if new.participants != old.participants {
            return new.participants > old.participants;
        }
        (new.attested_slot, new.signature_slot) < (old.attested_slot, old.signature_slot)
    }

    /// `apply_light_client_update`.
    fn apply(&mut self, spec: &ChainSpec, update: &LightClientUpdate) {
        let store_period = self.period(spec);
        let finalized_period = spec.period_at_slot(update.finalized_header.beacon.slot);
        if self.next_sync_committee.is_none() {
            self.next_sync_committee = next_committee(update);
        } else if finalized_period == store_period + 1 {
            if let Some(next) = self.next_sync_committee.take() {
                self.current_sync_committee = next;
            }
            self.next_sync_committee = next_committee(update);
            self.previous_max_active_participants = self.current_max_active_participants;
            self.current_max_active_participants = 0;
        }
        if update.finalized_header.beacon.slot > self.finalized_header.beacon.slot {
            self.finalized_header = update.finalized_header.clone();
            if self.finalized_header.beacon.slot > self.optimistic_header.beacon.slot {
                self.optimistic_header = self.finalized_header.clone();
            }
        }
    }

    /// `get_safety_threshold`.
    fn safety_threshold(&self) -> u64 {
        self.previous_max_active_participants.max(self.current_max_active_participants) / 2
    }

    fn period(&self, spec: &ChainSpec) -> u64 {
        spec.period_at_slot(self.finalized_header.beacon.slot)
    }

    fn signing_committee(
        &self,
        spec: &ChainSpec,
        signature_slot: u64,
    ) -> Result<&SyncCommittee, StoreError> {
        let (seen, store) = (spec.period_at_slot(signature_slot), self.period(spec));
        match &self.next_sync_committee {
            _ if seen == store => Ok(&self.current_sync_committee),
            Some(next) if seen == store + 1 => Ok(next),
            _ => Err(StoreError::UnknownCommittee { seen, store }),
        }
    }

    fn verify_relevant(
        &self,
        spec: &ChainSpec,
        update: &LightClientUpdate,
    ) -> Result<(), StoreError> {
        let attested = update.attested_header.beacon.slot;
        let finalized = self.finalized_header.beacon.slot;
        let brings_committee = self.next_sync_committee.is_none()
            && update.has_next_sync_committee()
            && spec.period_at_slot(attested) == self.period(spec);
        if attested > finalized || brings_committee {
            Ok(())
        } else {
            Err(StoreError::Irrelevant { attested, finalized })
        }
    }

    fn verify_finality(
        &self,
        spec: &ChainSpec,
        update: &LightClientUpdate,
    ) -> Result<(), StoreError> {
        let finalized = &update.finalized_header;
        if !update.has_finality() {
            return if finalized.is_empty() {
                Ok(())
            } else {
                Err(StoreError::NotEmpty("finalized header"))
            };
        }
        let leaf = if finalized.beacon.slot == 0 {
            // Genesis is final without a block: the checkpoint's root is zero.
            if !finalized.is_empty() {
                return Err(StoreError::NotEmpty("genesis header"));
            }
            B256::ZERO
        } else {
            verify_header(spec, "finalized", finalized)?;
            finalized.beacon.hash_tree_root::<NativeCrypto>()
        };
        let attested = &update.attested_header.beacon;
        let index = fork_at_slot(spec, attested.slot)?.gindices().finalized_root;
        let (branch, root) = (&update.finality_branch, &attested.state_root);
        if is_valid_normalized_merkle_branch::<NativeCrypto>(&leaf, branch, index, root) {
            Ok(())
        } else {
            Err(CheckError::FinalityBranch.into())
        }
    }

    fn verify_next_committee(
        &self,
        spec: &ChainSpec,
        update: &LightClientUpdate,
    ) -> Result<(), StoreError> {
        let next = &update.next_sync_committee;
        if !update.has_next_sync_committee() {
            let empty =
                next.aggregate_pubkey.is_zero() && next.pubkeys.iter().all(|key| key.is_zero());
            return if empty { Ok(()) } else { Err(StoreError::NotEmpty("next sync committee")) };
        }
        let attested = &update.attested_header.beacon;
        let known = self.next_sync_committee.as_ref();
        let same_period = verify_period(spec, "attested", attested.slot, self.period(spec)).is_ok();
        if same_period && known.is_some_and(|known| known != next) {
            return Err(StoreError::OtherNextCommittee);
        }
        let leaf = next.hash_tree_root::<NativeCrypto>();
        let index = fork_at_slot(spec, attested.slot)?.gindices().next_sync_committee;
        let (branch, root) = (&update.next_sync_committee_branch, &attested.state_root);
        if is_valid_normalized_merkle_branch::<NativeCrypto>(&leaf, branch, index, root) {
            Ok(())
        } else {
            Err(CheckError::NextCommitteeBranch.into())
        }
    }
}

fn next_committee(update: &LightClientUpdate) -> Option<SyncCommittee> {
    update.has_next_sync_committee().then(|| update.next_sync_committee.clone())
}

fn has_supermajority(spec: &ChainSpec, signed: u64) -> bool {
    verify_supermajority(signed, spec.sync_committee_size).is_ok()
}

/// What [`LightClientStore::is_better_update`] compares.
struct Rank {
    supermajority: bool,
    participants: u64,
    relevant_committee: bool,
    finality: bool,
    committee_finality: bool,
    attested_slot: u64,
    signature_slot: u64,
}

impl Rank {
    fn of(spec: &ChainSpec, update: &LightClientUpdate) -> Self {
        let participants = update.sync_aggregate.participants();
        let attested_slot = update.attested_header.beacon.slot;
        let period = |slot| spec.period_at_slot(slot);
        Self {
            supermajority: has_supermajority(spec, participants),
            participants,
            relevant_committee: update.has_next_sync_committee()
                && period(attested_slot) == period(update.signature_slot),
            finality: update.has_finality(),
            committee_finality: period(update.finalized_header.beacon.slot)
                == period(attested_slot),
            attested_slot,
            signature_slot: update.signature_slot,
        }
    }
}
