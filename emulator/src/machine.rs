//! The processor: runs instructions, counts them, and hands system calls on.

use std::collections::BTreeMap;

use crate::{
    alu::Alu,
    calls::Host,
    elf::Program,
    fault::{Fault, Reason},
    instruction::{Condition, Instruction, Register, Width},
    memory::{By, END, LOWEST, Memory, Words},
    profile::{Function, Profile, Run},
    syscall::Syscall,
};

/// What one instruction of the program cost over all times that it ran.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    cycles: u64,
    touched_words: u64,
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    program: &'a Program,
    pub(crate) registers: [u64; 32],
    pub(crate) pc: u64,
    pub(crate) memory: Words,
    pub(crate) host: Host<'a>,
    tallies: Vec<Tally>,
    calls: BTreeMap<(usize, Syscall), u64>,
}

impl Program {
    /// Runs the program on `input`, for at most `limit` instructions, with memory that starts as `memory` says.
    ///
    /// # Errors
    ///
    /// The first thing that SP1 would not execute; at the end of a run with exit code 0, the first that it could not
    /// prove.
    pub fn run(&self, input: &[u8], memory: Memory, limit: u64) -> Result<Run, Fault> {
        let mut machine = Machine {
            program: self,
            registers: [0; 32],
            pc: self.entry,
            memory: Words::new(memory, &self.image),
            host: Host::new(input),
            tallies: vec![Tally::default(); self.instructions.len()],
            calls: BTreeMap::new(),
        };
        match machine.run(limit) {
            Ok(exit_code) => Ok(machine.into_run(exit_code)),
            Err((pc, reason)) => {
                Err(Fault { pc, function: self.function_at(pc).to_owned(), reason })
            }
        }
    }
}

