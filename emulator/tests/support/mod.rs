//! A small assembler, and ELF files around what it makes.

use lc_emulator::{Fault, Memory, Program, Run};
use sha2::{Digest as _, Sha256};

/// Where a test program's instructions start, and its data. Its stack would be below.
pub(crate) const TEXT: u64 = 0x7800_0000;
pub(crate) const DATA: u64 = 0x7810_0000;
/// Memory outside of the image.
pub(crate) const OUTSIDE: u64 = 0x7820_0000;

pub(crate) const T0: u32 = 5;
pub(crate) const A0: u32 = 10;

/// Instructions that no test program runs for long.
pub(crate) const LIMIT: u64 = 100_000;

pub(crate) fn r(opcode: u32, f3: u32, f7: u32, [rd, rs1, rs2]: [u32; 3]) -> u32 {
    f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
}

pub(crate) fn i(opcode: u32, f3: u32, [rd, rs1]: [u32; 2], immediate: i32) -> u32 {
    immediate.cast_unsigned() << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
}

pub(crate) fn store(f3: u32, value: u32, base: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    (offset >> 5 & 0x7f) << 25 | value << 20 | base << 15 | f3 << 12 | (offset & 31) << 7 | 0x23
}

pub(crate) fn branch(f3: u32, a: u32, b: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    let high = (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3f) << 25;
    high | b << 20 | a << 15 | f3 << 12 | (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7 | 0x63
}

pub(crate) fn upper(opcode: u32, rd: u32, value: u32) -> u32 {
    value << 12 | rd << 7 | opcode
}

pub(crate) fn jal(rd: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    let high = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3ff) << 21 | (offset >> 11 & 1) << 20;
    high | (offset >> 12 & 0xff) << 12 | rd << 7 | 0x6f
}

pub(crate) fn addi(rd: u32, rs1: u32, immediate: i32) -> u32 {
    i(0x13, 0, [rd, rs1], immediate)
}

pub(crate) fn ld(rd: u32, base: u32, offset: i32) -> u32 {
    i(0x03, 3, [rd, base], offset)
}

pub(crate) fn sd(value: u32, base: u32, offset: i32) -> u32 {
    store(3, value, base, offset)
}

/// Any constant to a register: twelve bits at a time.
pub(crate) fn li(rd: u32, value: u64) -> Vec<u32> {
    let signed = value.cast_signed();
    let low = (signed << 52 >> 52) as i32;
    if i64::from(low) == signed {
        return vec![addi(rd, 0, low)];
    }
    let mut code = li(rd, (signed.wrapping_sub(low.into()) >> 12).cast_unsigned());
    code.extend([i(0x13, 1, [rd, rd], 12), addi(rd, rd, low)]);
    code
}

/// A system call.
pub(crate) fn call(number: u64, arguments: &[u64]) -> Vec<u32> {
    let mut code = li(T0, number);
    for (register, argument) in (A0..).zip(arguments) {
        code.extend(li(register, *argument));
    }
    code.push(0x73);
    code
}

/// Ends a program with these bytes of memory as its public values, but without success.
pub(crate) fn show(start: u64, length: u64) -> Vec<u32> {
    [call(2, &[13, start, length]), call(0, &[1])].concat()
}

/// Ends a program that committed to nothing but `public_values` well.
pub(crate) fn succeed(public_values: &[u8]) -> Vec<u32> {
    let mut code = Vec::new();
    for (index, word) in (0..).zip(Sha256::digest(public_values).as_chunks::<4>().0) {
        code.extend(call(0x10, &[index, u32::from_le_bytes(*word).into()]));
    }
    code.extend(call(0x1a, &[0, 0]));
    code.extend(call(0, &[0]));
    code
}

/// A program with instructions, data that it can write, and names of functions.
#[derive(Default)]
pub(crate) struct Source<'a> {
    pub(crate) code: Vec<u32>,
    pub(crate) data: Vec<u64>,
    pub(crate) functions: &'a [(u64, &'a str)],
}

impl Source<'_> {
    pub(crate) fn elf(&self) -> Vec<u8> {
        let code: Vec<u8> = self.code.iter().flat_map(|word| word.to_le_bytes()).collect();
        let data: Vec<u8> = self.data.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut names = vec![0];
        let mut symbols = vec![0; 24];
        for (address, name) in self.functions {
            // A function, global, in the first section: which does not matter here.
            symbols.extend((names.len() as u32).to_le_bytes());
            symbols.extend([0x12, 0, 1, 0]);
            symbols.extend(words(&[*address, 0]));
            names.extend(name.bytes().chain([0]));
        }

        let (code_at, headers) = (64 + 2 * 56, [5, 6]);
        let data_at = code_at + code.len() as u64;
        let symbols_at = data_at + data.len() as u64;
        let names_at = symbols_at + symbols.len() as u64;
        let sections_at = names_at + names.len() as u64;

        let mut elf = header(if self.functions.is_empty() { 0 } else { sections_at });
        elf.extend(segment(headers[0], code_at, TEXT, code.len() as u64));
        elf.extend(segment(headers[1], data_at, DATA, data.len() as u64));
        let symbol_bytes = symbols.len() as u64;
        for part in [code, data, symbols] {
            elf.extend(part);
        }
        let name_bytes = names.len() as u64;
        elf.extend(names);
        // None, symbols with their names in the next section, names.
        elf.extend([0; 64]);
        elf.extend(words(&[2 << 32, 0, 0, symbols_at, symbol_bytes, 1 << 32 | 2, 8, 24]));
        elf.extend(words(&[3 << 32, 0, 0, names_at, name_bytes, 0, 1, 0]));
        elf
    }

    pub(crate) fn run_with(&self, input: &[u8], memory: Memory) -> Result<Run, Fault> {
        Program::from_elf(&self.elf()).unwrap().run(input, memory, LIMIT)
    }
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// An executable for RISC-V with two segments and, from there on, three sections.
fn header(sections_at: u64) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend([2, 0, 243, 0, 1, 0, 0, 0]);
    header.extend(words(&[TEXT, 64, sections_at]));
    header.extend([0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0]);
    header.extend(if sections_at == 0 { [0; 4] } else { [3, 0, 2, 0] });
    header
}

fn segment(flags: u64, offset: u64, address: u64, size: u64) -> Vec<u8> {
    words(&[flags << 32 | 1, offset, address, address, size, size, 8])
}
