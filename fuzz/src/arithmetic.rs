//! The arithmetic under the signature check.
//!
//! - Field operations are those of integers modulo p, on every operand that the machine takes, and canonical.
//! - SHA-256's compression is what SHA-256 is made of; Poseidon2 maps canonical elements to such.
//! - A committee key is a point to the check if it is one to blst, and its y is the only one that is taken.

use lc_signature::{Fp, Limbs, Machine as _, Portable, Refused};
use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

use crate::{
    input::Input,
    statement::{Statement, blst_key, is_of_order_3},
};

/// p, from the standard's text (draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1).
const MODULUS: &[u8; 96] = b"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
/// KoalaBear's modulus, 2^31 - 2^24 + 1.
const KOALA_BEAR: u64 = 0x7f00_0001;

/// Checks all of it. The first byte chooses: even operations on the field, 1 hashes, 3 keys.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    match input.below(4) {
        1 => hashes(&mut input),
        3 => return keys(&mut input),
        _ => field(&mut input),
    }
    true
}

fn modulus() -> BigUint {
    BigUint::parse_bytes(MODULUS, 16).expect("hexadecimal digits")
}

fn integer(limbs: &Limbs) -> BigUint {
    BigUint::from_bytes_le(&limbs.map(u64::to_le_bytes).concat())
}

fn limbs(value: &BigUint) -> Limbs {
    let mut limbs = [0; 6];
    for (limb, digit) in limbs.iter_mut().zip(value.iter_u64_digits()) {
        *limb = digit;
    }
    limbs
}

/// Any number below 2^384, often one at an edge.
fn operand(input: &mut Input<'_>) -> BigUint {
    let (edge, distance) = (input.below(6), BigUint::from(input.byte()));
    match edge {
        0 => distance,
        1 => modulus() - distance,
        2 => modulus() + distance,
        3 => (modulus() >> 1) + distance,
        4 => (BigUint::from(1u8) << 384) - 1u8 - distance,
        _ => BigUint::from_bytes_le(&input.array::<48>()),
    }
}

/// A walk: each result is the next operation's first operand.
fn field(input: &mut Input<'_>) {
    let p = modulus();
    let mut a = operand(input);
    while !input.is_empty() {
        let operation = input.below(8);
        let mut b = operand(input);
        // The machine's contract: a difference's first operand is below p, and one of a sum's and a product's.
        if matches!(operation, 1 | 6) {
            a %= &p;
        } else if a >= p {
            b %= &p;
        }
        let (mut left, right) = (limbs(&a), limbs(&b));
        let mut element = Fp::<Portable>::new(left);
        let wanted = match operation {
            0 => {
                Portable::add(&mut left, &right);
                a + b
            }
            1 => {
                Portable::sub(&mut left, &right);
                a + &p - b % &p
            }
            2 => {
                Portable::mul(&mut left, &right);
                a * b
            }
            3 => {
                left = limbs(&(&a % &p));
                Portable::square(&mut left);
                &a * &a
            }
            4 => {
                left = limbs(&(&a % &p));
                Portable::double(&mut left);
                &a + &a
            }
            5 => {
                element += &Fp::new(right);
                left = *element.limbs();
                a + b
            }
            6 => {
                element -= &Fp::new(right);
                left = *element.limbs();
                a + &p - b % &p
            }
            _ => {
                element *= &Fp::new(right);
                left = *element.limbs();
                a * b
            }
        } % &p;
        assert_eq!(integer(&left), wanted, "operation {operation}");
        // Every few steps from an operand that is not canonical.
        a = if operation == 3 { operand(input) } else { wanted };
    }
}

fn hashes(input: &mut Input<'_>) {
    let length = input.below(56);
    let message = input.bytes(length);
    let mut block = [0; 64];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    block[56..].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
    let mut schedule = [0; 64];
    for (cell, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
        *cell = u64::from(u32::from_be_bytes(*bytes));
    }
    let mut state = INITIAL_STATE;
    Portable::sha256_block(&mut state, &mut schedule);
    let digest: Vec<u8> = state.iter().flat_map(|word| (*word as u32).to_be_bytes()).collect();
    assert_eq!(digest[..], Sha256::digest(message)[..]);
    assert!(state.iter().all(|word| *word <= u64::from(u32::MAX)));

    let mut elements: [u64; 8] = core::array::from_fn(|_| {
        let [low, high] = [input.array(), input.array()].map(u32::from_le_bytes);
        (u64::from(low) % KOALA_BEAR) | ((u64::from(high) % KOALA_BEAR) << 32)
    });
    let before = elements;
    Portable::poseidon2(&mut elements);
    assert_ne!(elements, before, "a permutation without a fixed point that anyone knows");
    assert!(elements.iter().all(|word| word & 0xffff_ffff < KOALA_BEAR && word >> 32 < KOALA_BEAR));
}

/// FIPS 180-4, section 5.3.3.
const INITIAL_STATE: [u64; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// An aggregate key alone, under a signature that is none: the check comes to it if it took the key.
fn keys(input: &mut Input<'_>) -> bool {
    let statement = Statement {
        aggregate: input.array(),
        absent: Vec::new(),
        root: [0; 32],
        signature: [0; 96],
    };
    let key = &statement.aggregate;
    let is_point = blst_key(key).is_some() || is_of_order_3(key);
    let mut hints = statement.hints_of_keys();
    let refused = if is_point { Refused::MalformedSignature } else { Refused::MalformedKey };
    assert_eq!(statement.verify(hints.clone()), Err(refused));

    let y = hints.len() - statement.words_of_keys();
    let right = hints[y..].to_vec();
    hints[y..].copy_from_slice(&limbs(&operand(input)));
    if hints[y..] != right {
        assert_eq!(statement.verify(hints), Err(Refused::MalformedKey), "another y");
    }
    is_point
}
