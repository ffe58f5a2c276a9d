//! The checks of the light-client sync protocol, over the few values that each of them reads.
//!
//! Source: consensus-specs v1.5.0 `altair/light-client/sync-protocol.md` and its Capella, Deneb and
//! Electra changes. Statements call these with a compact witness (in the zkVM and on the host), the
//! host's `LightClientStore` with whole objects: there is no second copy of any rule.

use alloc::vec::Vec;
use core::slice;

use crate::{
    chain_spec::{ChainSpec, ChainSpecError},
    containers::{Header, compute_signing_root, compute_sync_committee_domain},
    crypto::{Crypto, SignatureCheck, SignatureError},
    execution_header::ExecutionHeaderError,
    fork::Fork,
    merkle::{is_valid_merkle_branch, pubkey_root},
    rlp::RlpError,
    root::{PubkeyWords, Root, SignatureWords},
    trie::TrieError,
};

/// The check that failed. Each statement and the sync protocol name their checks by these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The chain's constants make no chain.
    #[error("the chain's constants make no chain")]
    ChainSpec(#[from] ChainSpecError),
    /// A slot from before sync committees.
    #[error("slot {slot} is before the chain's first fork with sync committees: check the network")]
    BeforeAltair {
        /// The slot seen.
        slot: u64,
    },
    /// `signature_slot > attested slot >= finalized slot` does not hold.
    #[error(
        "slots are signature {signature}, attested {attested}, finalized {finalized}: each must not be before the next, and the signature after the attested block"
    )]
    SlotOrder {
        /// `signature_slot`.
        signature: u64,
        /// `attested_header.beacon.slot`.
        attested: u64,
        /// `finalized_header.beacon.slot`.
        finalized: u64,
    },
    /// A slot's sync committee period is not the one that the statement is about.
    #[error(
        "the {what} slot is in sync committee period {seen}, wanted {wanted}: send the update of that period"
    )]
    Period {
        /// Which slot: `signature`, `attested` or `finalized`.
        what: &'static str,
        /// Its period.
        seen: u64,
        /// The period wanted.
        wanted: u64,
    },
    /// The update finalizes nothing yet (its finalized header is the empty one or genesis).
    #[error("the update has no finalized header after genesis: wait for finality and ask again")]
    NoFinality,
    /// The participation bits do not have one bit a member.
    #[error(
        "participation bits for {seen} members, the committee has {wanted}: check the network's preset"
    )]
    BitsLength {
        /// Members that there are bits for: whole words, or up to the last bit set.
        seen: usize,
        /// The committee's size.
        wanted: usize,
    },
    /// Fewer than two thirds signed.
    #[error(
        "{signed} of {size} members signed, at least two thirds must: wait for a better update"
    )]
    Participation {
        /// Members that signed.
        signed: u64,
        /// Members in all.
        size: u64,
    },
    /// The absent keys are not as many as the clear bits.
    #[error("{seen} absent keys for {wanted} clear bits")]
    AbsentKeys {
        /// Keys seen.
        seen: usize,
        /// Clear bits.
        wanted: usize,
    },
    /// The committee's multiproof has too few or too many nodes.
    #[error("the committee's multiproof has {0} nodes")]
    CommitteeProofLength(&'static str),
    /// The signing committee is not the trusted one.
    #[error(
        "the signing committee's root is {seen}, the trusted one is {wanted}: it is the committee of another period or chain"
    )]
    Committee {
        /// The root that the keys have.
        seen: Root,
        /// The trusted root.
        wanted: Root,
    },
    /// The next committee is not in the attested state.
    #[error("the next sync committee's branch does not lead to the attested state root")]
    NextCommitteeBranch,
    /// The finalized header is not in the attested state.
    #[error("the finality branch does not lead to the attested state root")]
    FinalityBranch,
    /// The execution payload header is not in its block.
    #[error("the {0} header's execution branch does not lead to its body root")]
    ExecutionBranch(&'static str),
    /// The header's execution part has fields that its fork does not have, or overlong extra data.
    #[error("the {0} header's execution payload has fields that its fork does not have")]
    ExecutionFields(&'static str),
    /// An inclusion proof before Capella, whose light-client headers have no execution part.
    #[error("the finalized slot {slot} is before Capella: its header has no execution state root")]
    NoExecution {
        /// The finalized slot.
        slot: u64,
    },
    /// A header that has to have the execution payload header names the block by its hash alone, as from Gloas on.
    #[error(
        "the header of slot {slot} names its execution block by hash alone: give that block's header in RLP (--execution-header)"
    )]
    NoExecutionHeader {
        /// The header's slot.
        slot: u64,
    },
    /// The execution block's header is malformed or another block's.
    #[error("the execution block's header is refused")]
    ExecutionHeader(#[from] ExecutionHeaderError),
    /// The signature does not hold.
    #[error("the sync committee's signature is refused")]
    Signature(#[from] SignatureError),
    /// A committee change of no period.
    #[error("no update given: a committee change covers one period or more")]
    NoUpdates,
    /// An inclusion statement about nothing.
    #[error("no account given: an inclusion proof covers one account or more")]
    NoAccounts,
    /// The account's proof is wrong.
    #[error("the proof of account number {account} is refused")]
    Account {
        /// Position in the request, from 0.
        account: usize,
        /// What is wrong with it.
        source: TrieError,
    },
    /// The state trie's leaf holds no account.
    #[error("the leaf of account number {account} is malformed")]
    AccountValue {
        /// Position in the request, from 0.
        account: usize,
        /// What is wrong with it.
        source: RlpError,
    },
    /// A storage slot's proof is wrong.
    #[error("the proof of slot number {slot} of account number {account} is refused")]
    Slot {
        /// Position of the account in the request, from 0.
        account: usize,
        /// Position of the slot in the account's list, from 0.
        slot: usize,
        /// What is wrong with it.
        source: TrieError,
    },
    /// The storage trie's leaf holds no slot value.
    #[error("the leaf of slot number {slot} of account number {account} is malformed")]
    SlotValue {
        /// Position of the account in the request, from 0.
        account: usize,
        /// Position of the slot in the account's list, from 0.
        slot: usize,
        /// What is wrong with it.
        source: RlpError,
    },
    /// Storage nodes for an account that does not exist.
    #[error(
        "account number {account} does not exist, yet slot number {slot} has proof nodes: send none"
    )]
    StorageOfAbsent {
        /// Position of the account in the request, from 0.
        account: usize,
        /// Position of the slot in the account's list, from 0.
        slot: usize,
    },
}

