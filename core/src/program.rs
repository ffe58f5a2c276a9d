//! The programs that there are proofs of.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A proof program, by the statement it proves. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProgramId {
    /// The sync committee changed: [`CommitteeChange`](crate::statement::CommitteeChange).
    CommitteeChange,
    /// Accounts and storage are in finalized state: [`Inclusion`](crate::statement::Inclusion).
    Inclusion,
}

impl ProgramId {
    /// Every program.
    pub const ALL: [Self; 2] = [Self::CommitteeChange, Self::Inclusion];

    /// The name in files, flags and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommitteeChange => "committee-change",
            Self::Inclusion => "inclusion",
        }
    }
}

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such program: it is `committee-change` or `inclusion`")]
pub struct UnknownProgram;

impl FromStr for ProgramId {
    type Err = UnknownProgram;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|program| program.name() == name).ok_or(UnknownProgram)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_program_is_written_and_found_by_its_name() {
        let names = ["committee-change", "inclusion"];
        for (program, name) in ProgramId::ALL.into_iter().zip(names) {
            assert_eq!((program.name(), program.to_string().as_str()), (name, name));
            assert_eq!(name.parse(), Ok(program));
        }
        assert_eq!("inclusions".parse::<ProgramId>(), Err(UnknownProgram));
    }
}
