//! A deployed light client, and what it was deployed with.

use alloy_primitives::{Address, B256, Bytes, address, b256, keccak256};
use alloy_sol_types::{SolConstructor, SolValue};
use lc_core::statement;

use crate::{
    CallError, EthereumLightClient as Contract, Evm, Receipt, StandInVerifier, Statements,
};

/// Key of the committee-change program in tests.
pub const COMMITTEE_CHANGE_VKEY: B256 =
    b256!("00c0ffee000000000000000000000000000000000000000000000000000000c1");
/// Key of the inclusion program in tests.
pub const INCLUSION_VKEY: B256 =
    b256!("00c0ffee000000000000000000000000000000000000000000000000000000c2");
/// Who may change the pins in tests.
pub const GUARDIAN: Address = address!("6a7d1a0000000000000000000000000000000001");
/// Who may not.
pub const STRANGER: Address = address!("57a46e0000000000000000000000000000000002");
/// What the stand-in takes for a proof. As long as a Groth16 proof for SP1's verifiers, and without zeros, which would
/// be cheap: so gas figures hold for real ones.
pub const PROOF: Bytes = Bytes::from_static(&[0xa5; 356]);

/// What a light client is deployed with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Creation code of what checks proofs. Empty: there is nothing at its address.
    pub verifier_code: Bytes,
    /// The chain and the programs.
    pub pins: Contract::Pins,
    /// The first trusted committee.
    pub checkpoint: Contract::Checkpoint,
    /// What is asked of each proof.
    pub rules: Contract::Rules,
    /// Who may change the pins.
    pub guardian: Address,
    /// Seconds that a change waits.
    pub change_delay: u32,
}

impl Setup {
    /// Trusts the committee of the chain's first period. No guardian; the stand-in for a verifier.
    #[must_use]
    pub fn following(statements: &Statements) -> Self {
        let period = statements.first_period();
        Self {
            verifier_code: StandInVerifier::BYTECODE.clone(),
            pins: Contract::Pins {
                chain: statements.chain(),
                committeeChangeVkey: COMMITTEE_CHANGE_VKEY,
                inclusionVkey: INCLUSION_VKEY,
            },
            checkpoint: Contract::Checkpoint { period, committee: statements.committee(period) },
            rules: Contract::Rules {
                slotsPerPeriod: statements.slots_per_period(),
                minParticipation: 0,
            },
            guardian: Address::ZERO,
            change_delay: 0,
        }
    }

    /// Has proofs checked by the contract that this creation code makes.
    #[must_use]
    pub fn verified_by(self, verifier_code: Bytes) -> Self {
        Self { verifier_code, ..self }
    }

    /// Gives [`GUARDIAN`] the right to change the pins after `seconds`.
    #[must_use]
    pub fn guarded(self, seconds: u32) -> Self {
        Self { guardian: GUARDIAN, change_delay: seconds, ..self }
    }

    /// Asks each proof for so many signers.
    #[must_use]
    pub const fn asking_for(mut self, signers: u64) -> Self {
        self.rules.minParticipation = signers;
        self
    }

    /// Deploys verifier and light client.
    ///
    /// # Errors
    /// [`CallError`] if the light client's constructor refuses.
    ///
    /// # Panics
    /// If the verifier's does.
    pub fn deploy(self) -> Result<LightClient, CallError> {
        let mut evm = Evm::default();
        let verifier = match self.verifier_code.is_empty() {
            true => STRANGER,
            false => evm.deploy(self.verifier_code).expect("a verifier deploys").returned,
        };
        let arguments = Contract::constructorCall {
            verifier_: verifier,
            pins_: self.pins,
            checkpoint: self.checkpoint,
            rules: self.rules,
            guardian_: self.guardian,
            changeDelay_: self.change_delay,
        };
        let creation = [&Contract::BYTECODE[..], &arguments.abi_encode()].concat();
        let deployment = evm.deploy(creation.into())?;
        Ok(LightClient { evm, verifier, address: deployment.returned, deployment })
    }
}

