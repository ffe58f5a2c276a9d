//! Programs, from ELF files.

use std::{collections::BTreeMap, ops::Range};

use object::{
    LittleEndian, Object as _, ObjectKind, ObjectSegment as _, ObjectSymbol as _,
    read::elf::{ElfFile64, ElfSegment64},
};

use crate::instruction::Instruction;

type File<'a> = ElfFile64<'a, LittleEndian>;
type Segment<'a, 'file> = ElfSegment64<'a, 'file, LittleEndian>;

/// Lowest address of an image: SP1's stack grows down from here (`STACK_TOP`).
const IMAGE_START: u64 = 0x7800_0000;

/// Most bytes of a segment, 64 MiB: SP1 takes instructions of 16, and proofs pay for each word of data.
const MAX_SEGMENT: u64 = 1 << 26;

/// Why a file is no program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// Not an ELF file, or a damaged one.
    #[error("no ELF file of 64 bits, little endian")]
    Parse(#[from] object::read::Error),
    /// For another machine, or not linked.
    #[error("an ELF file for {architecture:?} ({kind:?}), wanted an executable for Riscv64")]
    Kind {
        /// The machine.
        architecture: object::Architecture,
        /// Executable or not.
        kind: ObjectKind,
    },
    /// A segment that SP1 refuses.
    #[error("the segment at {address:#x} is wrong, wanted it {wanted}")]
    Segment {
        /// Where it starts.
        address: u64,
        /// The rule.
        wanted: &'static str,
    },
    /// A word among the instructions that is none.
    #[error("the word {word:#010x} at {address:#x} is no instruction: SP1 refuses the program")]
    Instruction {
        /// Where it is.
        address: u64,
        /// The word.
        word: u32,
    },
}

/// A program as SP1 sees it: instructions, which nothing changes, and the words that memory starts with.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) entry: u64,
    /// Address of the first instruction.
    pub(crate) base: u64,
    pub(crate) instructions: Vec<Instruction>,
    /// Words by address. What `.bss` takes and the rest of a word that a segment fills in part are zeros.
    pub(crate) image: Vec<(u64, u64)>,
    /// Where functions start, in order.
    functions: Vec<(u64, String)>,
}

impl Program {
    /// Reads an ELF file.
    ///
    /// # Errors
    ///
    /// If it is no executable for RV64IM, or laid out in a way that SP1 refuses.
    pub fn from_elf(bytes: &[u8]) -> Result<Self, ElfError> {
        let file = File::parse(bytes)?;
        let (architecture, kind) = (file.architecture(), file.kind());
        if architecture != object::Architecture::Riscv64 || kind != ObjectKind::Executable {
            return Err(ElfError::Kind { architecture, kind });
        }
        let mut loader = Loader::default();
        for segment in file.segments() {
            loader.load(&segment)?;
        }
        let base = loader.base.unwrap_or_default();
        let end = base + 4 * loader.instructions.len() as u64;
        Ok(Self {
            entry: file.entry(),
            base,
            instructions: loader.instructions,
            image: loader.image.into_iter().collect(),
            functions: functions(&file, base..end),
        })
    }

    /// The function that the instruction at `pc` is part of, as far as the file says.
    pub(crate) fn function_at(&self, pc: u64) -> &str {
        let after = self.functions.partition_point(|(start, _)| *start <= pc);
        let function = after.checked_sub(1).and_then(|last| self.functions.get(last));
        function.map_or("(no symbol)", |(_, name)| name)
    }
}

#[derive(Default)]
struct Loader {
    base: Option<u64>,
    end: u64,
    instructions: Vec<Instruction>,
    image: BTreeMap<u64, u64>,
}

impl Loader {
    fn load(&mut self, segment: &Segment<'_, '_>) -> Result<(), ElfError> {
        let (start, size) = (segment.address(), segment.size());
        let permissions = segment.permissions();
        let rules = [
            (start >= IMAGE_START, "above the stack, at 0x78000000 or higher"),
            (start.is_multiple_of(4), "at an address divisible by 4"),
            (start >= self.end, "after the segments before it in the file"),
            (
                size <= MAX_SEGMENT && start <= u64::from(u32::MAX),
                "of at most 64 MiB and within 4 GiB of address space",
            ),
            (permissions.readable(), "readable"),
            (!(permissions.writable() && permissions.executable()), "not writable if executable"),
        ];
        if let Some((_, wanted)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(ElfError::Segment { address: start, wanted });
        }
        self.end = start + size;
        let data = segment.data()?;
        for address in (start..self.end).step_by(4) {
            let word = half_word(data, (address - start) as usize);
            *self.image.entry(address & !7).or_default() |= u64::from(word) << (address % 8 * 8);
        }
        if permissions.executable() {
            self.load_instructions(start, data)?;
        }
        Ok(())
    }

    fn load_instructions(&mut self, start: u64, data: &[u8]) -> Result<(), ElfError> {
        let next = *self.base.get_or_insert(start) + self.instructions.len() as u64 * 4;
        if start != next {
            let wanted = "right after the other executable segments";
            return Err(ElfError::Segment { address: start, wanted });
        }
        for offset in (0..data.len()).step_by(4) {
            let (word, address) = (half_word(data, offset), start + offset as u64);
            let instruction =
                Instruction::decode(word).ok_or(ElfError::Instruction { address, word })?;
            self.instructions.push(instruction);
        }
        Ok(())
    }
}

/// Four bytes from `offset` on, zeros for those after the end.
fn half_word(data: &[u8], offset: usize) -> u32 {
    let byte = |i| u32::from(data.get(offset + i).copied().unwrap_or_default()) << (8 * i);
    byte(0) | byte(1) | byte(2) | byte(3)
}

/// Names of what lies in the program's instructions.
fn functions(file: &File<'_>, instructions: Range<u64>) -> Vec<(u64, String)> {
    let in_text = file.symbols().filter(|symbol| instructions.contains(&symbol.address()));
    let mut functions: Vec<_> = in_text
        .filter_map(|symbol| {
            // Not those for mapping ($x) and of sections and local labels (.L0).
            let name = symbol.name().ok().filter(|name| !name.starts_with(['$', '.']))?;
            let name = format!("{:#}", rustc_demangle::demangle(name));
            // Of two names, that of a function goes before a label, which has no size.
            (!name.is_empty()).then_some((symbol.address(), symbol.size() == 0, name))
        })
        .collect();
    functions.sort();
    functions.dedup_by_key(|(start, ..)| *start);
    functions.into_iter().map(|(start, _, name)| (start, name)).collect()
}
