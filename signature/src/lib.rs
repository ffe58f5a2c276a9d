//! `FastAggregateVerify` of `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_` for a sync committee, checked from
//! hints: values that whoever proves finds outside the zkVM and that [`verify`] never believes.
//!
//! Computing the pairing costs 3.4 million cycles. Checking that a pairing comes to one costs some 70,000, because:
//!
//! 1. a chord, a tangent, a square root or an inverse is given, and one multiplication shows that it is right;
//! 2. everything in Fp2 and Fp12 is a polynomial modulo M = X^12 - 2 X^6 + 2; a claim that two of them are equal is
//!    checked at one random point of Fp, where an Fp12 multiplication is an Fp multiplication;
//! 3. a residue witness takes the place of the final exponentiation, a preimage that of clearing the cofactor.
//!
//! [`identity`] says why no wrong signature passes. The arithmetic comes from a [`Machine`]: system calls in the
//! zkVM, portable code on the host, where the same function runs in tests and finds the last hint.

#![cfg_attr(not(any(feature = "portable", test)), no_std)]

mod chain;
mod constants;
mod field;
pub mod identity;
mod keys;
pub mod layout;
mod mapping;
mod message;
mod pairing;
mod point;
mod ring;
mod transcript;
mod verify;

#[cfg(feature = "hints")]
pub mod hints;
#[cfg(feature = "hints")]
mod polynomial;
#[cfg(feature = "portable")]
mod portable;

pub use field::{Fp, Limbs, Machine};
#[cfg(feature = "portable")]
pub use portable::{Portable, words};
pub use verify::{Check, Refused, verify};
