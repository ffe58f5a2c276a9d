//! Whether to believe what a verified proof says. Pure: a store and a statement in, a new store or a
//! refusal out. Every public value is compared with the store or with what was asked for.

use lc_core::{
    alloy_primitives::{Address, B256},
    host::NativeCrypto,
    statement::{Account, CommitteeChange, Inclusion},
};

use crate::{
    ask::{CommitteeChangeAsk, InclusionAsk},
    store::{Finalized, Store},
};

/// Why a statement was refused, although its proof holds. The store stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A word is another than the store or the request has.
    #[error("the proof says {value} = {seen}, {by} {wanted}: {remedy}", by = against.has(), remedy = against.remedy())]
    Word {
        /// The public value's name.
        value: &'static str,
        /// What the proof says.
        seen: B256,
        /// What it should.
        wanted: B256,
        /// Who says so.
        against: Against,
    },
    /// A number is another than the store or the request has.
    #[error("the proof says {value} = {seen}, {by} {wanted}: {remedy}", by = against.has(), remedy = against.remedy())]
    Number {
        /// The public value's name.
        value: &'static str,
        /// What the proof says.
        seen: u64,
        /// What it should.
        wanted: u64,
        /// Who says so.
        against: Against,
    },
    /// The change is to a period that does not come after the signers'.
    #[error(
        "the proof changes from period {signer} to {new}, which is not after it: it is no proof of this system"
    )]
    NotAfter {
        /// `signerPeriod`.
        signer: u64,
        /// `newPeriod`.
        new: u64,
    },
    /// Fewer signed than two thirds, or more than there are.
    #[error(
        "the proof says {value} = {signed} of {size} members, wanted two thirds at least and all at most: it is no proof of this system"
    )]
    Participation {
        /// The public value's name.
        value: &'static str,
        /// Members that signed.
        signed: u64,
        /// Members in all.
        size: u64,
    },
    /// A slot is not in the period that it must be in.
    #[error(
        "the proof's {value} {slot} is in period {seen}, wanted {wanted}: it is no proof of this system"
    )]
    Period {
        /// The public value's name.
        value: &'static str,
        /// The slot.
        slot: u64,
        /// Its period.
        seen: u64,
        /// The period wanted: exactly, or at most.
        wanted: u64,
    },
    /// The committee changes to one that could still be replaced.
    #[error(
        "the proof's finalizedSlot {slot} is in period {seen}, and newCommittee is final only with a block of period {wanted}: prove that period's update again once it holds one final"
    )]
    NotFinal {
        /// `finalizedSlot`.
        slot: u64,
        /// Its period.
        seen: u64,
        /// The period before `newPeriod`.
        wanted: u64,
    },
    /// The finalized block is after the one that vouches for it.
    #[error(
        "the proof's finalizedSlot {finalized} is after its attestedSlot {attested}: it is no proof of this system"
    )]
    SlotOrder {
        /// `finalizedSlot`.
        finalized: u64,
        /// `attestedSlot`.
        attested: u64,
    },
    /// Two different blocks are final in one slot.
    #[error(
        "the proof's finalized block of slot {slot} differs in {value} from the one the store has: one of two chains is false, ask several nodes which before going on"
    )]
    Conflict {
        /// The slot of both.
        slot: u64,
        /// The first public value that differs.
        value: &'static str,
    },
    /// The accounts or slots are not those asked for.
    #[error("the proof has {seen} {what}, {wanted} were asked for: ask another server")]
    Count {
        /// `accounts`, or the slots of an account.
        what: String,
        /// How many there are.
        seen: usize,
        /// How many were asked for.
        wanted: usize,
    },
    /// Another account stands where one was asked for.
    #[error(
        "account number {number} of the proof is {seen}, {wanted} was asked for: ask another server"
    )]
    Address {
        /// Position, from 0.
        number: usize,
        /// The address in the proof.
        seen: Address,
        /// The address asked for.
        wanted: Address,
    },
    /// An account that does not exist has a nonce, a balance, hashes or a slot that is not zero.
    #[error(
        "the proof says that account {0} does not exist, and yet what it holds: it is no proof of this system"
    )]
    AbsentAccount(Address),
}

/// What a public value was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// What the store trusts.
    Store,
    /// What was asked for.
    Request,
}

impl Against {
    const fn has(self) -> &'static str {
        match self {
            Self::Store => "the store has",
            Self::Request => "asked for was",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Store => {
                "it does not follow from this store, use the store of its chain and period"
            }
            Self::Request => "it is the proof of something else, ask another server",
        }
    }
}

