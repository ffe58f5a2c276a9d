//! RV64IM, decoded.

use crate::alu::Alu;

/// A register's number, below 32.
pub(crate) type Register = u8;

/// Operands of an operation are 64 bits wide, or 32 in its `W` form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Double,
    Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Equal,
    NotEqual,
    Less,
    NotLess,
    LessUnsigned,
    NotLessUnsigned,
}

/// An instruction. Immediates and offsets are sign-extended, jumps relative to the instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instruction {
    Register {
        operation: Alu,
        width: Width,
        to: Register,
        a: Register,
        b: Register,
    },
    Immediate {
        operation: Alu,
        width: Width,
        to: Register,
        a: Register,
        b: i16,
    },
    LoadUpper {
        to: Register,
        value: i32,
    },
    AddUpperToPc {
        to: Register,
        value: i32,
    },
    /// `bytes` is 1, 2, 4 or 8.
    Load {
        bytes: u8,
        signed: bool,
        to: Register,
        base: Register,
        offset: i16,
    },
    Store {
        bytes: u8,
        from: Register,
        base: Register,
        offset: i16,
    },
    Branch {
        condition: Condition,
        a: Register,
        b: Register,
        offset: i16,
    },
    Jump {
        to: Register,
        offset: i32,
    },
    JumpRegister {
        to: Register,
        base: Register,
        offset: i16,
    },
    Call,
    /// SP1 takes programs that have these (fences, `unimp`, breakpoints), but has no circuit for them.
    Unproven {
        word: u32,
    },
}

impl Instruction {
    /// Decodes a word. None for a word that makes SP1 refuse a program.
    pub(crate) fn decode(word: u32) -> Option<Self> {
        let (to, a, b) = (register(word >> 7), register(word >> 15), register(word >> 20));
        let function = word >> 12 & 7;
        let immediate = (word.cast_signed() >> 20) as i16;
        Some(match word & 0x7f {
            0x03 => {
                // The eighth, an unsigned load of 8 bytes, does not exist.
                let signed = function < 4;
                let bytes = 1 << (function & 3);
                (signed || bytes < 8).then_some(())?;
                Self::Load { bytes, signed, to, base: a, offset: immediate }
            }
            0x0f if function == 0 => Self::Unproven { word },
            0x13 => immediate_operation(Width::Double, word)?,
            0x17 => Self::AddUpperToPc { to, value: upper(word) },
            0x1b => immediate_operation(Width::Word, word)?,
            0x23 if function < 4 => {
                let offset = immediate & !0x1f | i16::from(to);
                Self::Store { bytes: 1 << function, from: b, base: a, offset }
            }
            0x33 => register_operation(Width::Double, word)?,
            0x37 => Self::LoadUpper { to, value: upper(word) },
            0x3b => register_operation(Width::Word, word)?,
            0x63 => {
                Self::Branch { condition: condition(function)?, a, b, offset: branch_offset(word) }
            }
            0x67 => Self::JumpRegister { to, base: a, offset: immediate },
            0x6f => Self::Jump { to, offset: jump_offset(word) },
            0x73 if word == 0x73 => Self::Call,
            0x73 if function != 4 => Self::Unproven { word },
            _ => return None,
        })
    }
}

fn register(bits: u32) -> Register {
    (bits & 31) as Register
}

fn upper(word: u32) -> i32 {
    (word & 0xffff_f000).cast_signed()
}

fn condition(function: u32) -> Option<Condition> {
    Some(match function {
        0 => Condition::Equal,
        1 => Condition::NotEqual,
        4 => Condition::Less,
        5 => Condition::NotLess,
        6 => Condition::LessUnsigned,
        7 => Condition::NotLessUnsigned,
        _ => return None,
    })
}

/// Bits 12, 10 to 5, 4 to 1 and 11, from the top.
fn branch_offset(word: u32) -> i16 {
    let rest = (word >> 7 & 1) << 11 | (word >> 25 & 0x3f) << 5 | (word >> 8 & 0xf) << 1;
    (word.cast_signed() >> 31 << 12 | rest.cast_signed()) as i16
}

/// Bits 20, 10 to 1, 11 and 19 to 12, from the top.
fn jump_offset(word: u32) -> i32 {
    let rest = word & 0xf_f000 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3ff) << 1;
    word.cast_signed() >> 31 << 20 | rest.cast_signed()
}

fn immediate_operation(width: Width, word: u32) -> Option<Instruction> {
    let shift_bits = if width == Width::Double { 6 } else { 5 };
    let above_shift = word >> (20 + shift_bits);
    let b = (word.cast_signed() >> 20) as i16;
    let operation = match word >> 12 & 7 {
        0 => Alu::Add,
        1 if above_shift == 0 => Alu::ShiftLeft,
        2 => Alu::Less,
        3 => Alu::LessUnsigned,
        4 => Alu::Xor,
        5 if above_shift == 0 => Alu::ShiftRight,
        // The operation takes the low bits of its operand, so the bit that selects it can stay.
        5 if above_shift == 0x400 >> shift_bits => Alu::ShiftRightSigned,
        6 => Alu::Or,
        7 => Alu::And,
        _ => return None,
    };
    let exists = width == Width::Double
        || matches!(operation, Alu::Add | Alu::ShiftLeft | Alu::ShiftRight | Alu::ShiftRightSigned);
    let (to, a) = (register(word >> 7), register(word >> 15));
    exists.then_some(Instruction::Immediate { operation, width, to, a, b })
}

fn register_operation(width: Width, word: u32) -> Option<Instruction> {
    let operation = match (word >> 25, word >> 12 & 7) {
        (0x00, 0) => Alu::Add,
        (0x00, 1) => Alu::ShiftLeft,
        (0x00, 2) => Alu::Less,
        (0x00, 3) => Alu::LessUnsigned,
        (0x00, 4) => Alu::Xor,
        (0x00, 5) => Alu::ShiftRight,
        (0x00, 6) => Alu::Or,
        (0x00, 7) => Alu::And,
        (0x01, 0) => Alu::Multiply,
        (0x01, 1) => Alu::MultiplyHigh,
        (0x01, 2) => Alu::MultiplyHighSignedUnsigned,
        (0x01, 3) => Alu::MultiplyHighUnsigned,
        (0x01, 4) => Alu::Divide,
        (0x01, 5) => Alu::DivideUnsigned,
        (0x01, 6) => Alu::Remainder,
        (0x01, 7) => Alu::RemainderUnsigned,
        (0x20, 0) => Alu::Sub,
        (0x20, 5) => Alu::ShiftRightSigned,
        _ => return None,
    };
    let exists = width == Width::Double || operation.has_32();
    let (to, a, b) = (register(word >> 7), register(word >> 15), register(word >> 20));
    exists.then_some(Instruction::Register { operation, width, to, a, b })
}
