//! Every reason for which a run is refused, provoked and read.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use lc_emulator::{ElfError, Fault, Memory, Program, Reason};
use support::{DATA, LIMIT, OUTSIDE, Source, TEXT, addi, call, i, jal, ld, li, sd, succeed};

const FP_ADD: u64 = 0x01_0120;
const FP_SUB: u64 = 0x01_0121;
const FP_MUL: u64 = 0x01_0122;
const SHA_EXTEND: u64 = 0x30_0105;
const SHA_COMPRESS: u64 = 0x01_0106;
const KECCAK: u64 = 0x01_0109;
const POSEIDON2: u64 = 0x0133;

/// Limbs of the BLS12-381 base field's modulus.
const P: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// Runs code with some data, zero memory and four bytes of input.
fn run(code: &[Vec<u32>], data: &[u64]) -> Result<lc_emulator::Run, Fault> {
    Source { code: code.concat(), data: data.to_vec(), functions: &[] }
        .run_with(&[1, 2, 3, 4], Memory::Zero)
}

/// The text of what is wrong with code that ends well after it.
fn refused(code: &[Vec<u32>], data: &[u64]) -> String {
    let run = run(&[code, &[succeed(&[])]].concat(), data);
    run.unwrap_err().reason.to_string()
}

#[test]
fn a_fault_names_its_place() {
    let functions = [(TEXT, "_ZN4core3fmt5write17h0123456789abcdefE"), (TEXT + 8, "last")];
    let source = Source { code: vec![addi(1, 0, 1), 0xf], data: vec![], functions: &functions };
    let fault = source.run_with(&[], Memory::Zero).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "at 0x78000004 in core::fmt::write: instruction 0x0000000f, wanted one of RV64IM: SP1 has no circuit for others"
    );
    assert_eq!(fault.pc, TEXT + 4);
}

#[test]
fn instructions_without_a_circuit() {
    // ebreak, fence, unimp.
    for word in [0x0010_0073, 0x0ff0_000f, 0xc000_1073] {
        let fault = run(&[vec![word]], &[]).unwrap_err();
        assert_eq!(fault.reason, Reason::Instruction { word });
    }
}

#[test]
fn jumps_to_where_nothing_is() {
    let to = |address: u64| refused(&[li(1, address), vec![i(0x67, 0, [0, 1], 0)]], &[0]);
    assert!(to(DATA).starts_with(
        "jumped to 0x78100000, wanted an address divisible by 4 within 0x78000000..0x78000"
    ));
    assert!(to(TEXT + 2).starts_with("jumped to 0x78000002,"));
    assert!(to(TEXT - 4).starts_with("jumped to 0x77fffffc,"));
    // Past the last instruction: the fault is the last one's.
    let fault = run(&[vec![addi(1, 0, 1)]], &[]).unwrap_err();
    assert_eq!(
        (fault.pc, fault.reason),
        (TEXT, Reason::Jump { to: TEXT + 4, start: TEXT, end: TEXT + 4 })
    );
}

#[test]
fn endless_loops() {
    let fault = run(&[vec![jal(0, 0)]], &[]).unwrap_err();
    assert_eq!(
        fault.reason.to_string(),
        format!("still running after {LIMIT} instructions: raise the limit if it is not in a loop")
    );
}

#[test]
fn accesses_across_words_and_outside_of_memory() {
    for (f3, bytes) in [(1, 2), (2, 4), (3, 8)] {
        for offset in 1..bytes {
            let wanted = format!("address {:#x}, wanted one divisible by {bytes}", DATA + offset);
            let load = i(0x03, f3, [2, 1], offset as i32);
            assert_eq!(refused(&[li(1, DATA), vec![load]], &[0]), wanted);
            let store = support::store(f3, 2, 1, offset as i32);
            assert_eq!(refused(&[li(1, DATA), vec![store]], &[0]), wanted);
        }
    }
    for address in [0, 0xfff8, 1 << 40, u64::MAX - 7] {
        let wanted = format!("address {address:#x}, wanted one within 0x10000..0x10000000000");
        assert_eq!(refused(&[li(1, address), vec![ld(2, 1, 0)]], &[]), wanted);
        assert_eq!(refused(&[li(1, address), vec![sd(2, 1, 0)]], &[]), wanted);
    }
    for address in [1 << 16, (1 << 40) - 8] {
        run(&[li(1, address), vec![sd(2, 1, 0)], succeed(&[])], &[]).unwrap();
    }
}

