//! Requests that are valid, cheap to make and different from each other.

use eyre::WrapErr;
use lc_core::{ProgramId, alloy_primitives::Address, host::ProgramInput};
use simulator::{Chain, Preset};

/// A request, and what the answer must say.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) input: ProgramInput,
    /// What the input's own native check gives.
    pub(crate) public_values: Vec<u8>,
}

impl Subject {
    fn new(input: ProgramInput) -> eyre::Result<Self> {
        let public_values = input.check().wrap_err("a simulated input is refused")?.public_values;
        Ok(Self { input, public_values })
    }

    pub(crate) fn program(&self) -> ProgramId {
        self.input.program()
    }
}

/// A chain in whose state any address can be asked for. The small committee keeps the native check, which is not
/// what is measured, at milliseconds.
fn chain() -> eyre::Result<Chain> {
    Ok(Chain::builder().preset(Preset::Minimal).seed(7).trie_depth(0).build()?)
}

/// `count` inclusion requests under one signed update, each about an address of its own.
pub(crate) fn inclusions(count: usize) -> eyre::Result<Vec<Subject>> {
    let chain = chain()?;
    let period = chain.first_period();
    let update = chain.update(period).build_finality();
    let subject = |number: usize| {
        let address = Address::left_padding_from(&(number as u64 + 1).to_be_bytes());
        let account = chain.account_proof(period, address, &[])?;
        let input = chain.inclusion_input(period, &update, vec![account]);
        Subject::new(ProgramInput::Inclusion(input))
    };
    (0..count).map(subject).collect()
}

/// `count` committee changes, each with another number of signers.
pub(crate) fn committee_changes(count: usize) -> eyre::Result<Vec<Subject>> {
    let chain = chain()?;
    let period = chain.first_period();
    let subject = |fewer: usize| {
        let signers = chain.spec().sync_committee_size - fewer as u64;
        let update = chain.update(period).participants(signers).build();
        Subject::new(ProgramInput::CommitteeChange(chain.committee_change_input(period, &[update])))
    };
    (0..count).map(subject).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_are_the_same_or_say_the_same() {
        for subjects in [inclusions(5).unwrap(), committee_changes(5).unwrap()] {
            for (number, subject) in subjects.iter().enumerate() {
                for other in &subjects[..number] {
                    assert_ne!(subject.input, other.input);
                    assert_ne!(subject.public_values, other.public_values);
                }
            }
        }
    }
}
