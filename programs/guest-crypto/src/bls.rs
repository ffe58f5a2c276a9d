//! The sync committee's signature, checked from the hints that the host sent along: see [`lc_signature`].

use lc_core::crypto::{SignatureCheck, SignatureError};
use lc_signature::{Check, Limbs, Machine, Refused, layout::hint_words, verify};

use crate::{
    hints,
    precompiles::{sha256_compress, sha256_extend},
    syscall::{FP_ADD, FP_MUL, FP_SUB, POSEIDON2, call},
};

/// Checks `check.signature` under the committee's aggregate key less the absent members' keys.
///
/// # Errors
/// What is wrong, as far as it shows: a wrong hint looks like a signature that does not fit.
pub(crate) fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
    let hints = hints::take(hint_words(check.absent.len())).ok_or(SignatureError::Mismatch)?;
    let check = Check {
        aggregate_pubkey: check.aggregate_pubkey,
        absent: check.absent,
        signing_root: &check.signing_root.0,
        signature: check.signature,
    };
    verify::<Zkvm>(&check, hints).map_err(|refused| match refused {
        Refused::MalformedKey => SignatureError::MalformedKey,
        Refused::DegenerateKeys => SignatureError::InfiniteKey,
        Refused::MalformedSignature => SignatureError::MalformedSignature,
        Refused::HintLength | Refused::Hint(_) | Refused::Identity => SignatureError::Mismatch,
    })
}

/// The zkVM's circuits.
#[derive(Debug, Clone, Copy)]
struct Zkvm;

#[expect(unsafe_code, reason = "system calls")]
impl Machine for Zkvm {
    #[inline(always)]
    fn add(a: &mut Limbs, b: &Limbs) {
        // SAFETY: six initialized words each.
        unsafe { call(FP_ADD, a.as_mut_ptr() as usize, b.as_ptr() as usize) }
    }

    #[inline(always)]
    fn sub(a: &mut Limbs, b: &Limbs) {
        // SAFETY: six initialized words each.
        unsafe { call(FP_SUB, a.as_mut_ptr() as usize, b.as_ptr() as usize) }
    }

    #[inline(always)]
    fn mul(a: &mut Limbs, b: &Limbs) {
        // SAFETY: six initialized words each.
        unsafe { call(FP_MUL, a.as_mut_ptr() as usize, b.as_ptr() as usize) }
    }

    #[inline(always)]
    fn square(a: &mut Limbs) {
        let a = a.as_mut_ptr() as usize;
        // SAFETY: six initialized words; the circuit reads both operands before it writes.
        unsafe { call(FP_MUL, a, a) }
    }

    #[inline(always)]
    fn double(a: &mut Limbs) {
        let a = a.as_mut_ptr() as usize;
        // SAFETY: as for `square`.
        unsafe { call(FP_ADD, a, a) }
    }

    #[inline(always)]
    fn poseidon2(state: &mut [u64; 8]) {
        // SAFETY: eight initialized words.
        unsafe { call(POSEIDON2, state.as_mut_ptr() as usize, 0) }
    }

    #[inline(always)]
    fn sha256_block(state: &mut [u64; 8], schedule: &mut [u64; 64]) {
        sha256_extend(schedule);
        sha256_compress(schedule, state);
    }
}
