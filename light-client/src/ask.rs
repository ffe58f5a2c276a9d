//! What to ask a proof of, out of the files that nodes hand out, and what the answer must therefore say.

use lc_core::{
    ChainSpec,
    alloy_primitives::{Address, B256, Bytes},
    execution_header::{ExecutionBlock, ExecutionHeaderError},
    host::{CommitteeChangeInput, InclusionInput, MAX_UPDATES, NativeCrypto, ProgramInput},
    objects::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
    statement::AccountProof,
};

use crate::store::{Finalized, Store};

/// Why nothing can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// All updates are of periods that the store has behind it.
    #[error(
        "the updates end with period {last}, the store is already at {store}: nothing to prove, fetch newer updates"
    )]
    NothingNew {
        /// Period of the last update.
        last: u64,
        /// The store's period.
        store: u64,
    },
    /// A period is missing.
    #[error(
        "the updates have period {seen} where {wanted} was due: give one update for each period from the store's on, in order"
    )]
    Gap {
        /// Period of the update.
        seen: u64,
        /// The period that comes next.
        wanted: u64,
    },
    /// More than one request may have.
    #[error("{0} updates, {MAX_UPDATES} at most in one request: take fewer with --count")]
    TooMany(usize),
    /// No update, or none may be taken.
    #[error("no update to prove: give at least one")]
    NoUpdates,
    /// The committee that the last update brings could still be replaced, so the store would not take it.
    #[error(
        "the last update holds slot {slot} of period {seen} final, but its new committee is final only with a block of period {wanted}: fetch that period's update again later, or leave it out with --count"
    )]
    NotFinal {
        /// Slot of the last update's finalized header.
        slot: u64,
        /// Its period.
        seen: u64,
        /// Period in which the last update was signed.
        wanted: u64,
    },
    /// No account.
    #[error("no account to prove: give at least one --account-proof")]
    NoAccounts,
    /// The finality update was signed by a committee that the store does not have.
    #[error(
        "the finality update was signed in period {seen}, the store trusts the committee of {store}: {remedy}"
    )]
    OtherPeriod {
        /// Period of the signature.
        seen: u64,
        /// The store's period.
        store: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// Number and state root of the final block's execution are in no file given.
    #[error(
        "the final block of slot {slot} names its execution block {hash} by hash alone, as from Gloas on: give that block's header with --execution-header"
    )]
    NoExecutionHeader {
        /// Slot of the finalized header.
        slot: u64,
        /// The execution block's hash.
        hash: B256,
    },
    /// The execution block's header is another block's.
    #[error("--execution-header")]
    ExecutionHeader(#[from] ExecutionHeaderError),
}

/// A committee change to ask for, from the store's committee on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeChangeAsk {
    /// The store's committee and the updates, as sent.
    input: CommitteeChangeInput,
    /// Updates of periods before the store's, left out.
    pub skipped: usize,
    /// The committee that the last update brings.
    pub next_committee: SyncCommittee,
    /// The fewest members that signed one of the updates.
    pub min_participation: u64,
    /// What the last update holds final.
    pub finalized: Finalized,
}

impl CommitteeChangeAsk {
    /// Takes the updates from the store's period on, at most `count` of them. Only their order is checked: the rest
    /// is for the prover, and the proof for [`advance`](crate::decide::advance).
    ///
    /// # Errors
    /// [`AskError`].
    pub fn new(
        store: &Store,
        updates: &[LightClientUpdate],
        count: Option<usize>,
    ) -> Result<Self, AskError> {
        let chain = &store.chain;
        let period = |update: &LightClientUpdate| signed_period(chain, update);
        let last = period(updates.last().ok_or(AskError::NoUpdates)?);
        let skipped = updates.iter().take_while(|update| period(update) < store.period).count();
        let mut updates = &updates[skipped..];
        if updates.is_empty() {
            return Err(AskError::NothingNew { last, store: store.period });
        }
        updates = &updates[..updates.len().min(count.unwrap_or(usize::MAX))];
        if updates.len() > MAX_UPDATES {
            return Err(AskError::TooMany(updates.len()));
        }
        for (update, wanted) in updates.iter().zip(store.period..) {
            let seen = period(update);
            if seen != wanted {
                return Err(AskError::Gap { seen, wanted });
            }
        }
        let last = updates.last().ok_or(AskError::NoUpdates)?;
        let slot = last.finalized_header.beacon.slot;
        let (seen, wanted) = (chain.period_at_slot(slot), period(last));
        if seen != wanted {
            return Err(AskError::NotFinal { slot, seen, wanted });
        }
        let participants = updates.iter().map(|update| update.sync_aggregate.participants());
        Ok(Self {
            skipped,
            next_committee: last.next_sync_committee.clone(),
            min_participation: participants.min().unwrap_or(0),
            finalized: Finalized::of(&last.finalized_header),
            input: CommitteeChangeInput {
                chain: chain.clone(),
                signer_period: store.period,
                committee: store.committee.to_ssz().into(),
                updates: updates.iter().map(|update| update.to_ssz(chain).into()).collect(),
                execution_header: None,
            },
        })
    }

