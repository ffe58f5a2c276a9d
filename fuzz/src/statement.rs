//! A signature to check, as bytes. The one place that knows how each implementation takes it.

use ark_bls12_381::Fq;
use ark_ff::{Field as _, PrimeField as _, Zero as _};
use blst::{
    BLST_ERROR,
    min_pk::{AggregatePublicKey, PublicKey, Signature},
};
use lc_core::{
    SignatureCheck,
    alloy_primitives::{B256, FixedBytes},
    crypto::{BLS_DST, Crypto as _},
    host::NativeCrypto,
    root::{pubkey_words, signature_words},
};
use lc_signature::{
    Check, Portable, Refused,
    hints::{self, NoHints},
    layout::{ELEMENT, hint_words},
    verify, words,
};

/// Bit of a compressed point's first byte that says it is infinity.
const INFINITY: u8 = 0x40;
/// Bit that says which of the two possible y the point has.
const SIGN: u8 = 0x20;

/// That those of a committee who are not `absent` signed `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) aggregate: [u8; 48],
    pub(crate) absent: Vec<[u8; 48]>,
    pub(crate) root: [u8; 32],
    pub(crate) signature: [u8; 96],
}

impl Statement {
    /// Hands the check to `then`, in words.
    fn checked<T>(&self, then: impl FnOnce(&Check<'_>) -> T) -> T {
        let absent: Vec<_> = self.absent.iter().map(words).collect();
        then(&Check {
            aggregate_pubkey: &words(&self.aggregate),
            absent: &absent,
            signing_root: &words(&self.root),
            signature: &words(&self.signature),
        })
    }

    /// The hints that make [`Self::verify`] accept.
    pub(crate) fn find(&self) -> Result<Vec<u64>, NoHints> {
        self.checked(hints::find)
    }

    /// What is proven.
    pub(crate) fn verify(&self, mut hints: Vec<u64>) -> Result<(), Refused> {
        self.checked(|check| verify::<Portable>(check, &mut hints))
    }

    /// As many words as hints have. All are zero but those of the keys, which are the right ones where there
    /// are any: what anybody can compute who has no signature.
    pub(crate) fn hints_of_keys(&self) -> Vec<u64> {
        let mut hints = vec![0; hint_words(self.absent.len()) - self.words_of_keys()];
        hints.extend(self.keys().hints.iter().flat_map(|element| element.into_bigint().0));
        hints
    }

    /// Words of the keys, which come last.
    pub(crate) const fn words_of_keys(&self) -> usize {
        ELEMENT * (1 + 2 * self.absent.len())
    }

    /// Whether two points meet while the absent keys are subtracted, which no hints can help.
    pub(crate) fn has_degenerate_keys(&self) -> bool {
        self.keys().are_degenerate
    }

    /// Subtracts the absent keys.
    fn keys(&self) -> Keys {
        let [mut x, mut y] = coordinates(&self.aggregate);
        let mut keys = Keys { hints: vec![y], are_degenerate: false };
        for [other_x, other_y] in self.absent.iter().map(coordinates) {
            let run = other_x - x;
            keys.are_degenerate |= run.is_zero();
            let slope = -(other_y + y) * run.inverse().unwrap_or_default();
            keys.hints.extend([other_y, slope]);
            let sum = slope.square() - x - other_x;
            (x, y) = (sum, slope * (x - sum) - y);
        }
        keys
    }

    /// Whether a key [`is_of_order_3`].
    pub(crate) fn has_key_of_order_3(&self) -> bool {
        self.absent.iter().chain([&self.aggregate]).any(is_of_order_3)
    }

    /// Whether blst accepts it, by the rules of the standard.
    pub(crate) fn blst_accepts(&self) -> bool {
        self.blst().unwrap_or(false)
    }

    fn blst(&self) -> Option<bool> {
        let mut sum = AggregatePublicKey::from_public_key(&blst_key(&self.aggregate)?);
        for absent in &self.absent {
            let mut negated = *absent;
            negated[0] ^= SIGN;
            sum.add_public_key(&blst_key(&negated)?, false).ok()?;
        }
        let signature = Signature::from_bytes(&self.signature).ok()?;
        signature.validate(true).ok()?;
        let key = sum.to_public_key();
        let verdict =
            signature.fast_aggregate_verify_pre_aggregated(false, &self.root, BLS_DST, &key);
        Some(verdict == BLST_ERROR::BLST_SUCCESS)
    }

    /// Whether the host's check accepts it.
    pub(crate) fn host_accepts(&self) -> bool {
        let absent: Vec<_> =
            self.absent.iter().map(|key| pubkey_words(&FixedBytes(*key))).collect();
        NativeCrypto::verify_sync_signature(&SignatureCheck {
            aggregate_pubkey: &pubkey_words(&FixedBytes(self.aggregate)),
            absent: &absent,
            signing_root: B256::new(self.root).into(),
            signature: &signature_words(&FixedBytes(self.signature)),
        })
        .is_ok()
    }
}

/// Whether a key is (0, 2) or (0, -2). They are on the curve, in no subgroup and in no committee: deposits of
/// them were refused. blst does not decode them at all, the check from hints does.
pub(crate) fn is_of_order_3(key: &[u8; 48]) -> bool {
    key[0] & !SIGN == 0x80 && key[1..] == [0; 47]
}

/// The point of the curve that a key encodes, by blst. No committee has infinity.
pub(crate) fn blst_key(bytes: &[u8; 48]) -> Option<PublicKey> {
    if bytes[0] & INFINITY != 0 { None } else { PublicKey::uncompress(bytes).ok() }
}

/// What the keys' hints are: y of the aggregate, then y and slope of each absent key; zero where there is none.
struct Keys {
    hints: Vec<Fq>,
    are_degenerate: bool,
}

/// x as it is encoded, and the y on the curve that has the encoded sign, or zero.
fn coordinates(key: &[u8; 48]) -> [Fq; 2] {
    let mut x = *key;
    x[0] &= 0x1f;
    let x = Fq::from_be_bytes_mod_order(&x);
    let y = (x.square() * x + Fq::from(4u64)).sqrt().unwrap_or_default();
    let is_larger = y.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO;
    [x, if y.is_zero() || is_larger == (key[0] & SIGN != 0) { y } else { -y }]
}
