//! The zkVM's circuits behind safe functions. Off the zkVM, portable code with the same results, so that
//! everything above this file is tested on any machine.
//!
//! A system call may write only words that an ordinary store touched first (or that lie in the program
//! image): SP1 6.10 collects the memory to initialize from loads and stores alone. The executor runs a program
//! that breaks this, but its proof fails. Callers here pass buffers that they have written in full.

/// A SHA-256 message schedule: 64 words of 32 bits, each in a 64-bit cell as the circuit wants them.
pub(crate) type Schedule = [u64; 64];
/// A SHA-256 chaining value: 8 words of 32 bits, each in a 64-bit cell.
pub(crate) type ShaState = [u64; 8];
/// A Keccak-f\[1600\] state, lane `x + 5y`.
pub(crate) type KeccakState = [u64; 25];

#[cfg(target_os = "zkvm")]
#[expect(unsafe_code, reason = "system calls")]
mod imp {
    use super::{KeccakState, Schedule, ShaState};
    use crate::syscall::{KECCAK_PERMUTE, SHA_COMPRESS, SHA_EXTEND, call};

    #[inline(always)]
    pub(crate) fn sha256_extend(schedule: &mut Schedule) {
        // SAFETY: 64 initialized words.
        unsafe { call(SHA_EXTEND, schedule.as_mut_ptr() as usize, 0) }
    }

    #[inline(always)]
    pub(crate) fn sha256_compress(schedule: &Schedule, state: &mut ShaState) {
        // SAFETY: 64 and 8 initialized words; the call only reads the schedule.
        unsafe { call(SHA_COMPRESS, schedule.as_ptr() as usize, state.as_mut_ptr() as usize) }
    }

    #[inline(always)]
    pub(crate) fn keccak_permute(state: &mut KeccakState) {
        // SAFETY: 25 initialized words.
        unsafe { call(KECCAK_PERMUTE, state.as_mut_ptr() as usize, 0) }
    }
}

#[cfg(not(target_os = "zkvm"))]
mod imp {
    use super::{KeccakState, Schedule, ShaState};

    pub(crate) fn sha256_extend(schedule: &mut Schedule) {
        *schedule = super::extend(core::array::from_fn(|i| schedule[i]));
    }

    /// Takes the block from the first 16 words, as the portable function expands it itself.
    pub(crate) fn sha256_compress(schedule: &Schedule, state: &mut ShaState) {
        debug_assert_eq!(*schedule, super::extend(core::array::from_fn(|i| schedule[i])));
        let mut block = [0u8; 64];
        for (bytes, word) in block.chunks_exact_mut(4).zip(schedule) {
            bytes.copy_from_slice(&(*word as u32).to_be_bytes());
        }
        let mut words = state.map(|word| word as u32);
        sha2::compress256(&mut words, &[block.into()]);
        *state = words.map(u64::from);
    }

    pub(crate) fn keccak_permute(state: &mut KeccakState) {
        tiny_keccak::keccakf(state);
    }
}

pub(crate) use imp::{keccak_permute, sha256_compress, sha256_extend};

/// Expands a block's 16 words to its schedule (FIPS 180-4, section 6.2.2). For constants: at run time the
/// circuit does it.
pub(crate) const fn extend(block: [u64; 16]) -> Schedule {
    let mut w = [0u64; 64];
    let mut i = 0;
    while i < 64 {
        w[i] = if i < 16 {
            block[i]
        } else {
            let (a, b) = (w[i - 15] as u32, w[i - 2] as u32);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            (w[i - 16] as u32).wrapping_add(s0).wrapping_add(w[i - 7] as u32).wrapping_add(s1)
                as u64
        };
        i += 1;
    }
    w
}
