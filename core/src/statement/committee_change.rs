//! The statement that the sync committee changed, over one period or several.

use alloc::vec::Vec;

use super::CommitteeChange;
use crate::{
    chain_spec::ChainSpec,
    crypto::Crypto,
    merkle::is_valid_merkle_branch,
    root::Root,
    sync_protocol::{CheckError, SignedFinality, Verified, fork_at_slot, verify_period},
};

/// What the committee-change program is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeChangeWitness {
    /// The chain's constants; committed as their hash.
    pub chain: ChainSpec,
    /// Period of the committee trusted at the start; committed.
    pub signer_period: u64,
    /// `hash_tree_root` of that committee; committed.
    pub signer_committee: Root,
    /// One update a period, the first signed by that committee, each other by the one before it.
    pub updates: Vec<PeriodUpdate>,
}

/// One period's `LightClientUpdate`, its next committee as root and branch instead of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodUpdate {
    /// What was signed and finalized.
    pub finality: SignedFinality,
    /// `hash_tree_root` of the committee of the next period.
    pub next_committee: Root,
    /// From that root to the attested state root.
    pub next_committee_branch: Vec<Root>,
}

impl CommitteeChangeWitness {
    /// Checks the whole chain of updates and gives what may be said of it.
    ///
    /// # Errors
    /// Names the first check that fails.
    pub fn verify<C: Crypto>(&self) -> Result<CommitteeChange, CheckError> {
        self.verify_numbered::<C>().map_err(|(_, check)| check)
    }

    /// As [`Self::verify`], for whoever must say which update it was.
    ///
    /// # Errors
    /// The number of the update from 0, and the first check that failed on it.
    pub fn verify_numbered<C: Crypto>(&self) -> Result<CommitteeChange, (usize, CheckError)> {
        self.chain.validate().map_err(|err| (0, err.into()))?;
        let last = &self.updates.last().ok_or((0, CheckError::NoUpdates))?.finality;
        let (mut period, mut committee) = (self.signer_period, self.signer_committee);
        let (mut min_participation, mut finalized_root) = (u64::MAX, Root::ZERO);
        for (number, update) in self.updates.iter().enumerate() {
            let verified = update
                .verify::<C>(&self.chain, period, &committee)
                .map_err(|check| (number, check))?;
            min_participation = min_participation.min(verified.participation);
            finalized_root = verified.finalized_root;
            // In range: the update's slots are in `period`, so it is far below u64::MAX.
            (period, committee) = (period + 1, update.next_committee);
        }
        Ok(CommitteeChange {
            chain: self.chain.hash_tree_root::<C>(),
            signerPeriod: self.signer_period,
            signerCommittee: self.signer_committee.into(),
            newPeriod: period,
            newCommittee: committee.into(),
            minParticipation: min_participation,
            finalizedSlot: last.finalized.slot,
            finalizedRoot: finalized_root.into(),
            executionNumber: last.execution.block_number,
            executionHash: last.execution.block_hash.into(),
            executionStateRoot: last.execution.state_root.into(),
        })
    }
}

impl PeriodUpdate {
    /// Checks one update against the committee that signs in `period`.
    fn verify<C: Crypto>(
        &self,
        spec: &ChainSpec,
        period: u64,
        committee: &Root,
    ) -> Result<Verified, CheckError> {
        let attested = &self.finality.attested;
        // The state of a block in `period` holds the committee of the period after it. Whether that
        // committee is also final shows in the statement: it is if `finalizedSlot` is in the last period
        // before `newPeriod` (`apply_light_client_update` waits for that), and a client may insist. For the
        // updates before the last it needs no check: a committee that the chain did not keep never
        // signs, so it cannot vouch for the next.
        verify_period(spec, "attested", attested.slot, period)?;
        let verified = self.finality.verify::<C>(spec, period, committee)?;
        let index = fork_at_slot(spec, attested.slot)?.gindices().next_sync_committee;
        let branch = &self.next_committee_branch;
        if !is_valid_merkle_branch::<C>(&self.next_committee, branch, index, &attested.state_root) {
            return Err(CheckError::NextCommitteeBranch);
        }
        Ok(verified)
    }
}
