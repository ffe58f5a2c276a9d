//! Every instruction of RV64IM against Rust's integers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use lc_emulator::Memory;
use proptest::{prelude::*, sample::select};
use support::{DATA, Source, TEXT, addi, branch, i, jal, ld, li, r, sd, show, store, upper};

type Binary = fn(u64, u64) -> u64;

/// Base of the data, operands and result in the test programs.
const BASE: u32 = 20;
const A: u32 = 21;
const B: u32 = 22;
const TO: u32 = 23;

/// Numbers whose halves and signs are at their limits, and any.
fn number() -> impl Strategy<Value = u64> {
    let edges = [0, 1, 2, 31, 32, 63, 64, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32]
        .into_iter()
        .chain([u64::MAX, u64::MAX - 1, 1 << 63, u64::MAX >> 1, 0xffff_ffff_8000_0000]);
    prop_oneof![any::<u64>(), select(edges.collect::<Vec<_>>())]
}

/// Runs `operations` between loading two operands and storing `TO`, each for itself.
fn results(operations: &[u32], a: u64, b: u64) -> Vec<u64> {
    let mut code = li(BASE, DATA);
    code.extend([ld(A, BASE, 0), ld(B, BASE, 8)]);
    for (slot, operation) in (2..).zip(operations) {
        code.extend([*operation, sd(TO, BASE, 8 * slot)]);
    }
    let length = 8 * operations.len() as u64;
    code.extend(show(DATA + 16, length));
    let source =
        Source { code, data: [vec![a, b], vec![0; operations.len()]].concat(), functions: &[] };
    let run = source.run_with(&[], Memory::Random { seed: a ^ b }).unwrap();
    run.public_values.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

fn word(value: i32) -> u64 {
    i64::from(value).cast_unsigned()
}

/// Quotient and remainder as the M extension defines them, in wider integers.
fn divide(a: i128, b: i128, all_ones: i128) -> [i128; 2] {
    if b == 0 { [all_ones, a] } else { [a / b, a % b] }
}

fn signed(value: u64) -> i128 {
    value.cast_signed().into()
}

fn signed_32(value: u64) -> i128 {
    (value as u32).cast_signed().into()
}

fn unsigned_32(value: u64) -> i128 {
    (value as u32).into()
}

/// A result of 32 bits, sign-extended.
fn low(value: i128) -> u64 {
    word(value as i32)
}

const REGISTER: [(u32, u32, Binary); 18] = [
    (0, 0, |a, b| (signed(a) + signed(b)) as u64),
    (0x20, 0, |a, b| (signed(a) - signed(b)) as u64),
    (0, 1, |a, b| ((a as u128) << (b % 64)) as u64),
    (0, 2, |a, b| (signed(a) < signed(b)).into()),
    (0, 3, |a, b| (a < b).into()),
    (0, 4, |a, b| a ^ b),
    (0, 5, |a, b| a >> (b % 64)),
    (0x20, 5, |a, b| (signed(a) >> (b % 64)) as u64),
    (0, 6, |a, b| a | b),
    (0, 7, |a, b| a & b),
    (1, 0, |a, b| signed(a).wrapping_mul(signed(b)) as u64),
    (1, 1, |a, b| ((signed(a) * signed(b)) >> 64) as u64),
    (1, 2, |a, b| ((signed(a) * i128::from(b)) >> 64) as u64),
    (1, 3, |a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64),
    (1, 4, |a, b| divide(signed(a), signed(b), -1)[0] as u64),
    (1, 5, |a, b| divide(a.into(), b.into(), -1)[0] as u64),
    (1, 6, |a, b| divide(signed(a), signed(b), -1)[1] as u64),
    (1, 7, |a, b| divide(a.into(), b.into(), -1)[1] as u64),
];

const REGISTER_32: [(u32, u32, Binary); 10] = [
    (0, 0, |a, b| low(signed_32(a) + signed_32(b))),
    (0x20, 0, |a, b| low(signed_32(a) - signed_32(b))),
    (0, 1, |a, b| low(signed_32(a) << (b % 32))),
    (0, 5, |a, b| low(unsigned_32(a) >> (b % 32))),
    (0x20, 5, |a, b| low(signed_32(a) >> (b % 32))),
    (1, 0, |a, b| low(signed_32(a) * signed_32(b))),
    (1, 4, |a, b| low(divide(signed_32(a), signed_32(b), -1)[0])),
    (1, 5, |a, b| low(divide(unsigned_32(a), unsigned_32(b), -1)[0])),
    (1, 6, |a, b| low(divide(signed_32(a), signed_32(b), -1)[1])),
    (1, 7, |a, b| low(divide(unsigned_32(a), unsigned_32(b), -1)[1])),
];

#[test]
fn division_by_zero_and_overflow_are_as_the_specification_says() {
    let operations: Vec<_> = (4..8).map(|f3| r(0x33, f3, 1, [TO, A, B])).collect();
    assert_eq!(results(&operations, 7, 0), [u64::MAX, u64::MAX, 7, 7]);
    let least = 1 << 63;
    assert_eq!(results(&operations, least, u64::MAX), [least, 0, 0, least]);
    let words: Vec<_> = (4..8).map(|f3| r(0x3b, f3, 1, [TO, A, B])).collect();
    let least = word(i32::MIN);
    assert_eq!(results(&words, least, u64::MAX), [least, 0, 0, least]);
    assert_eq!(results(&words, 0xffff_ffff, 1 << 32), [u64::MAX; 4]);
}

proptest! {
    #[test]
    fn register_operations_are_those_of_integers(a in number(), b in number()) {
        let doubles = REGISTER.map(|(f7, f3, _)| r(0x33, f3, f7, [TO, A, B]));
        let words = REGISTER_32.map(|(f7, f3, _)| r(0x3b, f3, f7, [TO, A, B]));
        let operations = REGISTER.iter().chain(&REGISTER_32);
        let wanted: Vec<_> = operations.map(|(.., operation)| operation(a, b)).collect();
        prop_assert_eq!(results(&[&doubles[..], &words].concat(), a, b), wanted);
    }

    #[test]
    fn immediate_operations_are_those_of_integers(a in number(), b in -2048i32..2048) {
        let with = |opcode, f3, value| i(opcode, f3, [TO, A], value);
        let (shift, shift_32) = (b & 63, b & 31);
        let operations = [
            with(0x13, 0, b), with(0x13, 2, b), with(0x13, 3, b), with(0x13, 4, b), with(0x13, 6, b),
            with(0x13, 7, b), with(0x13, 1, shift), with(0x13, 5, shift), with(0x13, 5, shift | 0x400),
            with(0x1b, 0, b), with(0x1b, 1, shift_32), with(0x1b, 5, shift_32),
            with(0x1b, 5, shift_32 | 0x400),
        ];
        let same = [
            REGISTER[0], REGISTER[3], REGISTER[4], REGISTER[5], REGISTER[8], REGISTER[9],
            REGISTER[2], REGISTER[6], REGISTER[7],
            REGISTER_32[0], REGISTER_32[2], REGISTER_32[3], REGISTER_32[4],
        ];
        let wanted: Vec<_> = same.map(|(.., operation)| operation(a, word(b))).into();
        prop_assert_eq!(results(&operations, a, 0), wanted);
    }

    #[test]
    fn loads_take_bytes_with_their_sign_or_without(a: u64, b: u64) {
        let (mut operations, mut wanted) = (vec![], vec![]);
        let memory = u128::from(b) << 64 | u128::from(a);
        for (f3, bytes) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 1), (5, 2), (6, 4)] {
            for offset in (0..16).step_by(bytes) {
                operations.push(i(0x03, f3, [TO, BASE], offset));
                let top = memory >> (8 * offset) << (128 - 8 * bytes);
                let down = 128 - 8 * bytes;
                wanted.push(if f3 < 4 { (top.cast_signed() >> down) as u64 } else { (top >> down) as u64 });
            }
        }
        prop_assert_eq!(results(&operations, a, b), wanted);
    }

    #[test]
    fn stores_change_their_bytes_alone(before: u64, value: u64) {
        let mut code = li(BASE, DATA);
        let mut wanted = vec![];
        code.push(ld(A, BASE, 0));
        let places = (0..4).flat_map(|f3| (0..8).step_by(1 << f3).map(move |offset| (f3, offset)));
        for (slot, (f3, offset)) in (1..).zip(places.clone()) {
            code.push(store(f3, A, BASE, 8 * slot + offset));
            let mut bytes = before.to_le_bytes();
            let (offset, size) = (offset as usize, 1 << f3);
            bytes[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
            wanted.extend(bytes);
        }
        code.extend(show(DATA + 8, wanted.len() as u64));
        let data = [vec![value], vec![before; wanted.len() / 8]].concat();
        let source = Source { code, data, functions: &[] };
        prop_assert_eq!(source.run_with(&[], Memory::Zero).unwrap().public_values, wanted);
    }

    #[test]
    fn branches_compare_as_integers_do(a in number(), other in number(), same: bool) {
        let b = if same { a } else { other };
        let mut code = li(BASE, DATA);
        code.extend([ld(A, BASE, 0), ld(B, BASE, 8)]);
        for f3 in [0, 1, 4, 5, 6, 7] {
            // Taken: over the store of a zero.
            code.extend([branch(f3, A, B, 8), store(0, 0, BASE, 16 + f3.cast_signed())]);
        }
        code.extend(show(DATA + 16, 8));
        let source = Source { code, data: vec![a, b, u64::MAX], functions: &[] };
        let taken = source.run_with(&[], Memory::Zero).unwrap().public_values;
        let (less, less_unsigned) = (signed(a) < signed(b), a < b);
        let wanted = [a == b, a != b, true, true, less, !less, less_unsigned, !less_unsigned];
        prop_assert_eq!(taken, wanted.map(|taken| if taken { 255 } else { 0 }));
    }

    #[test]
    fn upper_immediates_are_sign_extended(value in 0u32..1 << 20) {
        let wanted = word((value << 12).cast_signed());
        let prologue = li(BASE, DATA).len() as u64 + 2;
        let found = results(&[upper(0x37, TO, value), upper(0x17, TO, value)], 0, 0);
        // The second comes after the first and the store of its result.
        prop_assert_eq!(found, [wanted, wanted.wrapping_add(TEXT + 4 * (prologue + 2))]);
    }
}

