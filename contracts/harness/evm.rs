//! An EVM with Ethereum's rules, whose state lasts from one transaction to the next.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolError};
use revm::{
    Context, Database, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm,
    context::{
        TxEnv,
        result::{ExecutionResult, Output},
    },
    database::{CacheDB, EmptyDB},
    handler::MainnetContext,
    primitives::{Log, hardfork::SpecId},
};

/// Mainnet's rules today. Named, so that gas figures change only when this does.
const RULES: SpecId = SpecId::OSAKA;

/// Unix time of the first block, seconds: any that is not zero, with which an unset time could be mixed up.
const START: u64 = 1_700_000_000;

/// More than any call here needs, and below the 16,777,216 that Osaka lets one transaction have.
const GAS_LIMIT: u64 = 15_000_000;

/// A transaction that succeeded.
#[derive(Debug, Clone)]
pub struct Receipt<T> {
    /// What the function returned.
    pub returned: T,
    /// Its events.
    pub logs: Vec<Log>,
    /// Gas of the whole transaction, as a receipt has it.
    pub gas: u64,
}

/// A transaction that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The contract refused.
    #[error("reverted with {0}")]
    Reverted(Bytes),
    /// The EVM did.
    #[error("halted: {0}")]
    Halted(String),
}

impl CallError {
    /// What a contract that reverts with `error` gives.
    #[must_use]
    pub fn of(error: &impl SolError) -> Self {
        Self::Reverted(error.abi_encode().into())
    }
}

/// The EVM. Gas costs nothing, and everybody may send.
#[derive(Debug)]
pub struct Evm(MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>);

impl Default for Evm {
    fn default() -> Self {
        let context = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::new()))
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(RULES);
                cfg.disable_nonce_check = true;
            })
            .modify_block_chained(|block| block.timestamp = U256::from(START));
        Self(context.build_mainnet())
    }
}

impl Evm {
    /// Unix time of the next transaction, seconds.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.0.ctx.block.timestamp.to()
    }

    /// Lets so many seconds pass.
    pub fn wait(&mut self, seconds: u64) {
        self.0.ctx.block.timestamp += U256::from(seconds);
    }

    /// Runs creation code, constructor arguments at its end, and gives the contract's address.
    ///
    /// # Errors
    /// [`CallError`] if the constructor does not succeed.
    pub fn deploy(&mut self, creation: Bytes) -> Result<Receipt<Address>, CallError> {
        let result = self.0.transact_commit(transaction(Address::ZERO, TxKind::Create, creation));
        let receipt = receipt(result.expect("the transaction is well formed"))?;
        let Output::Create(_, Some(returned)) = receipt.returned else {
            unreachable!("a creation that succeeds has an address")
        };
        Ok(Receipt { returned, logs: receipt.logs, gas: receipt.gas })
    }

    /// Sends a call from `from`, and keeps what it changes.
    ///
    /// # Errors
    /// [`CallError`] if it does not succeed.
    pub fn send<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<Receipt<C::Return>, CallError> {
        let transaction = transaction(from, TxKind::Call(to), call.abi_encode().into());
        let result = self.0.transact_commit(transaction).expect("the transaction is well formed");
        receipt(result).map(decoded::<C>)
    }

    /// Makes a call and forgets what it changes, as `eth_call` does.
    ///
    /// # Errors
    /// [`CallError`] if it does not succeed.
    pub fn read<C: SolCall>(
        &mut self,
        to: Address,
        call: &C,
    ) -> Result<Receipt<C::Return>, CallError> {
        let transaction = transaction(Address::ZERO, TxKind::Call(to), call.abi_encode().into());
        let result = self.0.transact(transaction).expect("the transaction is well formed").result;
        receipt(result).map(decoded::<C>)
    }
}

impl Evm {
    /// Writes a word of a contract's storage, and gives what was there. For what no transaction of a test can bring
    /// about.
    pub fn write(&mut self, contract: Address, slot: u64, value: U256) -> U256 {
        let (slot, database) = (U256::from(slot), &mut self.0.ctx.journaled_state.database);
        let old = database.storage(contract, slot).expect("it is in memory");
        database.insert_account_storage(contract, slot, value).expect("it is in memory");
        old
    }
}

fn transaction(caller: Address, kind: TxKind, data: Bytes) -> TxEnv {
    TxEnv { caller, kind, data, gas_limit: GAS_LIMIT, ..TxEnv::default() }
}

fn receipt(result: ExecutionResult) -> Result<Receipt<Output>, CallError> {
    let gas = result.tx_gas_used();
    match result {
        ExecutionResult::Success { output, logs, .. } => {
            Ok(Receipt { returned: output, logs, gas })
        }
        ExecutionResult::Revert { output, .. } => Err(CallError::Reverted(output)),
        ExecutionResult::Halt { reason, .. } => Err(CallError::Halted(format!("{reason:?}"))),
    }
}

fn decoded<C: SolCall>(receipt: Receipt<Output>) -> Receipt<C::Return> {
    let returned = C::abi_decode_returns_validate(receipt.returned.data());
    let returned = returned.expect("the artifact's interface is the bytecode's");
    Receipt { returned, logs: receipt.logs, gas: receipt.gas }
}