    /// With the RLP of the header of the execution block under the last update's finalized block, sent where that
    /// update does not say all itself.
    ///
    /// # Errors
    /// [`AskError::NoExecutionHeader`], [`AskError::ExecutionHeader`].
    pub fn with_execution_header(mut self, rlp: Option<Bytes>) -> Result<Self, AskError> {
        self.input.execution_header = learn(&mut self.finalized, rlp)?;
        Ok(self)
    }

    /// Periods that the proof is to cover, at least 1.
    #[must_use]
    pub fn periods(&self) -> u64 {
        self.input.updates.len() as u64
    }

    /// What to send.
    #[must_use]
    pub fn input(&self) -> ProgramInput {
        ProgramInput::CommitteeChange(self.input.clone())
    }
}

/// Accounts and slots to ask for, in the state that a finality update holds final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionAsk {
    /// The store's committee, the finality update and the account proofs, as sent.
    input: InclusionInput,
    /// Members that signed.
    pub participation: u64,
    /// Slot of the header that they signed.
    pub attested_slot: u64,
    /// What it holds final.
    pub finalized: Finalized,
}

impl InclusionAsk {
    /// Asks for the accounts and slots of `accounts`. Only the period is checked: the rest is for the prover, and the
    /// proof for [`check_asked_inclusion`](crate::decide::check_asked_inclusion).
    ///
    /// # Errors
    /// [`AskError`].
    pub fn new(
        store: &Store,
        update: &LightClientFinalityUpdate,
        accounts: Vec<AccountProof>,
    ) -> Result<Self, AskError> {
        if accounts.is_empty() {
            return Err(AskError::NoAccounts);
        }
        let seen = store.chain.period_at_slot(update.signature_slot);
        if seen != store.period {
            let remedy = if seen > store.period {
                "prove the committee changes up to that period first"
            } else {
                "fetch a newer finality update"
            };
            return Err(AskError::OtherPeriod { seen, store: store.period, remedy });
        }
        Ok(Self {
            participation: update.sync_aggregate.participants(),
            attested_slot: update.attested_header.beacon.slot,
            finalized: Finalized::of(&update.finalized_header),
            input: InclusionInput {
                chain: store.chain.clone(),
                signer_period: store.period,
                committee: store.committee.to_ssz().into(),
                finality_update: update.to_ssz(&store.chain).into(),
                accounts,
                execution_header: None,
            },
        })
    }

    /// With the RLP of the header of the execution block under the finalized block, sent where the finality update does
    /// not say all itself.
    ///
    /// # Errors
    /// [`AskError::NoExecutionHeader`], [`AskError::ExecutionHeader`].
    pub fn with_execution_header(mut self, rlp: Option<Bytes>) -> Result<Self, AskError> {
        self.input.execution_header = learn(&mut self.finalized, rlp)?;
        Ok(self)
    }

    /// Each account asked for, with its slots' keys.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (Address, Vec<B256>)> {
        self.input
            .accounts
            .iter()
            .map(|account| (account.address, account.storage.iter().map(|slot| slot.key).collect()))
    }

    /// What to send.
    #[must_use]
    pub fn input(&self) -> ProgramInput {
        ProgramInput::Inclusion(self.input.clone())
    }
}

/// Adds to `finalized` what the execution block's header says. Gives the header if it was needed.
fn learn(finalized: &mut Finalized, rlp: Option<Bytes>) -> Result<Option<Bytes>, AskError> {
    let (known, hash) = (finalized.knows_state(), finalized.execution_hash);
    let Some(rlp) = rlp else {
        let slot = finalized.slot;
        return if known { Ok(None) } else { Err(AskError::NoExecutionHeader { slot, hash }) };
    };
    let block = ExecutionBlock::with_hash::<NativeCrypto>(&rlp, hash)?;
    finalized.execution_number = block.number;
    finalized.execution_state_root = block.state_root;
    Ok((!known).then_some(rlp))
}

