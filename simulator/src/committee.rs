//! Sync committees with real keys.

use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey};
use lc_core::{
    BlsSignature,
    alloy_primitives::{B256, FixedBytes},
    crypto::BLS_DST,
    host::NativeCrypto,
    objects::SyncCommittee,
};

use crate::seed::Seed;

/// The members of one period's committee, who can sign.
#[derive(Debug)]
pub struct Committee {
    secrets: Vec<SecretKey>,
    public: SyncCommittee,
    root: B256,
}

impl Committee {
    /// The committee of `period`. Its last `duplicates` members are its first ones again, which is legal:
    /// a validator can be drawn more than once.
    pub(crate) fn derive(seed: &Seed, period: u64, size: usize, duplicates: usize) -> Self {
        let distinct = (size - duplicates) as u64;
        let secrets: Vec<SecretKey> = (0..size as u64)
            .map(|member| seed.bytes("secret key", &[period, member % distinct]))
            .map(|bytes| SecretKey::key_gen(bytes.as_slice(), &[]).expect("32 bytes are enough"))
            .collect();
        let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::sk_to_pk).collect();
        let aggregate = AggregatePublicKey::aggregate(&keys.iter().collect::<Vec<_>>(), false)
            .expect("there is a key");
        let public = SyncCommittee {
            pubkeys: keys.iter().map(|key| FixedBytes::new(key.compress())).collect(),
            aggregate_pubkey: FixedBytes::new(aggregate.to_public_key().compress()),
        };
        let root = public.hash_tree_root::<NativeCrypto>();
        Self { secrets, public, root }
    }

    /// The public keys.
    #[must_use]
    pub const fn public(&self) -> &SyncCommittee {
        &self.public
    }

    /// `hash_tree_root` of the public keys.
    #[must_use]
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// The aggregate signature of the members whose bit is set, lowest bit of the first byte first; the point
    /// at infinity if none is.
    #[must_use]
    pub fn sign(&self, bits: &[u8], signing_root: &B256) -> BlsSignature {
        let signs =
            |member: usize| bits.get(member / 8).is_some_and(|b| b >> (member % 8) & 1 == 1);
        let signatures: Vec<_> = (0..self.secrets.len())
            .filter(|member| signs(*member))
            .map(|member| self.secrets[member].sign(signing_root.as_slice(), BLS_DST, &[]))
            .collect();
        match AggregateSignature::aggregate(&signatures.iter().collect::<Vec<_>>(), false) {
            Ok(aggregate) => FixedBytes::new(aggregate.to_signature().compress()),
            Err(_) => G2_INFINITY,
        }
    }
}

/// `G2_POINT_AT_INFINITY`, compressed: what the specs call the signature of nobody.
const G2_INFINITY: BlsSignature = {
    let mut bytes = [0; 96];
    bytes[0] = 0xc0;
    FixedBytes::new(bytes)
};