#[test]
fn operands_of_calls_across_words_and_outside_of_memory() {
    for (number, words) in [(SHA_EXTEND, 64), (KECCAK, 25), (POSEIDON2, 8)] {
        assert_eq!(
            refused(&[call(number, &[DATA + 4, 0])], &[0; 65]),
            "address 0x78100004, wanted one divisible by 8"
        );
        let end = (1 << 40) - 8 * (words - 1);
        let text = refused(&[call(number, &[end, 0])], &[]);
        assert_eq!(text, "address 0x10000000000, wanted one within 0x10000..0x10000000000");
    }
    for number in [FP_ADD, FP_SUB, FP_MUL, SHA_COMPRESS] {
        for arguments in [[DATA, DATA + 1], [DATA + 1, DATA]] {
            let text = refused(&[call(number, &arguments)], &[0; 65]);
            assert_eq!(text, "address 0x78100001, wanted one divisible by 8");
        }
    }
}

#[test]
fn unknown_calls_and_arguments() {
    let wanted = "system call 0x10125, wanted one that the emulator has: see `Syscall`";
    assert_eq!(refused(&[call(0x01_0125, &[DATA, DATA])], &[0; 24]), wanted);
    // Above 32 bits SP1's executor does not look.
    assert!(
        refused(&[call(1 << 32 | FP_ADD, &[DATA, DATA])], &[0; 24])
            .starts_with("system call 0x100010120")
    );
    for (number, name) in
        [(SHA_EXTEND, "SHA_EXTEND"), (KECCAK, "KECCAK_PERMUTE"), (POSEIDON2, "POSEIDON2")]
    {
        let text = refused(&[call(number, &[DATA, 0x10])], &[0; 64]);
        assert_eq!(text, format!("{name} with 0x10 in a1, wanted 0"));
    }
}

#[test]
fn writes() {
    let write = |arguments: &[u64]| refused(&[call(2, arguments)], &[0]);
    assert_eq!(
        write(&[15, DATA, 8]),
        "WRITE to file descriptor 15, wanted 1, 2 or 13: hooks are not emulated"
    );
    assert_eq!(write(&[1, DATA, 1 << 27]), "WRITE of 134217728 bytes, wanted at most 67108864");
    assert!(write(&[1, 1 << 40, 1]).starts_with("address 0x10000000001, wanted"));
    assert!(write(&[1, u64::MAX, 1]).starts_with("address 0xffffffffffffffff, wanted"));
}

#[test]
fn hints() {
    let hint = |start: u64, length: u64| call(0xf1, &[start, length]);
    let text = refused(&[hint(OUTSIDE, 4), hint(OUTSIDE + 64, 4)], &[]);
    assert_eq!(text, "HINT_READ, wanted only one: the whole input was read before");
    let text = refused(&[hint(OUTSIDE, 5)], &[]);
    assert_eq!(text, "HINT_READ of 5 bytes, wanted 4: all of the input");
    assert_eq!(
        refused(&[hint(OUTSIDE + 4, 4)], &[]),
        "address 0x78200004, wanted one divisible by 8"
    );

    let wanted = "wanted untouched words outside the image";
    let text = refused(&[hint(DATA, 4)], &[0]);
    assert_eq!(text, format!("HINT_READ onto the word at 0x78100000, {wanted}"));
    let touches = [vec![sd(0, 1, 8)], vec![ld(2, 1, 8)], call(FP_ADD, &[OUTSIDE + 8, DATA])];
    for touch in touches {
        let code = [li(1, OUTSIDE), touch, hint(OUTSIDE + 8, 4)];
        let text = refused(&code, &[0; 6]);
        assert_eq!(text, format!("HINT_READ onto the word at 0x78200008, {wanted}"));
    }
}

