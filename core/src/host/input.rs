//! What a client asks a proof of: Ethereum nodes' own objects, checked natively before any prover sees
//! them, and turned into what the guest reads.

use alloy_primitives::Bytes;
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};

use super::{
    execution::{execution, verify_header},
    witness::{period_update, signed_finality},
};
use crate::{
    chain_spec::{ChainSpec, ChainSpecError},
    host::NativeCrypto,
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, ObjectError, SyncCommittee,
    },
    program::ProgramId,
    root::Root,
    statement::{AccountProof, CommitteeChangeWitness, Execution, InclusionWitness},
    sync_protocol::CheckError,
    words::{Words, to_bytes},
};

/// Most updates in one request: `MAX_REQUEST_LIGHT_CLIENT_UPDATES` of altair/light-client/p2p-interface.md, so
/// one answer of a beacon node always fits. Mainnet fills it in 145 days.
pub const MAX_UPDATES: usize = 128;

/// A request for a committee-change proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitteeChangeInput {
    /// The chain's constants.
    pub chain: ChainSpec,
    /// Period of the committee that the client trusts.
    pub signer_period: u64,
    /// SSZ `SyncCommittee`: that committee.
    pub committee: Bytes,
    /// SSZ `LightClientUpdate`s of consecutive periods from `signer_period` on.
    pub updates: Vec<Bytes>,
    /// RLP of the header of the execution block under the last update's finalized block: needed where that
    /// light-client header has only the block's hash, as from Gloas on.
    pub execution_header: Option<Bytes>,
}

/// A request for an inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionInput {
    /// The chain's constants.
    pub chain: ChainSpec,
    /// Period of the committee that the client trusts, in which `finality_update` was signed.
    pub signer_period: u64,
    /// SSZ `SyncCommittee`: that committee.
    pub committee: Bytes,
    /// SSZ `LightClientFinalityUpdate`.
    pub finality_update: Bytes,
    /// What `eth_getProof` answered at the finalized block.
    pub accounts: Vec<AccountProof>,
    /// RLP of the header of the execution block under the finalized block: needed where the light-client header has
    /// only the block's hash, as from Gloas on.
    pub execution_header: Option<Bytes>,
}

/// What one proof request is about. Variant order is wire format: append only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramInput {
    /// For [`ProgramId::CommitteeChange`].
    CommitteeChange(CommitteeChangeInput),
    /// For [`ProgramId::Inclusion`].
    Inclusion(InclusionInput),
}

/// An input that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The program that proves it.
    pub program: ProgramId,
    /// The witness of its statement: [`crate::words`], little endian.
    pub witness: Vec<u8>,
    /// What the guest will commit: `abi.encode` of its statement, computed natively.
    pub public_values: Vec<u8>,
}

/// Why an input was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The chain's constants make no chain.
    #[error("the chain's constants make no chain")]
    Chain(#[from] ChainSpecError),
    /// More updates than one request may have.
    #[error("{0} updates in one request, {MAX_UPDATES} at most: ask for several proofs")]
    TooManyUpdates(usize),
    /// Bytes that are not the object they should be.
    #[error("the {what} does not decode")]
    Object {
        /// Which part of the request.
        what: String,
        /// What is wrong with its encoding.
        source: ObjectError,
    },
    /// A check of the statement failed.
    #[error("the {what} fails a check")]
    Check {
        /// Which part of the request.
        what: String,
        /// The check.
        source: CheckError,
    },
}

impl ProgramInput {
    /// The program that proves this.
    #[must_use]
    pub const fn program(&self) -> ProgramId {
        match self {
            Self::CommitteeChange(_) => ProgramId::CommitteeChange,
            Self::Inclusion(_) => ProgramId::Inclusion,
        }
    }

    /// Runs every check natively: some milliseconds an update. Blocking; no I/O.
    ///
    /// # Errors
    /// [`InputError`] names the part of the request and the check that failed.
    pub fn check(&self) -> Result<Checked, InputError> {
        match self {
            Self::CommitteeChange(input) => input.check(),
            Self::Inclusion(input) => input.check(),
        }
    }
}

impl CommitteeChangeInput {
    /// The witness of this request, from its objects; nothing but their encoding is checked.
    ///
    /// # Errors
    /// [`InputError`] where an object does not decode, a header's execution part is wrong or the execution block's header
    /// is missing.
    pub fn witness(&self) -> Result<CommitteeChangeWitness, InputError> {
        self.read().and_then(|read| self.with_execution(read)).map(|(witness, _)| witness)
    }

    /// Runs every check but those of the execution block under the last update: what a client that only follows the
    /// committees wants, and needs no execution block's header for.
    ///
    /// # Errors
    /// As [`ProgramInput::check`].
    pub fn check_committees(&self) -> Result<(), InputError> {
        let (witness, finalized) = self.read()?;
        witness.verify_committees::<NativeCrypto>().map_err(about_update)?;
        self.check_finalized(&finalized)
    }