impl CheckError {
    /// Whether the fault is in the account proofs and not in the update.
    #[must_use]
    pub const fn is_about_accounts(&self) -> bool {
        use CheckError as E;
        matches!(
            self,
            E::NoAccounts
                | E::Account { .. }
                | E::AccountValue { .. }
                | E::Slot { .. }
                | E::SlotValue { .. }
                | E::StorageOfAbsent { .. }
        )
    }
}

/// Who signed: the committee behind a trusted root, less its absentees, in as few words as that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The committee's `aggregate_pubkey`.
    pub aggregate_pubkey: PubkeyWords,
    /// `sync_committee_bits`, member 0 in the lowest bit of the first word.
    pub bits: Vec<u64>,
    /// Keys of the members with a clear bit, in order.
    pub absent: Vec<PubkeyWords>,
    /// Multiproof of the absent keys against the root of `pubkeys`: the roots of the largest subtrees
    /// without an absentee, left to right.
    pub proof: Vec<Root>,
}

impl Signers {
    /// Members that signed.
    #[must_use]
    pub fn participation(&self) -> u64 {
        self.bits.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Binds keys and bits to the trusted `committee_root`; gives the participation.
    ///
    /// # Errors
    /// If bits, keys and proof do not fit one another or the root is another.
    pub fn verify<C: Crypto>(
        &self,
        spec: &ChainSpec,
        committee_root: &Root,
    ) -> Result<u64, CheckError> {
        let size = spec.committee_len();
        let seen = self.members();
        if self.bits.len() != size.div_ceil(WORD_BITS) || seen > size {
            return Err(CheckError::BitsLength { seen, wanted: size });
        }
        let signed = self.participation();
        let wanted = size - signed as usize;
        if self.absent.len() != wanted {
            return Err(CheckError::AbsentKeys { seen: self.absent.len(), wanted });
        }
        let mut walk = MultiproofWalk {
            bits: &self.bits,
            absent: self.absent.iter(),
            proof: self.proof.iter(),
            next_absent: first_clear(&self.bits, 0),
        };
        let pubkeys_root = walk.subtree::<C>(0, size)?;
        if !walk.proof.as_slice().is_empty() {
            return Err(CheckError::CommitteeProofLength("too many"));
        }
        let seen = C::hash_pair(&pubkeys_root, &pubkey_root::<C>(&self.aggregate_pubkey));
        if seen != *committee_root {
            return Err(CheckError::Committee { seen, wanted: *committee_root });
        }
        Ok(signed)
    }

    /// Members that the bits are of: all that fill words; of a committee smaller than a word, up to the last that
    /// signed.
    fn members(&self) -> usize {
        match self.bits[..] {
            [word] => WORD_BITS - word.leading_zeros() as usize,
            _ => self.bits.len() * WORD_BITS,
        }
    }
}

/// Members whose bits a word holds. Sizes are powers of two: committees fill words, or part of one.
const WORD_BITS: usize = u64::BITS as usize;

/// The first member from `from` on whose bit is clear; one beyond all if there is none.
fn first_clear(bits: &[u64], from: usize) -> usize {
    let mut member = from;
    while let Some(word) = bits.get(member / WORD_BITS) {
        let clear = !word >> (member % WORD_BITS);
        if clear != 0 {
            return member + clear.trailing_zeros() as usize;
        }
        member = (member / WORD_BITS + 1) * WORD_BITS;
    }
    member
}

/// Rebuilds the root of `pubkeys`, taking absent keys and proof nodes in order.
struct MultiproofWalk<'a> {
    bits: &'a [u64],
    absent: slice::Iter<'a, PubkeyWords>,
    proof: slice::Iter<'a, Root>,
    /// The first absent member that no subtree so far has held.
    next_absent: usize,
}