#[test]
fn a_loop_branches_back() {
    let code = [
        li(A, 1000),
        vec![addi(TO, TO, 3), addi(A, A, -1), branch(1, A, 0, -8)],
        li(BASE, DATA),
        vec![sd(TO, BASE, 0)],
        show(DATA, 8),
    ];
    let source = Source { code: code.concat(), data: vec![0], functions: &[] };
    let run = source.run_with(&[], Memory::Zero).unwrap();
    assert_eq!(run.public_values, 3000u64.to_le_bytes());
    assert_eq!(run.cycles, 3000 + source.code.len() as u64 - 3);
}

#[test]
fn jumps_link_and_land_far_away() {
    // Forward over 1000 instructions that would end the program, on to a register's target without its lowest bit,
    // and back to the end.
    let mut code = vec![jal(A, 4 * 1001)];
    code.extend([0xc000_1073; 1000]);
    let end = code.len() as u64;
    code.extend(li(BASE, DATA));
    code.extend([sd(A, BASE, 0), jal(0, 8), 0xc000_1073]);
    code.extend([upper(0x17, B, 0), i(0x67, 0, [TO, B], 4 * 3 + 1), 0xc000_1073]);
    let link = TEXT + 4 * (code.len() as u64 - 1);
    code.push(sd(TO, BASE, 8));
    code.extend(show(DATA, 16));
    let source = Source { code, data: vec![0; 2], functions: &[] };
    let run = source.run_with(&[], Memory::Zero).unwrap();
    assert_eq!(run.public_values, [TEXT + 4, link].map(u64::to_le_bytes).concat());
    assert!(run.cycles < end);
}

#[test]
fn register_zero_stays_zero() {
    let code = [li(BASE, DATA), vec![addi(0, BASE, 1), ld(0, BASE, 0), jal(0, 4), sd(0, BASE, 0)]];
    let code = [code.concat(), show(DATA, 8)].concat();
    let source = Source { code, data: vec![u64::MAX], functions: &[] };
    assert_eq!(source.run_with(&[], Memory::Zero).unwrap().public_values, [0; 8]);
}
