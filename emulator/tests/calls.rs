//! What system calls answer, and what memory holds at the start.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use lc_emulator::{Memory, Program, Run, Syscall};
use proptest::{prelude::*, sample::select};
use sha2::{Digest as _, Sha256};
use support::{DATA, LIMIT, OUTSIDE, Source, TEXT, addi, call, i, jal, ld, li, sd, show, succeed};

/// Limbs of the BLS12-381 base field's modulus, less one.
const MINUS_ONE: [u64; 6] = [
    0xb9fe_ffff_ffff_aaaa,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

const IV: [u64; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

fn run(code: &[Vec<u32>], data: &[u64], input: &[u8], memory: Memory) -> Run {
    Source { code: code.concat(), data: data.to_vec(), functions: &[] }
        .run_with(input, memory)
        .unwrap()
}

/// The words of `data` from `place` on, after the call.
fn after(code: Vec<u32>, data: &[u64], place: usize) -> Vec<u64> {
    let (start, length) = (DATA + 8 * place as u64, 8 * (data.len() - place) as u64);
    let run = run(&[code, show(start, length)], data, &[], Memory::Random { seed: 0 });
    run.public_values.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

#[test]
fn field_operations_are_those_of_the_field() {
    let [five, seven, one]: [[u64; 6]; 3] = [5, 7, 1].map(|value| [value, 0, 0, 0, 0, 0]);
    let operation = |number, a: [u64; 6], b: [u64; 6]| {
        after(call(number, &[DATA + 48, DATA]), &[b, a].concat(), 6)
    };
    let [add, sub, mul] = [0x01_0120, 0x01_0121, 0x01_0122];
    assert_eq!(operation(add, five, seven)[0], 12);
    assert_eq!(operation(add, MINUS_ONE, five)[..2], [4, 0]);
    assert_eq!(operation(sub, seven, five)[..2], [2, 0]);
    assert_eq!(operation(sub, [0; 6], one), MINUS_ONE);
    assert_eq!(operation(mul, five, seven)[0], 35);
    assert_eq!(operation(mul, MINUS_ONE, MINUS_ONE), one);
    // In place, with itself.
    assert_eq!(after(call(mul, &[DATA, DATA]), &five, 0)[0], 25);
}

fn sha_block(message: &[u8]) -> Vec<u64> {
    let mut block = [message, &[0x80]].concat();
    block.resize(56, 0);
    block.extend((8 * message.len() as u64).to_be_bytes());
    let words = block.as_chunks::<4>().0.iter();
    words.map(|word| u64::from(u32::from_be_bytes(*word))).collect()
}

#[test]
fn sha_calls_make_a_digest() {
    let schedule = [sha_block(b"abc"), vec![u64::MAX; 48]].concat();
    let calls = [call(0x30_0105, &[DATA, 0]), call(0x01_0106, &[DATA, DATA + 512])].concat();
    let state = after(calls, &[schedule, IV.to_vec()].concat(), 64);
    let digest: Vec<u8> = state.iter().flat_map(|word| (*word as u32).to_be_bytes()).collect();
    assert_eq!(digest, Sha256::digest(b"abc")[..]);
}

#[test]
fn rounds_take_the_schedule_as_it_is() {
    // With the schedule's last word changed, the last round adds so much more to two words of the state.
    let schedule =
        after(call(0x30_0105, &[DATA, 0]), &[sha_block(b"abc"), vec![0; 48]].concat(), 0);
    let compress = |schedule: &[u64]| {
        after(call(0x01_0106, &[DATA, DATA + 512]), &[schedule, &IV].concat(), 64)
    };
    let (mut changed, before) = (schedule.clone(), compress(&schedule));
    changed[63] ^= 1;
    let difference = changed[63].wrapping_sub(schedule[63]) as u32;
    for (i, (after, before)) in compress(&changed).iter().zip(&before).enumerate() {
        let wanted = if i == 0 || i == 4 { difference } else { 0 };
        assert_eq!((*after as u32).wrapping_sub(*before as u32), wanted, "word {i}");
    }
}

#[test]
fn permutations_are_the_known_ones() {
    // Keccak-f[1600] of zeros, from the Keccak team's test vectors.
    let lanes = after(call(0x01_0109, &[DATA, 0]), &[0; 25], 0);
    assert_eq!(lanes[..2], [0xf125_8f79_40e1_dde7, 0x84d5_ccf9_33c0_478a]);
    // Zeros are taken to no zero, halves stay below the modulus, and other halves go elsewhere.
    let poseidon = |first| after(call(0x0133, &[DATA, 0]), &[first, 0, 0, 0, 0, 0, 0, 0], 0);
    let halves: Vec<u64> =
        poseidon(0).iter().flat_map(|word| [word >> 32, word & 0xffff_ffff]).collect();
    assert!(halves.iter().all(|half| (1..0x7f00_0001).contains(half)), "{halves:x?}");
    assert_ne!(poseidon(0), poseidon(1));
}

#[test]
fn calls_leave_their_number_and_the_length_of_the_input() {
    let hint = call(0xf1, &[OUTSIDE, 3]);
    let save = |slot| vec![sd(5, 20, 8 * slot)];
    let base = li(20, DATA);
    let code =
        [base, call(0xf0, &[]), save(0), hint, save(1), call(0xf0, &[]), save(2), show(DATA, 24)];
    let run = run(&code, &[0; 3], b"abc", Memory::Zero);
    assert_eq!(run.public_values, [3, 0xf1, u64::MAX].map(u64::to_le_bytes).concat());
}

#[test]
fn writes_go_where_they_belong_and_touch_nothing() {
    let write = |descriptor, start, length| call(2, &[descriptor, start, length]);
    let data = u64::from_le_bytes(*b"out,err.");
    let code =
        [write(1, DATA, 4), write(2, DATA + 4, 3), write(13, DATA + 7, 1), write(13, DATA + 5, 0)];
    let run = run(&[&code[..], &[succeed(b".")]].concat(), &[data], &[], Memory::Zero);
    assert_eq!((run.output, run.public_values), (b"out,err".to_vec(), b".".to_vec()));
    assert_eq!((run.exit_code, run.touched_words), (0, 0));
    assert_eq!(run.syscalls[&Syscall::Write], 4);
}

#[test]
fn memory_is_zero_or_random_but_what_the_image_says_is_fixed() {
    // An image of 12 bytes of data and 4 of .bss: of the second word, the file has one half.
    let code = [show(DATA, 24)];
    let mut elf = Source { code: code.concat(), data: vec![1, u64::MAX], functions: &[] }.elf();
    elf[64 + 56 + 32] = 12;
    let program = Program::from_elf(&elf).unwrap();
    let words = |memory| program.run(&[], memory, LIMIT).unwrap().public_values;
    let image = [1, 0xffff_ffff].map(u64::to_le_bytes).concat();
    let random = |seed| words(Memory::Random { seed });
    assert_eq!(words(Memory::Zero), [&image[..], &[0; 8]].concat());
    assert_eq!(random(5)[..16], image);
    assert_eq!(random(5), random(5));
    assert_ne!(random(5)[16..], [0; 8]);
    assert_ne!(random(5), random(6));
}

#[test]
fn what_is_touched_first_does_not_change_what_memory_held() {
    let touch = |at| vec![ld(2, 20, at)];
    let words = |order: [i32; 2]| {
        let code = [li(20, OUTSIDE), touch(order[0]), touch(order[1]), show(OUTSIDE, 16)];
        run(&code, &[], &[], Memory::Random { seed: 9 }).public_values
    };
    assert_eq!(words([0, 8]), words([8, 0]));
}

#[test]
fn what_lies_behind_an_input_is_random_too() {
    let hint = |input: &[u8], memory| {
        let code = [call(0xf1, &[OUTSIDE, input.len() as u64]), show(OUTSIDE, 24)];
        run(&code, &[], input, memory).public_values
    };
    assert_eq!(hint(&[7; 11], Memory::Zero), [vec![7; 11], vec![0; 13]].concat());
    let random = |input: &[u8]| hint(input, Memory::Random { seed: 1 });
    assert_eq!(random(&[7; 11])[..11], [7; 11]);
    assert_ne!(random(&[7; 11])[11..16], [0; 5]);
    assert_eq!(random(&[7; 16])[..16], [7; 16]);
    assert_ne!(random(&[7; 16])[16..], [0; 8]);
    assert_eq!(random(&[7; 16])[16..], random(&[])[16..]);
}

#[test]
fn a_profile_attributes_instructions_calls_and_first_touches() {
    // main: calls sum three times, then ends. sum: two loads and a field operation.
    let mut code = vec![jal(1, 0); 3];
    code.extend(succeed(&[]));
    let sum = code.len() as u64;
    code.extend(
        [li(20, DATA), vec![ld(2, 20, 0), ld(2, 20, 40)], call(0x01_0120, &[DATA, DATA])].concat(),
    );
    code.extend([sd(0, 20, 48), i(0x67, 0, [0, 1], 0)]);
    for (place, jump) in code[..3].iter_mut().enumerate() {
        *jump = jal(1, 4 * (sum as i32 - place as i32));
    }
    let functions = [(TEXT, "main"), (TEXT + 4 * sum, "_ZN3our3sum17h0123456789abcdefE")];
    let all = code.len() as u64;
    let run = Source { code, data: vec![1; 6], functions: &functions }
        .run_with(&[], Memory::Random { seed: 3 })
        .unwrap();

    let [first, second] = &run.profile.functions[..] else { panic!("{}", run.profile) };
    let (main, sum_of) = if first.name == "main" { (first, second) } else { (second, first) };
    assert_eq!((main.cycles, main.touched_words), (sum, 0));
    assert_eq!((sum_of.name.as_str(), sum_of.cycles), ("our::sum", 3 * (all - sum)));
    // Six words of the image, and one outside.
    assert_eq!((sum_of.touched_words, run.touched_words), (7, 7));
    assert_eq!(sum_of.syscalls.iter().collect::<Vec<_>>(), [(&Syscall::FpAdd, &3)]);
    assert_eq!(run.syscalls[&Syscall::Commit], 8);
    assert_eq!(run.cycles, main.cycles + sum_of.cycles);
    assert_eq!(run.image_words, (all as usize).div_ceil(2) + 6);

    let table = run.profile.to_string();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].ends_with("keccak  function"), "{table}");
    let row = lines.iter().find(|line| line.ends_with("our::sum")).unwrap();
    let percent = format!("{:.2}", sum_of.cycles as f64 * 100.0 / run.cycles as f64);
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, [&sum_of.cycles.to_string(), &percent, "7", "3", "0", "0", "0", "our::sum"]);
    assert!(lines.last().unwrap().ends_with("(total)"), "{table}");
}

