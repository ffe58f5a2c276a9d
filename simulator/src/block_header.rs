//! The execution block's header in RLP, as `debug_getRawHeader` answers: what a light client needs beside an update of
//! Gloas.

use alloy_rlp::{Encodable, Header};
use lc_core::{
    ExecutionPayloadHeader, Fork,
    alloy_primitives::{B256, Bytes, b256, keccak256},
    objects::LightClientHeader,
};

use crate::chain::Chain;

/// Keccak-256 of the empty list: no block has uncles any more.
const NO_UNCLES: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

impl Chain {
    /// The header of the execution block that the beacon block at `slot` names, in RLP. It hashes to the name on
    /// chains that plan Gloas; elsewhere nobody asks for it, and the name is made up.
    #[must_use]
    pub fn block_header(&self, slot: u64) -> Bytes {
        self.encode_block_header(slot, &self.execution_header(slot, self.fork(slot)))
    }

    /// The header of the execution block that `header` names, where a request about it needs that.
    #[must_use]
    pub fn needed_block_header(&self, header: &LightClientHeader) -> Option<Bytes> {
        let slot = header.beacon.slot;
        let needed = header.has_hash_form() && self.fork(slot).has_execution();
        needed.then(|| self.block_header(slot))
    }

    /// Whether light clients of this chain ever need block headers.
    pub(crate) fn plans_gloas(&self) -> bool {
        self.spec().forks.iter().any(|entry| entry.fork >= Fork::Gloas)
    }

    pub(crate) fn block_hash(&self, slot: u64, header: &ExecutionPayloadHeader) -> B256 {
        keccak256(self.encode_block_header(slot, header))
    }

    fn encode_block_header(&self, slot: u64, header: &ExecutionPayloadHeader) -> Bytes {
        let fork = self.fork(slot);
        let other = |label| self.seed.bytes(label, &[slot]);
        let mut payload = Vec::new();
        let mut put = |value: &dyn Encodable| value.encode(&mut payload);
        put(&header.parent_hash);
        put(&NO_UNCLES);
        put(&header.fee_recipient);
        put(&header.state_root);
        put(&header.transactions_root);
        put(&header.receipts_root);
        put(&header.logs_bloom);
        put(&0u64);
        put(&header.block_number);
        put(&header.gas_limit);
        put(&header.gas_used);
        put(&header.timestamp);
        put(&header.extra_data.as_slice());
        put(&header.prev_randao);
        put(&[0u8; 8]);
        put(&header.base_fee_per_gas);
        put(&header.withdrawals_root);
        if fork >= Fork::Deneb {
            put(&header.blob_gas_used);
            put(&header.excess_blob_gas);
            put(&other("parent beacon block"));
        }
        if fork >= Fork::Electra {
            put(&other("requests"));
        }
        if fork >= Fork::Gloas {
            put(&other("block access list"));
            put(&slot);
        }
        let mut out = Vec::new();
        Header { list: true, payload_length: payload.len() }.encode(&mut out);
        out.extend(payload);
        out.into()
    }
}