impl MultiproofWalk<'_> {
    /// The root of the `count` leaves from `first` on. Depth is log2 of the committee's size.
    fn subtree<C: Crypto>(&mut self, first: usize, count: usize) -> Result<Root, CheckError> {
        if self.next_absent >= first + count {
            return self.proof.next().copied().ok_or(CheckError::CommitteeProofLength("too few"));
        }
        if count == 1 {
            self.next_absent = first_clear(self.bits, first + 1);
            // There are as many keys as clear bits, which the caller has compared.
            let key = self.absent.next().ok_or(CheckError::AbsentKeys { seen: 0, wanted: 1 })?;
            return Ok(pubkey_root::<C>(key));
        }
        let half = count / 2;
        let left = self.subtree::<C>(first, half)?;
        let right = self.subtree::<C>(first + half, half)?;
        Ok(C::hash_pair(&left, &right))
    }
}

/// A finalized header as a sync committee attests to it: what both statements start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFinality {
    /// The header that the committee signed.
    pub attested: Header,
    /// Slot of the block that carried the signature.
    pub signature_slot: u64,
    /// The aggregate signature.
    pub signature: SignatureWords,
    /// Who made it.
    pub signers: Signers,
    /// The header that the attested state holds finalized.
    pub finalized: Header,
    /// From the finalized root to the attested state root; depth as the attested slot's fork says.
    pub finality_branch: Vec<Root>,
}

/// What [`SignedFinality::verify`] found.
#[derive(Debug, Clone, Copy)]
pub struct Verified {
    /// Members that signed.
    pub participation: u64,
    /// The finalized block's root.
    pub finalized_root: Root,
}