#[test]
fn text_can_be_written_but_what_runs_stays() {
    let mut code = [li(20, TEXT), vec![addi(3, 0, 1)]].concat();
    code.extend([sd(0, 20, 0), jal(0, 4)]);
    let run = run(&[code, show(TEXT, 8)], &[], &[], Memory::Zero);
    assert_eq!(run.public_values, [0; 8]);
}

/// Any word of an opcode that exists.
fn word() -> impl Strategy<Value = u32> {
    let opcodes = [0x03, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x33, 0x37, 0x3b, 0x63, 0x67, 0x6f, 0x73];
    (any::<u32>(), select(opcodes.to_vec())).prop_map(|(word, opcode)| word & !0x7f | opcode)
}

proptest! {
    #[test]
    fn no_file_makes_the_emulator_panic(at in 0usize..1500, byte: u8) {
        let code = [succeed(&[])].concat();
        let mut elf = Source { code, data: vec![1; 4], functions: &[(TEXT, "main")] }.elf();
        let at = at % elf.len();
        elf[at] = byte;
        if let Ok(program) = Program::from_elf(&elf) {
            let _ = program.run(&[], Memory::Random { seed: 1 }, LIMIT);
        }
    }

    #[test]
    fn no_instructions_make_the_emulator_panic(code in prop::collection::vec(word(), 1..8), x: u64) {
        let code = [li(10, x), li(11, DATA), li(5, 0x01_0120), code].concat();
        let elf = Source { code, data: vec![1; 12], functions: &[] }.elf();
        if let Ok(program) = Program::from_elf(&elf) {
            let _ = program.run(&[], Memory::Random { seed: 1 }, LIMIT);
        }
    }
}
