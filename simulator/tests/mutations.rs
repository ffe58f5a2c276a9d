//! The statements' checks against wrong witnesses, natively. The same witnesses go through the guests elsewhere.

use std::{collections::BTreeSet, sync::LazyLock};

use lc_core::{
    ProgramId,
    alloy_sol_types::SolValue,
    host::{NativeCrypto, verify_witness},
    statement::Execution,
    sync_protocol::CheckError,
    words::{Words, from_bytes},
};

use simulator::{
    Chain,
    mutations::{self, Mutation, Witness},
};

static CHAIN: LazyLock<Chain> = LazyLock::new(mutations::chain);
static MUTATIONS: LazyLock<Vec<Mutation>> = LazyLock::new(|| mutations::all(&CHAIN));

#[test]
fn what_the_mutations_are_made_from_is_valid() {
    let gloas = mutations::valid_gloas(&mutations::gloas_chain());
    for witness in mutations::valid(&CHAIN).into_iter().chain(gloas) {
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

#[test]
fn what_is_wrong_with_the_execution_block_is_said_of_the_last_update() {
    let [Witness::CommitteeChange(mut witness), _] = mutations::valid(&CHAIN) else {
        unreachable!("the committee change comes first")
    };
    witness.execution = Execution::Absent;
    let error = CheckError::ExecutionFields("finalized");
    assert_eq!(witness.verify_numbered::<NativeCrypto>(), Err((2, error)));
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
        "ExecutionHeader",
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

#[test]
fn guests_read_witnesses_as_the_host_writes_them() {
    let chain = mutations::chain();
    let all = mutations::all(&chain).into_iter().map(|mutation| mutation.witness);
    let gloas = mutations::valid_gloas(&mutations::gloas_chain());
    for witness in all.chain(mutations::valid(&chain)).chain(gloas) {
        let read = decoded(&witness.to_bytes(), witness.program());
        assert!(read.is_some_and(|read| read == witness));
    }
}

#[test]
fn a_witness_in_bytes_gives_what_its_statement_commits_to_or_the_check_that_fails() {
    for witness in mutations::valid(&CHAIN) {
        let (program, bytes) = (witness.program(), witness.to_bytes());
        let statement = match &witness {
            Witness::CommitteeChange(witness) => {
                witness.verify::<NativeCrypto>().unwrap().abi_encode()
            }
            Witness::Inclusion(witness) => witness.verify::<NativeCrypto>().unwrap().abi_encode(),
        };
        assert_eq!(verify_witness::<NativeCrypto>(program, &bytes), Some(Ok(statement)));
        assert_eq!(verify_witness::<NativeCrypto>(program, &bytes[8..]), None);
    }
    for mutation in MUTATIONS.iter() {
        let (program, bytes) = (mutation.witness.program(), mutation.witness.to_bytes());
        let error = verify_witness::<NativeCrypto>(program, &bytes).unwrap().unwrap_err();
        assert!((mutation.is_expected)(&error), "{}: {error}", mutation.name);
    }
}

#[test]
fn no_two_encodings_are_the_same_witness() {
    let gloas = mutations::valid_gloas(&mutations::gloas_chain());
    for witness in mutations::valid(&mutations::chain()).into_iter().chain(gloas) {
        let (bytes, program) = (witness.to_bytes(), witness.program());
        for cut in 0..bytes.len() {
            assert!(decoded(&bytes[..cut], program).is_none(), "{cut} of {}", bytes.len());
        }
        assert!(decoded(&[&bytes[..], &[0; 8]].concat(), program).is_none());
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            let read = decoded(&other, program);
            assert!(read.is_none_or(|read| read.to_bytes() == other), "byte {at}");
        }
    }
}

fn decoded(bytes: &[u8], program: ProgramId) -> Option<Witness> {
    let words = from_bytes(bytes)?;
    match program {
        ProgramId::CommitteeChange => Words::decode(&words).map(Witness::CommitteeChange),
        ProgramId::Inclusion => Words::decode(&words).map(Box::new).map(Witness::Inclusion),
    }
}