#[test]
fn the_word_after_a_hint_of_whole_words_must_be_untouched_too() {
    let code = [li(1, OUTSIDE), vec![sd(0, 1, 16)], call(0xf1, &[OUTSIDE, 16]), succeed(&[])];
    let source = Source { code: code.concat(), ..Source::default() };
    let fault = source.run_with(&[7; 16], Memory::Zero).unwrap_err();
    assert_eq!(fault.reason, Reason::HintOnUsed { address: OUTSIDE + 16 });
}

#[test]
fn commitments() {
    let commit = |code: &[Vec<u32>]| run(code, &[0]).unwrap_err().reason.to_string();
    assert_eq!(
        commit(&[call(0x10, &[8, 1])]),
        "COMMIT of 0x1 at index 8, wanted 32 bits at an index below 8"
    );
    assert_eq!(
        commit(&[call(0x10, &[0, 1 << 32])]),
        "COMMIT of 0x100000000 at index 0, wanted 32 bits at an index below 8"
    );
    assert!(commit(&[call(0x1a, &[8, 0])]).starts_with("COMMIT_DEFERRED_PROOFS of 0x0 at index 8"));
    assert_eq!(
        commit(&[call(0x10, &[0, 1]), succeed(&[])]),
        "COMMIT of 0x42c4b0e3 at index 0, wanted 0x00000001, committed before"
    );
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        commit(&[call(0x10, &[1, 1]), call(0x1a, &[0, 0]), call(0, &[0])]),
        format!(
            "committed the digest --------01000000{}, wanted {empty}: the SHA-256 of the public values",
            "-".repeat(48)
        )
    );
    assert!(
        commit(&[call(2, &[13, DATA, 1]), succeed(&[])])
            .starts_with("committed the digest e3b0c442")
    );
    assert_eq!(
        commit(&[call(0x1a, &[1, 5]), succeed(&[])]),
        "COMMIT_DEFERRED_PROOFS of 0x5 at index 1, wanted 0 at an index below 8: nothing else is emulated"
    );
    let committed = succeed(&[]);
    // Without the last two calls.
    let end = committed.len() - call(0x1a, &[0, 0]).len() - call(0, &[0]).len();
    assert_eq!(
        commit(&[committed[..end].to_vec(), call(0, &[0])]),
        "COMMIT_DEFERRED_PROOFS never called, wanted 0 at an index below 8: nothing else is emulated"
    );
}

#[test]
fn exit_codes_that_wrap_around() {
    let text = run(&[call(0, &[1 << 32])], &[]).unwrap_err().reason.to_string();
    assert_eq!(text, "exit code 4294967296, wanted one below 2130706433");
    assert_eq!(run(&[call(0, &[0x7f00_0000])], &[]).unwrap().exit_code, 0x7f00_0000);
}

#[test]
fn words_that_only_calls_touch() {
    let add = call(FP_ADD, &[OUTSIDE, DATA]);
    let text = refused(std::slice::from_ref(&add), &[1; 6]);
    assert_eq!(
        text,
        "BLS12381_FP_ADD touches the word at 0x78200000 that no instruction loads or stores, wanted it stored first: \
         SP1's prover initializes no other (its verifier says `global cumulative sum is not zero`)"
    );
    // Of the second operand too, and of the one word that was left out.
    assert!(refused(&[call(FP_ADD, &[DATA, OUTSIDE])], &[1; 6]).contains("0x78200000"));
    let some = [li(1, OUTSIDE), (0..5).map(|word| sd(0, 1, 8 * word)).collect()].concat();
    assert!(refused(&[some, add.clone()], &[1; 6]).contains("0x78200028"));

    let all: Vec<u32> = [li(1, OUTSIDE), (0..6).map(|word| ld(2, 1, 8 * word)).collect()].concat();
    // Before or after, SP1's prover does not care.
    for code in [[all.clone(), add.clone()], [add.clone(), all]] {
        run(&[code.concat(), succeed(&[])], &[1; 6]).unwrap();
    }
    // No one proves a run that fails.
    run(&[add, call(0, &[1])], &[1; 6]).unwrap();
}