/// Whether a committee change follows from what the store trusts.
///
/// # Errors
/// [`Refusal`] names the first public value that does not fit.
pub fn check_committee_change(store: &Store, seen: &CommitteeChange) -> Result<(), Refusal> {
    check_signers(store, seen.chain, seen.signerPeriod, seen.signerCommittee)?;
    if seen.newPeriod <= seen.signerPeriod {
        return Err(Refusal::NotAfter { signer: seen.signerPeriod, new: seen.newPeriod });
    }
    check_participation(store, "minParticipation", seen.minParticipation)?;
    // The new committee was fixed at the start of the period before its own: only with a block of that period
    // is it final (`apply_light_client_update` waits for that, too).
    let (slot, wanted) = (seen.finalizedSlot, seen.newPeriod - 1);
    let period = store.chain.period_at_slot(slot);
    if period > wanted {
        return Err(Refusal::Period { value: "finalizedSlot", slot, seen: period, wanted });
    }
    if period < wanted {
        return Err(Refusal::NotFinal { slot, seen: period, wanted });
    }
    check_no_conflict(store, &finalized_of_change(seen))
}

/// How a committee change stands to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It starts from the committee that the store trusts.
    Next,
    /// It led to the committee that the store trusts.
    Behind,
}

/// Whether a committee change starts from what the store trusts or led there.
///
/// # Errors
/// [`Refusal`] where it does neither: the first public value that keeps it from being next.
pub fn place(store: &Store, seen: &CommitteeChange) -> Result<Place, Refusal> {
    let led_here = seen.chain == store.chain_root()
        && seen.newPeriod == store.period
        && seen.newCommittee == store.committee_root();
    if led_here {
        return Ok(Place::Behind);
    }
    check_committee_change(store, seen).map(|()| Place::Next)
}

/// Whether an inclusion statement follows from what the store trusts.
///
/// # Errors
/// [`Refusal`] names the first public value that does not fit.
pub fn check_inclusion(store: &Store, seen: &Inclusion) -> Result<(), Refusal> {
    check_signers(store, seen.chain, seen.signerPeriod, seen.signerCommittee)?;
    check_participation(store, "participation", seen.participation)?;
    let (finalized, attested) = (seen.finalizedSlot, seen.attestedSlot);
    if finalized > attested {
        return Err(Refusal::SlotOrder { finalized, attested });
    }
    // Signed in the signers' period, so attested in it or before.
    let (period, wanted) = (store.chain.period_at_slot(attested), seen.signerPeriod);
    if period > wanted {
        let value = "attestedSlot";
        return Err(Refusal::Period { value, slot: attested, seen: period, wanted });
    }
    check_no_conflict(store, &finalized_of_inclusion(seen))?;
    seen.accounts.iter().try_for_each(check_absent)
}

/// The store after a committee change whose proof was verified: from `store`, as `asked`.
///
/// The finalized header never goes back: an update may be of an earlier slot than a bootstrap in the same
/// period, and then brings the committee only.
///
/// # Errors
/// [`Refusal`] names the first public value that is neither what the store trusts nor what was asked for.
pub fn advance(
    store: &Store,
    seen: &CommitteeChange,
    asked: &CommitteeChangeAsk,
) -> Result<Store, Refusal> {
    check_committee_change(store, seen)?;
    number("newPeriod", seen.newPeriod, store.period + asked.periods())?;
    let next_root = asked.next_committee.hash_tree_root::<NativeCrypto>();
    word("newCommittee", seen.newCommittee, next_root, Against::Request)?;
    number("minParticipation", seen.minParticipation, asked.min_participation)?;
    let finalized = finalized_of_change(seen);
    check_finalized(&finalized, &asked.finalized)?;
    Ok(Store {
        period: seen.newPeriod,
        committee: asked.next_committee.clone(),
        // Of the same slot it is the same block, of which the store may know less.
        finalized: if finalized.slot >= store.finalized.slot { finalized } else { store.finalized },
        ..store.clone()
    })
}

/// Whether an inclusion statement whose proof was verified says what was asked for: these accounts and slots, in the
/// state of that block, signed as in that update.
///
/// # Errors
/// [`Refusal`] names the first public value that is neither what the store trusts nor what was asked for.
pub fn check_asked_inclusion(
    store: &Store,
    seen: &Inclusion,
    asked: &InclusionAsk,
) -> Result<(), Refusal> {
    check_inclusion(store, seen)?;
    number("participation", seen.participation, asked.participation)?;
    number("attestedSlot", seen.attestedSlot, asked.attested_slot)?;
    check_finalized(&finalized_of_inclusion(seen), &asked.finalized)?;
    count(|| "accounts".to_owned(), seen.accounts.len(), asked.accounts().len())?;
    for (position, (account, (address, keys))) in
        seen.accounts.iter().zip(asked.accounts()).enumerate()
    {
        check_account(position, account, address, &keys)?;
    }
    Ok(())
}

