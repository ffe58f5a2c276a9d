//! From a witness to what the guest reads: hints for its signatures, then the witness.

use std::cell::RefCell;

use lc_core::{
    Crypto, ProgramId, Root, SignatureCheck, SignatureError,
    alloy_primitives::B256,
    host::{NativeCrypto, verify_witness},
    words::to_bytes,
};
use lc_signature::{Check, hints::find, layout::hint_words};

thread_local! {
    static HINTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// What the guest of `program` reads: n, n words of hints, and `witness`, all little-endian words. Blocking, some 40 ms
/// a signature.
///
/// A signature that is not valid gets hints of zero, and a witness that does not decode none: the guest refuses both.
#[must_use]
pub fn guest_input(program: ProgramId, witness: &[u8]) -> Vec<u8> {
    HINTS.take();
    // The statement's own code asks for the signatures, so hints come in the order in which the guest wants them. Its
    // verdict is the guest's to give.
    let _ = verify_witness::<FindHints>(program, witness);
    let hints = HINTS.take();
    [&to_bytes(&[hints.len() as u64]), &to_bytes(&hints), witness].concat()
}

/// [`NativeCrypto`], but signatures are taken for valid and their hints kept.
struct FindHints;

impl Crypto for FindHints {
    fn hash_pair(left: &Root, right: &Root) -> Root {
        NativeCrypto::hash_pair(left, right)
    }

    fn keccak256(data: &[u8]) -> B256 {
        NativeCrypto::keccak256(data)
    }

    fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        let words = hint_words(check.absent.len());
        let check = Check {
            aggregate_pubkey: check.aggregate_pubkey,
            absent: check.absent,
            signing_root: &check.signing_root.0,
            signature: check.signature,
        };
        let hints = find(&check).unwrap_or_else(|_| vec![0; words]);
        HINTS.with_borrow_mut(|all| all.extend(hints));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use simulator::mutations;

    use super::*;

    #[test]
    fn each_signature_of_a_valid_witness_gets_its_hints() {
        for witness in mutations::valid(&mutations::chain()) {
            let bytes = witness.to_bytes();
            let input = guest_input(witness.program(), &bytes);
            let hints = u64::from_le_bytes(input[..8].try_into().unwrap()) as usize;
            assert!(hints >= hint_words(0), "{hints} words");
            assert!(input[8..8 + 8 * hints].iter().any(|byte| *byte != 0));
            assert_eq!(input[8 + 8 * hints..], bytes);
        }
    }

    #[test]
    fn what_does_not_decode_gets_no_hints() {
        assert_eq!(
            guest_input(ProgramId::Inclusion, &[1, 2, 3]),
            [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]
        );
    }
}