#[test]
fn operands_that_circuits_do_not_take() {
    // p, p + 1, 2p and 0.
    let mut more = P;
    more[0] += 1;
    let twice = {
        let wide = P.map(|limb| u128::from(limb) * 2);
        let mut carry = 0;
        wide.map(|limb| {
            let sum = limb + carry;
            carry = sum >> 64;
            sum as u64
        })
    };
    let data = [P, more, twice, [0; 6]].concat();
    let [p, more, twice, zero] = [0, 48, 96, 144].map(|offset| DATA + offset);

    let wanted = "BLS12381_FP_MUL with an operand at 0x78100000, wanted one of them below p";
    assert_eq!(refused(&[call(FP_MUL, &[p, more])], &data), wanted);
    let wanted = "BLS12381_FP_SUB with an operand at 0x78100000, wanted the first below p, the second \
                  at most p above it";
    assert_eq!(refused(&[call(FP_SUB, &[p, zero])], &data), wanted);
    assert!(refused(&[call(FP_SUB, &[zero, more])], &data).starts_with("BLS12381_FP_SUB with"));
    for taken in [
        call(FP_MUL, &[p, zero]),
        call(FP_MUL, &[zero, p]),
        call(FP_ADD, &[twice, twice]),
        call(FP_SUB, &[zero, p]),
    ] {
        run(&[taken, succeed(&[])], &data).unwrap();
    }

    let big = [1 << 32; 64];
    let wanted = "SHA_EXTEND with an operand at 0x78100000, wanted 32 bits in a cell of 64";
    assert_eq!(refused(&[call(SHA_EXTEND, &[DATA, 0])], &big), wanted);
    let mut state = [0; 72];
    state[71] = 1 << 32;
    let compress = call(SHA_COMPRESS, &[DATA, DATA + 512]);
    let wanted = "SHA_COMPRESS with an operand at 0x78100238, wanted 32 bits in a cell of 64";
    assert_eq!(refused(&[compress], &state), wanted);

    for word in [0x7f00_0001, 0x7f00_0001 << 32] {
        let wanted = "POSEIDON2 with an operand at 0x78100000, wanted halves below 2130706433";
        assert_eq!(refused(&[call(POSEIDON2, &[DATA, 0])], &[0, 0, 0, word, 0, 0, 0, 0]), wanted);
    }
}

#[test]
fn files_that_are_no_program() {
    let refused = |elf: &[u8]| Program::from_elf(elf).unwrap_err();
    let text = |elf: &[u8]| refused(elf).to_string();
    assert_eq!(text(b"not an ELF"), "no ELF file of 64 bits, little endian");
    let elf = Source { code: vec![addi(0, 0, 0)], data: vec![0], functions: &[] }.elf();
    Program::from_elf(&elf).unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut elf = elf.clone();
        elf[at..at + bytes.len()].copy_from_slice(bytes);
        text(&elf)
    };
    assert_eq!(
        changed(18, &[62]),
        "an ELF file for X86_64 (Executable), wanted an executable for Riscv64"
    );
    assert_eq!(
        changed(16, &[3]),
        "an ELF file for Riscv64 (Dynamic), wanted an executable for Riscv64"
    );
    // Program headers begin at 64 and 120: type, flags, offset, address, and after 40 bytes the size in memory.
    let address = 64 + 16;
    let wrong =
        "the segment at 0x70000000 is wrong, wanted it above the stack, at 0x78000000 or higher";
    assert_eq!(changed(address, &[0, 0, 0, 0x70]), wrong);
    assert!(changed(address, &[1]).ends_with("at an address divisible by 4"));
    assert!(changed(address + 2, &[0x20]).ends_with("after the segments before it in the file"));
    assert!(
        changed(64 + 44, &[1]).ends_with("of at most 64 MiB and within 4 GiB of address space")
    );
    assert!(changed(64 + 4, &[1]).ends_with("readable"));
    assert!(changed(64 + 4, &[7]).ends_with("not writable if executable"));
    assert!(changed(64 + 56 + 4, &[5]).ends_with("right after the other executable segments"));

    let elf = Source { code: vec![addi(0, 0, 0), 0], ..Source::default() }.elf();
    assert!(
        matches!(refused(&elf), ElfError::Instruction { address, word: 0 } if address == TEXT + 4)
    );
    assert_eq!(
        text(&elf),
        "the word 0x00000000 at 0x78000004 is no instruction: SP1 refuses the program"
    );
}
