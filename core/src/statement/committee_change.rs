//! The statement that the sync committee changed, over one period or several.

use alloc::vec::Vec;

use alloy_primitives::Bytes;

use super::{CommitteeChange, Execution};
use crate::{
    chain_spec::ChainSpec,
    crypto::Crypto,
    merkle::is_valid_merkle_branch,
    root::Root,
    sync_protocol::{CheckError, SignedFinality, Verified, fork_at_slot, verify_period},
};

/// What the committee-change program is given. `B` holds an execution block header's bytes: a guest reads them where
/// they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeChangeWitness<B = Bytes> {
    /// The chain's constants; committed as their hash.
    pub chain: ChainSpec,
    /// Period of the committee trusted at the start; committed.
    pub signer_period: u64,
    /// `hash_tree_root` of that committee; committed.
    pub signer_committee: Root,
    /// One update a period, the first signed by that committee, each other by the one before it.
    pub updates: Vec<PeriodUpdate>,
    /// What is said of the execution block under the last update's finalized block.
    pub execution: Execution<B>,
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

impl<B: AsRef<[u8]>> CommitteeChangeWitness<B> {
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
        let followed = self.verify_committees::<C>()?;
        let finalized = &followed.last.finalized;
        let execution = fork_at_slot(&self.chain, finalized.slot)
            .and_then(|fork| self.execution.verify::<C>(fork, &finalized.body_root))
            .map_err(|check| (self.updates.len() - 1, check))?;
        Ok(CommitteeChange {
            chain: self.chain.hash_tree_root::<C>(),
            signerPeriod: self.signer_period,
            signerCommittee: self.signer_committee.into(),
            newPeriod: followed.period,
            newCommittee: followed.committee.into(),
            minParticipation: followed.min_participation,
            finalizedSlot: finalized.slot,
            finalizedRoot: followed.finalized_root.into(),
            executionNumber: execution.number,
            executionHash: execution.hash,
            executionStateRoot: execution.state_root,
        })
    }

    /// Every check but those of the execution block.
    ///
    /// # Errors
    /// As [`Self::verify_numbered`].
    pub fn verify_committees<C: Crypto>(&self) -> Result<Followed<'_>, (usize, CheckError)> {
        self.chain.validate().map_err(|err| (0, err.into()))?;
        let last = &self.updates.last().ok_or((0, CheckError::NoUpdates))?.finality;
        let mut followed = Followed {
            period: self.signer_period,
            committee: self.signer_committee,
            min_participation: u64::MAX,
            finalized_root: Root::ZERO,
            last,
        };
        for (number, update) in self.updates.iter().enumerate() {
            let verified = update
                .verify::<C>(&self.chain, followed.period, &followed.committee)
                .map_err(|check| (number, check))?;
            followed.min_participation = followed.min_participation.min(verified.participation);
            followed.finalized_root = verified.finalized_root;
            // In range: the update's slots are in `period`, so it is far below u64::MAX.
            followed.period += 1;
            followed.committee = update.next_committee;
        }
        Ok(followed)
    }
}

/// Where a chain of updates leads.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'a> {
    /// Period of the committee that the last update brings.
    pub period: u64,
    /// `hash_tree_root` of that committee.
    pub committee: Root,
    /// Fewest signers over the updates.
    pub min_participation: u64,
    /// Root of the block that the last update holds final.
    pub finalized_root: Root,
    /// That update's finality.
    pub last: &'a SignedFinality,
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