impl SignedFinality {
    /// Checks everything up to the finalized beacon header against the committee with root
    /// `committee_root`, which signs in `period`.
    ///
    /// The caller has validated `spec`.
    ///
    /// # Errors
    /// Names the first check that fails, in the order of `validate_light_client_update`.
    pub fn verify<C: Crypto>(
        &self,
        spec: &ChainSpec,
        period: u64,
        committee_root: &Root,
    ) -> Result<Verified, CheckError> {
        verify_slots(self.signature_slot, self.attested.slot, self.finalized.slot)?;
        verify_period(spec, "signature", self.signature_slot, period)?;
        if self.finalized.slot == 0 {
            return Err(CheckError::NoFinality);
        }
        let fork = fork_at_slot(spec, self.attested.slot)?;
        let finalized_root = self.finalized.hash_tree_root::<C>();
        let index = fork.gindices().finalized_root;
        let state_root = &self.attested.state_root;
        if !is_valid_merkle_branch::<C>(&finalized_root, &self.finality_branch, index, state_root) {
            return Err(CheckError::FinalityBranch);
        }
        let participation = self.signers.verify::<C>(spec, committee_root)?;
        verify_supermajority(participation, spec.sync_committee_size)?;
        verify_signature::<C>(
            spec,
            &self.attested,
            self.signature_slot,
            &self.signers,
            &self.signature,
        )?;
        Ok(Verified { participation, finalized_root })
    }
}

/// The fork in force at `slot`.
///
/// # Errors
/// [`CheckError::BeforeAltair`].
pub fn fork_at_slot(spec: &ChainSpec, slot: u64) -> Result<Fork, CheckError> {
    spec.fork_at_slot(slot).ok_or(CheckError::BeforeAltair { slot })
}

/// `signature_slot > attested slot >= finalized slot`.
///
/// # Errors
/// [`CheckError::SlotOrder`].
pub fn verify_slots(signature: u64, attested: u64, finalized: u64) -> Result<(), CheckError> {
    if signature > attested && attested >= finalized {
        Ok(())
    } else {
        Err(CheckError::SlotOrder { signature, attested, finalized })
    }
}

/// The slot called `what` is in sync committee period `wanted`.
///
/// # Errors
/// [`CheckError::Period`].
pub fn verify_period(
    spec: &ChainSpec,
    what: &'static str,
    slot: u64,
    wanted: u64,
) -> Result<(), CheckError> {
    let seen = spec.period_at_slot(slot);
    if seen == wanted { Ok(()) } else { Err(CheckError::Period { what, seen, wanted }) }
}

/// At least two thirds signed: what a light client wants before it follows at once, without a timeout
/// (`process_light_client_update`).
///
/// # Errors
/// [`CheckError::Participation`].
pub fn verify_supermajority(signed: u64, size: u64) -> Result<(), CheckError> {
    if signed * 3 >= size * 2 { Ok(()) } else { Err(CheckError::Participation { signed, size }) }
}

/// The signature of `signers` over `attested`, in the domain of the fork one slot before the signature.
///
/// # Errors
/// [`CheckError::Signature`] or [`CheckError::BeforeAltair`].
pub fn verify_signature<C: Crypto>(
    spec: &ChainSpec,
    attested: &Header,
    signature_slot: u64,
    signers: &Signers,
    signature: &SignatureWords,
) -> Result<(), CheckError> {
    let slot = signature_slot.max(1) - 1;
    let entry =
        spec.entry_at_epoch(spec.epoch_at_slot(slot)).ok_or(CheckError::BeforeAltair { slot })?;
    let domain = compute_sync_committee_domain::<C>(entry.version, &spec.genesis_validators_root);
    C::verify_sync_signature(&SignatureCheck {
        aggregate_pubkey: &signers.aggregate_pubkey,
        absent: &signers.absent,
        signing_root: compute_signing_root::<C>(attested, &domain),
        signature,
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_the_account_proofs_is_told_from_one_in_the_update() {
        use CheckError as E;
        let (account, slot) = (0, 0);
        let (trie, rlp) = (TrieError::NoPath { node: 0 }, RlpError::LeadingZero);
        for error in [
            E::NoAccounts,
            E::Account { account, source: trie },
            E::AccountValue { account, source: rlp },
            E::Slot { account, slot, source: trie },
            E::SlotValue { account, slot, source: rlp },
            E::StorageOfAbsent { account, slot },
        ] {
            assert!(error.is_about_accounts(), "{error}");
        }
        for error in [
            E::NoFinality,
            E::NoUpdates,
            E::FinalityBranch,
            E::NoExecution { slot: 1 },
            E::Signature(SignatureError::Mismatch),
        ] {
            assert!(!error.is_about_accounts(), "{error}");
        }
    }
}
