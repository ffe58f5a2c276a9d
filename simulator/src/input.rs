//! What a light client of the chain asks proofs of.

use lc_core::{
    alloy_primitives::{Address, B256},
    host::{CommitteeChangeInput, InclusionInput, eth_get_proof::EthGetProof},
    objects::{LightClientFinalityUpdate, LightClientUpdate},
    statement::AccountProof,
};

use crate::{chain::Chain, eth_get_proof::NotSimulated};

impl Chain {
    /// The request of a client that trusts the committee of `signer_period`, with the execution block's header where
    /// that is needed.
    #[must_use]
    pub fn committee_change_input(
        &self,
        signer_period: u64,
        updates: &[LightClientUpdate],
    ) -> CommitteeChangeInput {
        CommitteeChangeInput {
            chain: self.spec().clone(),
            signer_period,
            committee: self.committee(signer_period).public().to_ssz().into(),
            updates: updates.iter().map(|update| update.to_ssz(self.spec()).into()).collect(),
            execution_header: updates
                .last()
                .and_then(|last| self.needed_block_header(&last.finalized_header)),
        }
    }

    /// The request of a client that trusts the committee of `signer_period`, with the execution block's header where
    /// that is needed.
    #[must_use]
    pub fn inclusion_input(
        &self,
        signer_period: u64,
        finality_update: &LightClientFinalityUpdate,
        accounts: Vec<AccountProof>,
    ) -> InclusionInput {
        InclusionInput {
            chain: self.spec().clone(),
            signer_period,
            committee: self.committee(signer_period).public().to_ssz().into(),
            finality_update: finality_update.to_ssz(self.spec()).into(),
            accounts,
            execution_header: self.needed_block_header(&finality_update.finalized_header),
        }
    }

    /// The proof of an account and slots of it in the execution state of `period`.
    ///
    /// # Errors
    /// [`NotSimulated`] for what the trie can prove neither present nor absent.
    pub fn account_proof(
        &self,
        period: u64,
        address: Address,
        slots: &[B256],
    ) -> Result<AccountProof, NotSimulated> {
        let answer = self.execution_state(period).eth_get_proof(address, slots)?;
        let proof = EthGetProof::from_json(answer.as_bytes());
        Ok(proof.expect("the simulator answers as nodes do").account_proof())
    }
}
