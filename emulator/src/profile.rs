//! What a run gave, and what it cost.

use std::{collections::BTreeMap, fmt};

use crate::syscall::Syscall;

/// A run that could be proven, or that refused its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// 0 for success, 1 for a panic. No verifier takes a proof of another than 0.
    pub exit_code: u32,
    /// What it committed to.
    pub public_values: Vec<u8>,
    /// What it wrote to its standard output and error.
    pub output: Vec<u8>,
    /// Instructions that it ran.
    pub cycles: u64,
    /// How often it made each system call.
    pub syscalls: BTreeMap<Syscall, u64>,
    /// Distinct words that it touched, of the image or not.
    pub touched_words: usize,
    /// Words of the image, touched or not.
    pub image_words: usize,
    /// The same by function.
    pub profile: Profile,
}

/// The cost of a run by function, without what a function called. Shown as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The function that took the most cycles comes first.
    pub functions: Vec<Function>,
}

/// What a function cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name, demangled.
    pub name: String,
    /// Instructions.
    pub cycles: u64,
    /// Words that nothing had touched before.
    pub touched_words: u64,
    /// How often it made each system call.
    pub syscalls: BTreeMap<Syscall, u64>,
}

/// Columns of the table: the calls that circuits answer.
const COLUMNS: [(&str, &[Syscall]); 4] = [
    ("fp", &[Syscall::FpAdd, Syscall::FpSub, Syscall::FpMul]),
    ("poseidon2", &[Syscall::Poseidon2]),
    ("sha256", &[Syscall::ShaExtend, Syscall::ShaCompress]),
    ("keccak", &[Syscall::KeccakPermute]),
];

impl Function {
    fn calls(&self, of: &[Syscall]) -> u64 {
        of.iter().filter_map(|call| self.syscalls.get(call)).sum()
    }

    fn write_row(&self, f: &mut fmt::Formatter<'_>, all_cycles: u64) -> fmt::Result {
        let percent = self.cycles as f64 * 100.0 / all_cycles.max(1) as f64;
        write!(f, "{:>10} {percent:>6.2} {:>8}", self.cycles, self.touched_words)?;
        for (_, calls) in COLUMNS {
            write!(f, " {:>9}", self.calls(calls))?;
        }
        writeln!(f, "  {}", self.name)
    }

    /// The sum of some functions.
    fn total(functions: &[Self]) -> Self {
        let mut total = Self { name: "(total)".into(), ..Self::default() };
        for function in functions {
            total.cycles += function.cycles;
            total.touched_words += function.touched_words;
            for (call, count) in &function.syscalls {
                *total.syscalls.entry(*call).or_default() += count;
            }
        }
        total
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10} {:>6} {:>8}", "cycles", "%", "words")?;
        for (column, _) in COLUMNS {
            write!(f, " {column:>9}")?;
        }
        writeln!(f, "  function")?;
        let total = Function::total(&self.functions);
        for function in self.functions.iter().chain([&total]) {
            function.write_row(f, total.cycles)?;
        }
        Ok(())
    }
}
