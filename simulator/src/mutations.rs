//! Wrong inputs: for each check of the statements, witnesses on which that check and no earlier one fails.
//!
//! They are witnesses, not requests, because a prover who wants to cheat chooses the witness: the host's
//! checks are not in his way, the guest's are. Run natively, each names its check; in a guest, none gives
//! any output.

mod committee_change;
mod finality;
mod gloas;
mod inclusion;
mod signature;

use lc_core::statement::{CommitteeChangeWitness, InclusionWitness};
use lc_core::{
    ProgramId,
    host::NativeCrypto,
    sync_protocol::CheckError,
    words::{Words, to_bytes},
};

use crate::{builder::Preset, chain::Chain};

/// The witness of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// Of [`ProgramId::CommitteeChange`].
    CommitteeChange(CommitteeChangeWitness),
    /// Of [`ProgramId::Inclusion`].
    Inclusion(Box<InclusionWitness>),
}

impl Witness {
    /// Whose witness it is.
    #[must_use]
    pub const fn program(&self) -> ProgramId {
        match self {
            Self::CommitteeChange(_) => ProgramId::CommitteeChange,
            Self::Inclusion(_) => ProgramId::Inclusion,
        }
    }

    /// Runs the program's checks natively.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self) -> Result<(), CheckError> {
        match self {
            Self::CommitteeChange(witness) => witness.verify::<NativeCrypto>().map(drop),
            Self::Inclusion(witness) => witness.verify::<NativeCrypto>().map(drop),
        }
    }

    /// The bytes that a server is given for it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&match self {
            Self::CommitteeChange(witness) => witness.encode(),
            Self::Inclusion(witness) => witness.encode(),
        })
    }
}

/// A witness that must be refused.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// What is wrong, as the end of the sentence "a proof is refused if ..".
    pub name: &'static str,
    /// The witness.
    pub witness: Witness,
    /// Whether the error is that of the check that should fail.
    pub is_expected: fn(&CheckError) -> bool,
}

/// The chain that the mutations are made on: minimal preset, Deneb, Electra and Fulu.
#[must_use]
pub fn chain() -> Chain {
    let builder = Chain::builder().preset(Preset::Minimal).trie_depth(3);
    builder.build().expect("the default schedule is in order")
}

/// A chain over the fork to Gloas, an alpha: Fulu from the start, Gloas from the middle of its second period on.
#[must_use]
pub fn gloas_chain() -> Chain {
    gloas::chain()
}

/// Every mutation, of both programs; those of Gloas on a chain of its own.
#[must_use]
pub fn all(chain: &Chain) -> Vec<Mutation> {
    let mut all = committee_change::mutations(chain);
    all.extend(finality::mutations(chain));
    all.extend(inclusion::mutations(chain));
    all.extend(gloas::mutations(&gloas_chain()));
    all
}

/// What the mutations are made from: three periods over two forks, and accounts present and absent.
#[must_use]
pub fn valid(chain: &Chain) -> [Witness; 2] {
    [
        Witness::CommitteeChange(committee_change::valid(chain)),
        Witness::Inclusion(inclusion::valid(chain).into()),
    ]
}

/// What the mutations of Gloas are made from: committee changes whose last update holds a block of Gloas and one of
/// Fulu final, and an inclusion of Gloas.
#[must_use]
pub fn valid_gloas(chain: &Chain) -> [Witness; 3] {
    [
        Witness::CommitteeChange(gloas::valid(chain)),
        Witness::CommitteeChange(gloas::boundary(chain)),
        Witness::Inclusion(gloas::inclusion(chain).into()),
    ]
}

/// Removes the last element.
fn shorten<T>(list: &mut Vec<T>) {
    list.pop();
}

/// A mutation, with the error's pattern.
macro_rules! mutation {
    ($name:literal, $witness:expr, $error:pat $(if $guard:expr)?) => {
        $crate::mutations::Mutation {
            name: $name,
            witness: $witness,
            is_expected: |error| matches!(error, $error $(if $guard)?),
        }
    };
}
use mutation;