impl Machine<'_> {
    /// Runs to the end. A reason comes with the instruction that gives it.
    fn run(&mut self, limit: u64) -> Result<u32, (u64, Reason)> {
        // A jump to nowhere is the fault of the instruction that jumps.
        let mut from = self.pc;
        for _ in 0..limit {
            let index = self.place(self.pc).map_err(|reason| (from, reason))?;
            from = self.pc;
            let instruction = self.program.instructions[index];
            let touched = self.memory.touched();
            let exit = self.step(index, instruction).map_err(|reason| (from, reason))?;
            let tally = &mut self.tallies[index];
            tally.cycles += 1;
            tally.touched_words += (self.memory.touched() - touched) as u64;
            if let Some(exit_code) = exit {
                return if exit_code == 0 { self.check(from).map(|()| 0) } else { Ok(exit_code) };
            }
        }
        Err((from, Reason::Endless { limit }))
    }

    /// Where in the program's instructions an address is.
    fn place(&self, pc: u64) -> Result<usize, Reason> {
        let (start, instructions) = (self.program.base, self.program.instructions.len());
        let offset = pc.wrapping_sub(start);
        if offset / 4 < instructions as u64 && offset.is_multiple_of(4) {
            return Ok((offset / 4) as usize);
        }
        Err(Reason::Jump { to: pc, start, end: start + instructions as u64 * 4 })
    }

    /// Runs the instruction at `pc`. Gives the exit code if it is the last.
    fn step(&mut self, index: usize, instruction: Instruction) -> Result<Option<u32>, Reason> {
        let (pc, mut next) = (self.pc, self.pc.wrapping_add(4));
        match instruction {
            Instruction::Register { operation, width, to, a, b } => {
                self.set(to, operate(operation, width, self.get(a), self.get(b)));
            }
            Instruction::Immediate { operation, width, to, a, b } => {
                self.set(to, operate(operation, width, self.get(a), extend(b.into())));
            }
            Instruction::LoadUpper { to, value } => self.set(to, extend(value)),
            Instruction::AddUpperToPc { to, value } => self.set(to, pc.wrapping_add(extend(value))),
            Instruction::Load { bytes, signed, to, base, offset } => {
                let value = self.load(self.at(base, offset), bytes, signed)?;
                self.set(to, value);
            }
            Instruction::Store { bytes, from, base, offset } => {
                self.store(self.at(base, offset), bytes, self.get(from))?;
            }
            Instruction::Branch { condition, a, b, offset } => {
                if holds(condition, self.get(a), self.get(b)) {
                    next = pc.wrapping_add(extend(offset.into()));
                }
            }
            Instruction::Jump { to, offset } => {
                self.set(to, next);
                next = pc.wrapping_add(extend(offset));
            }
            Instruction::JumpRegister { to, base, offset } => {
                let target = self.at(base, offset) & !1;
                self.set(to, next);
                next = target;
            }
            Instruction::Call => {
                let exit = self.count_and_call(index)?;
                self.pc = next;
                return Ok(exit);
            }
            Instruction::Unproven { word } => return Err(Reason::Instruction { word }),
        }
        self.pc = next;
        Ok(None)
    }

    fn count_and_call(&mut self, index: usize) -> Result<Option<u32>, Reason> {
        let call = self.called()?;
        *self.calls.entry((index, call)).or_default() += 1;
        self.call(call)
    }

    fn get(&self, register: Register) -> u64 {
        self.registers[usize::from(register)]
    }

    fn set(&mut self, register: Register, value: u64) {
        self.registers[usize::from(register)] = value;
        self.registers[0] = 0;
    }

    /// The address at an offset from what a register holds.
    fn at(&self, base: Register, offset: i16) -> u64 {
        self.get(base).wrapping_add(extend(offset.into()))
    }

    fn load(&mut self, address: u64, bytes: u8, signed: bool) -> Result<u64, Reason> {
        check_address(address, bytes.into())?;
        let word = *self.memory.touch(address & !7, By::Instruction);
        // The value to the top, and down again with its sign or without.
        let unused = 64 - 8 * u32::from(bytes);
        let top = word >> (address % 8 * 8) << unused;
        Ok(if signed { (top.cast_signed() >> unused).cast_unsigned() } else { top >> unused })
    }

    fn store(&mut self, address: u64, bytes: u8, value: u64) -> Result<(), Reason> {
        check_address(address, bytes.into())?;
        let word = self.memory.touch(address & !7, By::Instruction);
        let (shift, mask) = (address % 8 * 8, u64::MAX >> (64 - 8 * u32::from(bytes)));
        *word = *word & !(mask << shift) | (value & mask) << shift;
        Ok(())
    }

    fn into_run(self, exit_code: u32) -> Run {
        let mut functions: BTreeMap<&str, Function> = BTreeMap::new();
        let of = |index: usize| self.program.function_at(self.program.base + 4 * index as u64);
        for (index, tally) in self.tallies.iter().enumerate().filter(|(_, tally)| tally.cycles > 0)
        {
            let function = functions.entry(of(index)).or_default();
            function.cycles += tally.cycles;
            function.touched_words += tally.touched_words;
        }
        let mut syscalls = BTreeMap::new();
        for ((index, call), count) in &self.calls {
            let function = functions.entry(of(*index)).or_default();
            *function.syscalls.entry(*call).or_default() += count;
            *syscalls.entry(*call).or_default() += count;
        }
        let mut functions: Vec<_> = functions
            .into_iter()
            .map(|(name, function)| Function { name: name.to_owned(), ..function })
            .collect();
        functions.sort_by_key(|function| std::cmp::Reverse(function.cycles));
        Run {
            exit_code,
            public_values: self.host.public_values,
            output: self.host.output,
            cycles: functions.iter().map(|function| function.cycles).sum(),
            syscalls,
            touched_words: self.memory.touched(),
            image_words: self.program.image.len(),
            profile: Profile { functions },
        }
    }
}

/// Whether SP1 has a word at `address`, for an access of `bytes`.
pub(crate) fn check_address(address: u64, bytes: u64) -> Result<(), Reason> {
    if !address.is_multiple_of(bytes) {
        return Err(Reason::Misaligned { address, bytes });
    }
    if !(LOWEST..END).contains(&address) {
        return Err(Reason::Address { address });
    }
    Ok(())
}

fn operate(operation: Alu, width: Width, a: u64, b: u64) -> u64 {
    match width {
        Width::Double => operation.on_64(a, b),
        Width::Word => operation.on_32(a, b),
    }
}

fn extend(value: i32) -> u64 {
    i64::from(value).cast_unsigned()
}

fn holds(condition: Condition, a: u64, b: u64) -> bool {
    match condition {
        Condition::Equal => a == b,
        Condition::NotEqual => a != b,
        Condition::Less => a.cast_signed() < b.cast_signed(),
        Condition::NotLess => a.cast_signed() >= b.cast_signed(),
        Condition::LessUnsigned => a < b,
        Condition::NotLessUnsigned => a >= b,
    }
}