/// The period in which an update was signed, and whose committee it replaces.
fn signed_period(chain: &ChainSpec, update: &LightClientUpdate) -> u64 {
    chain.period_at_slot(update.attested_header.beacon.slot)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use lc_core::{
        ExecutionPayloadHeader, Fork, ForkEntry, host::block_header::read_block_header,
        objects::LightClientHeader,
    };

    use super::*;
    use crate::testing::{PERIOD, header, store, update};

    #[test]
    fn a_committee_that_is_not_final_yet_is_not_paid_for() {
        let mut early = update(PERIOD + 1);
        early.finalized_header = header(PERIOD * 64 + 60);
        let updates = [update(PERIOD), early];
        assert_eq!(
            CommitteeChangeAsk::new(&store(), &updates, None),
            Err(AskError::NotFinal { slot: PERIOD * 64 + 60, seen: PERIOD, wanted: PERIOD + 1 })
        );
        // Before the last it does no harm, and the one before the last can be taken alone.
        let later = [updates[0].clone(), updates[1].clone(), update(PERIOD + 2)];
        assert_eq!(CommitteeChangeAsk::new(&store(), &later, None).unwrap().periods(), 3);
        assert_eq!(CommitteeChangeAsk::new(&store(), &later, Some(1)).unwrap().periods(), 1);
    }

    /// A block of Sepolia, as a node hands it out.
    const BLOCK: &str = include_str!("../../core/src/host/block_header/sepolia-8324337.json");

    fn rlp() -> Bytes {
        read_block_header(BLOCK.as_bytes()).unwrap()
    }

    /// The store on a chain of Gloas, and an update whose headers name that block by its hash.
    fn gloas() -> (Store, LightClientUpdate) {
        let (mut store, mut update) = (store(), update(PERIOD));
        store.chain.forks = vec![ForkEntry { fork: Fork::Gloas, version: [7; 4], epoch: 0 }];
        let block_hash = ExecutionBlock::from_rlp::<NativeCrypto>(&rlp()).unwrap().hash;
        for header in [&mut update.attested_header, &mut update.finalized_header] {
            header.execution = ExecutionPayloadHeader { block_hash, ..Default::default() };
            let depth = LightClientHeader::BLOCK_HASH_BRANCH_DEPTH;
            header.execution_branch = vec![B256::repeat_byte(9); depth];
        }
        let at = Fork::Gloas.gindices();
        update.next_sync_committee_branch.resize(at.next_sync_committee.depth(), B256::ZERO);
        update.finality_branch.resize(at.finalized_root.depth(), B256::ZERO);
        (store, update)
    }

    #[test]
    fn a_block_that_is_named_by_its_hash_needs_its_header_and_is_known_by_it() {
        let (store, update) = gloas();
        let change = || CommitteeChangeAsk::new(&store, slice::from_ref(&update), None).unwrap();
        let accounts = crate::testing::account_proofs;
        let inclusion = || InclusionAsk::new(&store, &update.clone().into(), accounts()).unwrap();
        let (slot, hash) = (PERIOD * 64 + 24, update.finalized_header.execution.block_hash);
        let missing = AskError::NoExecutionHeader { slot, hash };
        assert!(missing.to_string().ends_with("give that block's header with --execution-header"));
        assert_eq!(change().with_execution_header(None), Err(missing.clone()));
        assert_eq!(inclusion().with_execution_header(None), Err(missing));

        let asked = change().with_execution_header(Some(rlp())).unwrap();
        assert_eq!(asked.input.execution_header, Some(rlp()));
        assert_eq!(asked.finalized.execution_number, 8_324_337);
        assert!(asked.finalized.knows_state());
        let asked = inclusion().with_execution_header(Some(rlp())).unwrap();
        assert_eq!(asked.input.execution_header, Some(rlp()));
        assert_eq!(asked.finalized.execution_number, 8_324_337);
    }

    #[test]
    fn another_blocks_header_is_refused_and_one_too_many_is_not_sent() {
        let (store, mut wrong) = gloas();
        wrong.finalized_header.execution.block_hash.0[0] ^= 1;
        let asked = CommitteeChangeAsk::new(&store, &[wrong], None).unwrap();
        let error = asked.with_execution_header(Some(rlp())).unwrap_err();
        assert!(matches!(error, AskError::ExecutionHeader(ExecutionHeaderError::Hash { .. })));

        let mut older = update(PERIOD);
        let block = ExecutionBlock::from_rlp::<NativeCrypto>(&rlp()).unwrap();
        older.finalized_header.execution.block_hash = block.hash;
        let asked = CommitteeChangeAsk::new(&self::store(), &[older], None).unwrap();
        let asked = asked.with_execution_header(Some(rlp())).unwrap();
        assert_eq!(asked.input.execution_header, None);
    }
}
