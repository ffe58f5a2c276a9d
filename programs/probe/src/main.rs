//! A guest for the tests of executor and prover: its input says how much of each resource to use, and what it
//! commits a host computes without a zkVM.
//!
//! Input: 7 integers, u32 little endian, in one buffer: `cycles`, `fp`, `fp2`, `sha`, `keccak`, `words`, `fail`.
//! Public values, 72 bytes, integers little endian:
//! - u64: the value after `cycles` steps of `(x, y) <- (y, (x + y) mod 7919)` from (0, 1);
//! - u64: the low limb, modulo 2^64, of the BLS12-381 field element after `fp` steps from 5, an even step
//!   negating it (a multiplication by p - 1), an odd one adding 3;
//! - two u64: the same for both halves of `fp2` steps from 5 + 7u, an even step multiplying by u, an odd one
//!   adding 3 + 4u;
//! - u64: the sum of i² for i below `words`, each kept in memory of its own;
//! - 32 bytes: from 32 zero bytes `h`, `sha` times SHA-256 of `h ‖ h`, then `keccak` times Keccak-256 of `h`.
//!
//! `fail` other than 0 panics before anything is committed.

#![no_main]

use guest_crypto::keccak::keccak256;
use guest_crypto::sha256::hash_pair;
use lc_core::{Root, alloy_primitives::B256};

sp1_zkvm::entrypoint!(main);

/// Limbs of an element of the BLS12-381 base field, least significant first.
type Fp = [u64; 6];

/// p - 1, that is -1.
const MINUS_ONE: Fp = [
    0xb9fe_ffff_ffff_aaaa,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

fn main() {
    let input = sp1_zkvm::io::read_vec();
    let numbers: Vec<u32> = input
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("chunks of 4 bytes")))
        .collect();
    let [cycles, fp, fp2, sha, keccak, words, fail] = numbers[..] else {
        panic!("probe: {} integers, want 7", numbers.len());
    };
    assert!(fail == 0, "the probe was told to fail");

    let mut out = [0; 72];
    let [c0, c1] = fp2_steps(fp2);
    let integers = [fibonacci(cycles), fp_steps(fp), c0, c1, sum_of_squares(words)];
    for (bytes, value) in out.chunks_exact_mut(8).zip(integers) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    out[40..].copy_from_slice(&hashes(sha, keccak));
    sp1_zkvm::io::commit_slice(&out);
}

fn fibonacci(steps: u32) -> u64 {
    let (mut x, mut y) = (0, 1);
    for _ in 0..steps {
        (x, y) = (y, (x + y) % 7919);
    }
    x
}

#[expect(unsafe_code, reason = "system calls")]
fn fp_steps(steps: u32) -> u64 {
    let mut a: Fp = [5, 0, 0, 0, 0, 0];
    let three: Fp = [3, 0, 0, 0, 0, 0];
    for step in 0..steps {
        // SAFETY: both operands are 6 initialized, 8-aligned words.
        unsafe {
            if step % 2 == 0 {
                sp1_lib::syscall_bls12381_fp_mulmod(a.as_mut_ptr(), MINUS_ONE.as_ptr());
            } else {
                sp1_lib::syscall_bls12381_fp_addmod(a.as_mut_ptr(), three.as_ptr());
            }
        }
    }
    a[0]
}

#[expect(unsafe_code, reason = "system calls")]
fn fp2_steps(steps: u32) -> [u64; 2] {
    let mut a = [0; 12];
    (a[0], a[6]) = (5, 7);
    let (mut u, mut addend) = ([0; 12], [0; 12]);
    u[6] = 1;
    (addend[0], addend[6]) = (3, 4);
    for step in 0..steps {
        // SAFETY: both operands are 12 initialized, 8-aligned words.
        unsafe {
            if step % 2 == 0 {
                sp1_lib::syscall_bls12381_fp2_mulmod(a.as_mut_ptr(), u.as_ptr());
            } else {
                sp1_lib::syscall_bls12381_fp2_addmod(a.as_mut_ptr(), addend.as_ptr());
            }
        }
    }
    [a[0], a[6]]
}

fn sum_of_squares(words: u32) -> u64 {
    let squares: Vec<u64> = (0..u64::from(words)).map(|i| i.wrapping_mul(i)).collect();
    // Hidden from the optimizer, which would otherwise need no memory.
    core::hint::black_box(&squares).iter().fold(0, |sum, square| sum.wrapping_add(*square))
}

fn hashes(sha: u32, keccak: u32) -> [u8; 32] {
    let mut root = Root::ZERO;
    for _ in 0..sha {
        root = hash_pair(&root, &root);
    }
    let mut h = B256::from(root).0;
    for _ in 0..keccak {
        h = keccak256(&h);
    }
    h
}