fn check_account(
    position: usize,
    seen: &Account,
    address: Address,
    keys: &[B256],
) -> Result<(), Refusal> {
    if seen.account != address {
        return Err(Refusal::Address { number: position, seen: seen.account, wanted: address });
    }
    count(|| format!("slots of account {address}"), seen.slots.len(), keys.len())?;
    seen.slots
        .iter()
        .zip(keys)
        .try_for_each(|(slot, key)| word("key", slot.key, *key, Against::Request))
}

/// What does not exist holds nothing.
fn check_absent(account: &Account) -> Result<(), Refusal> {
    let holds = account.nonce != 0
        || !account.balance.is_zero()
        || !account.storageRoot.is_zero()
        || !account.codeHash.is_zero()
        || account.slots.iter().any(|slot| !slot.value.is_zero());
    if account.exists || !holds { Ok(()) } else { Err(Refusal::AbsentAccount(account.account)) }
}

fn check_signers(store: &Store, chain: B256, period: u64, committee: B256) -> Result<(), Refusal> {
    word("chain", chain, store.chain_root(), Against::Store)?;
    if period != store.period {
        let (value, against) = ("signerPeriod", Against::Store);
        return Err(Refusal::Number { value, seen: period, wanted: store.period, against });
    }
    word("signerCommittee", committee, store.committee_root(), Against::Store)
}

fn check_participation(store: &Store, value: &'static str, signed: u64) -> Result<(), Refusal> {
    let size = store.chain.sync_committee_size;
    // No overflow: it is compared with the size, at most 65,536, first.
    if signed <= size && signed * 3 >= size * 2 {
        Ok(())
    } else {
        Err(Refusal::Participation { value, signed, size })
    }
}

fn check_finalized(seen: &Finalized, asked: &Finalized) -> Result<(), Refusal> {
    number("finalizedSlot", seen.slot, asked.slot)?;
    word("finalizedRoot", seen.root, asked.root, Against::Request)?;
    number("executionNumber", seen.execution_number, asked.execution_number)?;
    word("executionHash", seen.execution_hash, asked.execution_hash, Against::Request)?;
    let (seen, wanted) = (seen.execution_state_root, asked.execution_state_root);
    word("executionStateRoot", seen, wanted, Against::Request)
}

/// A slot has one final block.
fn check_no_conflict(store: &Store, seen: &Finalized) -> Result<(), Refusal> {
    let known = &store.finalized;
    if seen.slot != known.slot {
        return Ok(());
    }
    // What the store does not know does not differ.
    let known = if known.knows_state() {
        *known
    } else {
        Finalized { root: known.root, execution_hash: known.execution_hash, ..*seen }
    };
    match check_finalized(seen, &known) {
        Err(Refusal::Word { value, .. } | Refusal::Number { value, .. }) => {
            Err(Refusal::Conflict { slot: seen.slot, value })
        }
        other => other,
    }
}

const fn finalized_of_change(seen: &CommitteeChange) -> Finalized {
    Finalized {
        slot: seen.finalizedSlot,
        root: seen.finalizedRoot,
        execution_number: seen.executionNumber,
        execution_hash: seen.executionHash,
        execution_state_root: seen.executionStateRoot,
    }
}

const fn finalized_of_inclusion(seen: &Inclusion) -> Finalized {
    Finalized {
        slot: seen.finalizedSlot,
        root: seen.finalizedRoot,
        execution_number: seen.executionNumber,
        execution_hash: seen.executionHash,
        execution_state_root: seen.executionStateRoot,
    }
}

fn word(value: &'static str, seen: B256, wanted: B256, against: Against) -> Result<(), Refusal> {
    if seen == wanted { Ok(()) } else { Err(Refusal::Word { value, seen, wanted, against }) }
}

/// Compares with what was asked for.
fn number(value: &'static str, seen: u64, wanted: u64) -> Result<(), Refusal> {
    let against = Against::Request;
    if seen == wanted { Ok(()) } else { Err(Refusal::Number { value, seen, wanted, against }) }
}

fn count(what: impl Fn() -> String, seen: usize, wanted: usize) -> Result<(), Refusal> {
    if seen == wanted { Ok(()) } else { Err(Refusal::Count { what: what(), seen, wanted }) }
}

#[cfg(test)]
mod tests;
