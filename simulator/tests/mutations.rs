//! The statements' checks against wrong witnesses, natively. The same witnesses go through the guests elsewhere.

use std::{collections::BTreeSet, sync::LazyLock};

use simulator::{
    Chain,
    mutations::{self, Mutation},
};

static CHAIN: LazyLock<Chain> = LazyLock::new(mutations::chain);
static MUTATIONS: LazyLock<Vec<Mutation>> = LazyLock::new(|| mutations::all(&CHAIN));

#[test]
fn what_the_mutations_are_made_from_is_valid() {
    for witness in mutations::valid(&CHAIN) {
        witness.verify().unwrap_or_else(|error| panic!("{:?}: {error}", witness.program()));
    }
}

#[test]
fn every_mutation_is_refused_by_the_check_that_it_is_for() {
    let wrong: Vec<String> = MUTATIONS
        .iter()
        .filter_map(|mutation| match mutation.witness.verify() {
            Err(error) if (mutation.is_expected)(&error) => None,
            other => Some(format!("{}: {other:?}", mutation.name)),
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_mutation_has_a_name_and_bytes_of_its_own() {
    let names: BTreeSet<&str> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
    let bytes: BTreeSet<Vec<u8>> =
        MUTATIONS.iter().map(|mutation| mutation.witness.to_bytes()).collect();
    assert_eq!((names.len(), bytes.len()), (MUTATIONS.len(), MUTATIONS.len()));
}

/// Name of an error's variant, with that of the signature error inside.
fn variant(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    if text.starts_with("Signature") {
        return text;
    }
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[test]
fn every_check_of_the_statements_has_a_mutation() {
    let seen: BTreeSet<String> = MUTATIONS
        .iter()
        .filter_map(|mutation| mutation.witness.verify().err())
        .map(|error| variant(&error))
        .collect();
    let wanted = [
        "AbsentKeys",
        "Account",
        "AccountValue",
        "BeforeAltair",
        "BitsLength",
        "ChainSpec",
        "Committee",
        "CommitteeProofLength",
        "ExecutionBranch",
        "ExecutionFields",
        "FinalityBranch",
        "NextCommitteeBranch",
        "NoAccounts",
        "NoExecution",
        "NoFinality",
        "NoUpdates",
        "Participation",
        "Period",
        "Signature(InfiniteKey)",
        "Signature(MalformedKey)",
        "Signature(MalformedSignature)",
        "Signature(Mismatch)",
        "Slot",
        "SlotOrder",
        "SlotValue",
        "StorageOfAbsent",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}