    /// The witness, as yet without execution, and the finalized headers whole.
    fn read(&self) -> Result<(CommitteeChangeWitness, Vec<LightClientHeader>), InputError> {
        let spec = &self.chain;
        spec.validate()?;
        if self.updates.len() > MAX_UPDATES {
            return Err(InputError::TooManyUpdates(self.updates.len()));
        }
        let mut committee = decode_committee(spec, &self.committee)?;
        let signer_committee = root(&committee);
        let mut updates = Vec::with_capacity(self.updates.len());
        let mut finalized = Vec::with_capacity(self.updates.len());
        for (number, ssz) in self.updates.iter().enumerate() {
            let update = LightClientUpdate::from_ssz(spec, ssz)
                .map_err(|source| InputError::Object { what: update_name(number), source })?;
            verify_header(spec, "attested", &update.attested_header)
                .map_err(|source| about_update((number, source)))?;
            updates.push(period_update(&committee, &update));
            finalized.push(update.finalized_header);
            committee = update.next_sync_committee;
        }
        let (chain, signer_period) = (spec.clone(), self.signer_period);
        let execution = Execution::Absent;
        let witness =
            CommitteeChangeWitness { chain, signer_period, signer_committee, updates, execution };
        Ok((witness, finalized))
    }

    /// The statement names the execution block of the last update alone.
    fn with_execution(
        &self,
        (mut witness, finalized): (CommitteeChangeWitness, Vec<LightClientHeader>),
    ) -> Result<(CommitteeChangeWitness, Vec<LightClientHeader>), InputError> {
        if let Some(last) = finalized.last() {
            witness.execution = execution(&self.chain, last, self.execution_header.as_ref())
                .map_err(|source| about_update((finalized.len() - 1, source)))?;
        }
        Ok((witness, finalized))
    }

    fn check_finalized(&self, finalized: &[LightClientHeader]) -> Result<(), InputError> {
        for (number, header) in finalized.iter().enumerate() {
            verify_header(&self.chain, "finalized", header)
                .map_err(|source| about_update((number, source)))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<Checked, InputError> {
        let (witness, finalized) = self.with_execution(self.read()?)?;
        let statement = witness.verify_numbered::<NativeCrypto>().map_err(about_update)?;
        self.check_finalized(&finalized)?;
        let public_values = statement.abi_encode();
        let witness = to_bytes(&witness.encode());
        Ok(Checked { program: ProgramId::CommitteeChange, witness, public_values })
    }
}

impl InclusionInput {
    /// The witness of this request, from its objects; nothing but their encoding is checked.
    ///
    /// # Errors
    /// [`InputError`] where an object does not decode, a header's execution part is wrong or the execution block's header
    /// is missing.
    pub fn witness(&self) -> Result<InclusionWitness, InputError> {
        self.read().map(|(witness, _)| witness)
    }

    /// The witness, and the finalized header whole.
    fn read(&self) -> Result<(InclusionWitness, LightClientHeader), InputError> {
        let spec = &self.chain;
        spec.validate()?;
        let committee = decode_committee(spec, &self.committee)?;
        let what = || "finality update".to_owned();
        let update = LightClientFinalityUpdate::from_ssz(spec, &self.finality_update)
            .map_err(|source| InputError::Object { what: what(), source })?;
        verify_header(spec, "attested", &update.attested_header)
            .map_err(|source| InputError::Check { what: what(), source })?;
        let execution = execution(spec, &update.finalized_header, self.execution_header.as_ref())
            .map_err(|source| InputError::Check { what: what(), source })?;
        let witness = InclusionWitness {
            chain: spec.clone(),
            signer_period: self.signer_period,
            signer_committee: root(&committee),
            finality: signed_finality(&committee, &update),
            execution,
            accounts: self.accounts.clone(),
        };
        Ok((witness, update.finalized_header))
    }

    fn check(&self) -> Result<Checked, InputError> {
        let (witness, finalized) = self.read()?;
        let statement = witness.verify::<NativeCrypto>().map_err(|source| {
            let account = source.is_about_accounts();
            let what = if account { "list of account proofs" } else { "finality update" };
            InputError::Check { what: what.to_owned(), source }
        })?;
        verify_header(&self.chain, "finalized", &finalized)
            .map_err(|source| InputError::Check { what: "finality update".to_owned(), source })?;
        let public_values = statement.abi_encode();
        let witness = to_bytes(&witness.encode());
        Ok(Checked { program: ProgramId::Inclusion, witness, public_values })
    }
}

/// The check that update number so failed.
fn about_update((number, source): (usize, CheckError)) -> InputError {
    InputError::Check { what: update_name(number), source }
}

fn update_name(number: usize) -> String {
    format!("update number {number}")
}

fn decode_committee(spec: &ChainSpec, ssz: &[u8]) -> Result<SyncCommittee, InputError> {
    SyncCommittee::from_ssz(spec, ssz)
        .map_err(|source| InputError::Object { what: "sync committee".to_owned(), source })
}

fn root(committee: &SyncCommittee) -> Root {
    committee.hash_tree_root::<NativeCrypto>().into()
}