/// A deployed light client.
#[derive(Debug)]
pub struct LightClient {
    /// Where it lives.
    pub evm: Evm,
    /// Its address.
    pub address: Address,
    /// What checks its proofs.
    pub verifier: Address,
    /// Receipt of its deployment.
    pub deployment: Receipt<Address>,
}

impl LightClient {
    /// Tells the stand-in the one proof to take.
    ///
    /// # Panics
    /// If another verifier was deployed.
    pub fn expect_proof(&mut self, vkey: B256, public_values: &[u8], proof: &[u8]) {
        let call = StandInVerifier::expectCall {
            vkey,
            publicValues: keccak256(public_values),
            proof: keccak256(proof),
        };
        self.evm.send(STRANGER, self.verifier, &call).expect("the stand-in takes anything");
    }

    /// Sends an update, as anybody may.
    ///
    /// # Errors
    /// [`CallError`] if it is refused.
    pub fn update(&mut self, public_values: &[u8], proof: Bytes) -> Result<Receipt<()>, CallError> {
        let call = Contract::updateCall { publicValues: public_values.to_vec().into(), proof };
        let receipt = self.evm.send(STRANGER, self.address, &call)?;
        Ok(Receipt { returned: (), logs: receipt.logs, gas: receipt.gas })
    }

    /// Sends an update whose proof holds, by the stand-in.
    ///
    /// # Errors
    /// [`CallError`] if it is refused all the same.
    pub fn update_proven(
        &mut self,
        change: &statement::CommitteeChange,
    ) -> Result<Receipt<()>, CallError> {
        let public_values = change.abi_encode();
        self.expect_proof(COMMITTEE_CHANGE_VKEY, &public_values, &PROOF);
        self.update(&public_values, PROOF)
    }

    /// Asks what an inclusion proof says. `not_before` is the oldest slot that is wanted.
    ///
    /// # Errors
    /// [`CallError`] if the proof is refused.
    pub fn prove_inclusion(
        &mut self,
        not_before: u64,
        public_values: &[u8],
        proof: Bytes,
    ) -> Result<Contract::Inclusion, CallError> {
        self.read(&Contract::proveInclusionCall {
            notBefore: not_before,
            publicValues: public_values.to_vec().into(),
            proof,
        })
    }

    /// As [`Self::prove_inclusion`], where the proof holds by the stand-in.
    ///
    /// # Errors
    /// [`CallError`] if it is refused all the same.
    pub fn inclusion_proven(
        &mut self,
        inclusion: &statement::Inclusion,
    ) -> Result<Contract::Inclusion, CallError> {
        let public_values = inclusion.abi_encode();
        self.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
        self.prove_inclusion(0, &public_values, PROOF)
    }

    /// Calls the light client and keeps no change.
    ///
    /// # Errors
    /// [`CallError`] if it refuses.
    pub fn read<C: alloy_sol_types::SolCall>(&mut self, call: &C) -> Result<C::Return, CallError> {
        self.evm.read(self.address, call).map(|receipt| receipt.returned)
    }

    /// The newest finalized block.
    ///
    /// # Panics
    /// Never: reading succeeds.
    pub fn head(&mut self) -> Contract::Header {
        self.read(&Contract::headCall {}).expect("reading succeeds")
    }

    /// The newest period with a known committee.
    ///
    /// # Panics
    /// Never: reading succeeds.
    pub fn latest_period(&mut self) -> u64 {
        self.read(&Contract::latestPeriodCall {}).expect("reading succeeds")
    }

    /// The committee of `period`, zero if it is not known.
    ///
    /// # Panics
    /// Never: reading succeeds.
    pub fn committee(&mut self, period: u64) -> B256 {
        self.read(&Contract::committeeCall { period }).expect("reading succeeds")
    }

    /// What proofs must be of.
    ///
    /// # Panics
    /// Never: reading succeeds.
    pub fn pins(&mut self) -> Contract::Pins {
        self.read(&Contract::pinsCall {}).expect("reading succeeds")
    }
}
