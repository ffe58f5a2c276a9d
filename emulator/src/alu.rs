//! Integer operations of RV64IM (RISC-V unprivileged specification, chapters "RV64I" and "M").

/// An operation on two registers, or on a register and an immediate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alu {
    Add,
    Sub,
    ShiftLeft,
    Less,
    LessUnsigned,
    Xor,
    ShiftRight,
    ShiftRightSigned,
    Or,
    And,
    Multiply,
    MultiplyHigh,
    MultiplyHighSignedUnsigned,
    MultiplyHighUnsigned,
    Divide,
    DivideUnsigned,
    Remainder,
    RemainderUnsigned,
}

impl Alu {
    /// The operation on all 64 bits.
    pub(crate) fn on_64(self, a: u64, b: u64) -> u64 {
        let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
        let shift = b as u32 & 63;
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::ShiftLeft => a << shift,
            Self::Less => u64::from(signed_a < signed_b),
            Self::LessUnsigned => u64::from(a < b),
            Self::Xor => a ^ b,
            Self::ShiftRight => a >> shift,
            Self::ShiftRightSigned => (signed_a >> shift).cast_unsigned(),
            Self::Or => a | b,
            Self::And => a & b,
            Self::Multiply => a.wrapping_mul(b),
            Self::MultiplyHigh => high(i128::from(signed_a) * i128::from(signed_b)),
            Self::MultiplyHighSignedUnsigned => high(i128::from(signed_a) * i128::from(b)),
            Self::MultiplyHighUnsigned => ((u128::from(a) * u128::from(b)) >> 64) as u64,
            Self::Divide if b == 0 => u64::MAX,
            Self::Divide => signed_a.wrapping_div(signed_b).cast_unsigned(),
            Self::DivideUnsigned => a.checked_div(b).unwrap_or(u64::MAX),
            Self::Remainder if b == 0 => a,
            Self::Remainder => signed_a.wrapping_rem(signed_b).cast_unsigned(),
            Self::RemainderUnsigned => a.checked_rem(b).unwrap_or(a),
        }
    }

    /// Whether there is a `W` form of the operation.
    pub(crate) const fn has_32(self) -> bool {
        matches!(
            self,
            Self::Add
                | Self::Sub
                | Self::ShiftLeft
                | Self::ShiftRight
                | Self::ShiftRightSigned
                | Self::Multiply
                | Self::Divide
                | Self::DivideUnsigned
                | Self::Remainder
                | Self::RemainderUnsigned
        )
    }

    /// The `W` form, for operations that [have one](Self::has_32): on the low 32 bits, the result sign-extended.
    pub(crate) fn on_32(self, a: u64, b: u64) -> u64 {
        let (low_a, low_b) = (a as u32, b as u32);
        let (signed_a, signed_b) = (low_a.cast_signed(), low_b.cast_signed());
        let shift = low_b & 31;
        let result = match self {
            Self::ShiftLeft => low_a << shift,
            Self::ShiftRight => low_a >> shift,
            Self::ShiftRightSigned => (signed_a >> shift).cast_unsigned(),
            Self::Divide if low_b == 0 => u32::MAX,
            Self::Divide => signed_a.wrapping_div(signed_b).cast_unsigned(),
            Self::DivideUnsigned => low_a.checked_div(low_b).unwrap_or(u32::MAX),
            Self::Remainder if low_b == 0 => low_a,
            Self::Remainder => signed_a.wrapping_rem(signed_b).cast_unsigned(),
            Self::RemainderUnsigned => low_a.checked_rem(low_b).unwrap_or(low_a),
            // The low bits of these do not depend on the high bits.
            _ => self.on_64(a, b) as u32,
        };
        i64::from(result.cast_signed()).cast_unsigned()
    }
}

fn high(product: i128) -> u64 {
    (product >> 64) as u64
}
