//! Gloas, as its alpha has it: light-client headers that name the execution block by hash, and the statements made of
//! them with the block's header in RLP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lc_core::{
    ChainSpec, Fork,
    alloy_primitives::{B256, Bytes, keccak256},
    alloy_sol_types::SolValue,
    execution_header::ExecutionHeaderError,
    host::{InputError, LightClientStore, NativeCrypto, ProgramInput},
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, file, updates_to_json,
    },
    statement::{CommitteeChange, Execution, Inclusion},
    sync_protocol::CheckError,
};
use simulator::{
    Chain, fork_digest,
    mutations::{self, Witness},
};

fn chain() -> Chain {
    mutations::gloas_chain()
}

/// Where Gloas begins.
fn fork_slot(chain: &Chain) -> u64 {
    (chain.first_period() + 1) * 64 + 32
}

/// The updates of the chain's first periods: of Fulu; attested in Gloas, final in Fulu; of Gloas.
fn updates(chain: &Chain) -> Vec<LightClientUpdate> {
    let first = chain.first_period();
    let boundary = chain.update(first + 1).attested_slot(fork_slot(chain) + 8).build();
    vec![chain.update(first).build(), boundary, chain.update(first + 2).build()]
}

fn forks(spec: &ChainSpec, update: &LightClientUpdate) -> [Fork; 2] {
    [&update.attested_header, &update.finalized_header]
        .map(|header| spec.fork_at_slot(header.beacon.slot).unwrap())
}

fn committee_change(
    chain: &Chain,
    updates: &[LightClientUpdate],
    header: Option<Bytes>,
) -> Result<CommitteeChange, CheckError> {
    let mut input = chain.committee_change_input(chain.first_period(), updates);
    input.execution_header = header;
    let checked = ProgramInput::CommitteeChange(input).check().map_err(refusal)?;
    Ok(CommitteeChange::abi_decode(&checked.public_values).unwrap())
}

fn inclusion(
    chain: &Chain,
    update: &LightClientUpdate,
    header: Option<Bytes>,
) -> Result<Inclusion, CheckError> {
    let spec = chain.spec();
    let signer = spec.period_at_slot(update.signature_slot);
    let period = spec.period_at_slot(update.finalized_header.beacon.slot);
    let known = chain.accounts();
    let account = chain.account_proof(period, known.token, &[known.total_supply]).unwrap();
    let finality = LightClientFinalityUpdate::from(update.clone());
    let mut input = chain.inclusion_input(signer, &finality, vec![account]);
    input.execution_header = header;
    let checked = ProgramInput::Inclusion(input).check().map_err(refusal)?;
    Ok(Inclusion::abi_decode(&checked.public_values).unwrap())
}

fn refusal(error: InputError) -> CheckError {
    match error {
        InputError::Check { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn a_store_follows_the_chain_over_the_fork() {
    let chain = chain();
    let (spec, updates) = (chain.spec(), updates(&chain));
    use Fork::{Fulu, Gloas};
    let seen: Vec<_> = updates.iter().map(|update| forks(spec, update)).collect();
    assert_eq!(seen, [[Fulu, Fulu], [Gloas, Fulu], [Gloas, Gloas]]);
    let bootstrap = chain.bootstrap(chain.first_slot());
    let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    let mut store = LightClientStore::initialize(spec, trusted, &bootstrap).unwrap();
    for update in &updates {
        let ssz = LightClientUpdate::from_ssz(spec, &update.to_ssz(spec)).unwrap();
        assert_eq!(ssz, *update);
        let json = LightClientUpdate::from_json(spec, update.to_json(spec).as_bytes()).unwrap();
        assert_eq!(json, *update);
        store.process(spec, update, update.signature_slot).unwrap();
        assert_eq!(store.finalized_header, update.finalized_header);
    }
}

#[test]
fn a_nodes_stream_over_the_fork_is_read_back() {
    let chain = chain();
    let (spec, updates) = (chain.spec(), updates(&chain));
    let stream = file::write_stream(spec, &updates, |slot| fork_digest(spec, slot));
    assert_eq!(file::read_updates(spec, &stream).unwrap(), updates);
    let answer = updates_to_json(spec, &updates);
    assert_eq!(file::read_updates(spec, answer.as_bytes()).unwrap(), updates);
    let last = file::write_stream(spec, &updates[2..], |slot| fork_digest(spec, slot));
    for len in 0..last.len() {
        file::read_updates(spec, &last[..len]).unwrap_err();
    }
}

#[test]
fn one_statement_covers_the_fork_and_needs_the_last_header_only() {
    let chain = chain();
    let updates = updates(&chain);
    for count in 1..=updates.len() {
        let last = &updates[count - 1].finalized_header;
        let by_hash = last.has_hash_form();
        assert_eq!(by_hash, count > 1);
        let header = chain.block_header(last.beacon.slot);
        let statement = committee_change(&chain, &updates[..count], Some(header.clone())).unwrap();
        assert_eq!(statement.newPeriod, chain.first_period() + count as u64);
        assert_eq!(statement.executionHash, keccak256(&header));
        assert_eq!(statement.executionHash, last.execution.block_hash);
        let period = chain.spec().period_at_slot(last.beacon.slot);
        assert_eq!(statement.executionStateRoot, chain.execution_state(period).root());
        assert_eq!(statement.executionNumber, last.beacon.slot + 7_000_000);
        let without = committee_change(&chain, &updates[..count], None);
        let slot = last.beacon.slot;
        let wanted =
            if by_hash { Err(CheckError::NoExecutionHeader { slot }) } else { Ok(statement) };
        assert_eq!(without, wanted);
    }
}

#[test]
fn a_missing_header_is_said_of_the_last_update() {
    let chain = chain();
    let mut input = chain.committee_change_input(chain.first_period(), &updates(&chain));
    ProgramInput::CommitteeChange(input.clone()).check().unwrap();
    input.execution_header = None;
    let error = ProgramInput::CommitteeChange(input).check().unwrap_err();
    assert_eq!(error.to_string(), "the update number 2 fails a check");
}

#[test]
fn committees_are_followed_over_the_fork_without_any_header() {
    let chain = chain();
    let mut updates = updates(&chain);
    let check = |updates: &[LightClientUpdate]| {
        let mut input = chain.committee_change_input(chain.first_period(), updates);
        input.execution_header = None;
        input.check_committees()
    };
    check(&updates).unwrap();
    updates[2].finalized_header.execution.block_hash.0[0] ^= 1;
    let error = refusal(check(&updates).unwrap_err());
    assert_eq!(error, CheckError::ExecutionBranch("finalized"));
    updates[2].sync_aggregate.sync_committee_bits[0] ^= 1;
    assert!(matches!(refusal(check(&updates).unwrap_err()), CheckError::Signature(_)));
}

#[test]
fn what_is_said_of_a_block_has_the_form_of_its_own_fork_not_of_the_object() {
    let chain = chain();
    let [gloas, fulu, inclusion] = mutations::valid_gloas(&chain);
    for (witness, by_hash) in [(gloas, true), (fulu, false), (inclusion, true)] {
        witness.verify().unwrap();
        let execution = match &witness {
            Witness::CommitteeChange(witness) => &witness.execution,
            Witness::Inclusion(witness) => &witness.execution,
        };
        assert_eq!(matches!(execution, Execution::Block(_)), by_hash);
        assert_eq!(matches!(execution, Execution::Payload(_)), !by_hash);
    }
}

/// The same block of Fulu, in an object of Fulu and in one of Gloas: one witness of its execution.
#[test]
fn an_older_block_has_one_witness_whatever_object_it_comes_in() {
    let chain = chain();
    let spec = chain.spec();
    let first = updates(&chain)[0].clone();
    let gloas = first.finalized_header.upgrade_to_gloas::<NativeCrypto>(spec).unwrap();
    let boundary = chain.update(chain.first_period() + 1).attested_slot(fork_slot(&chain) + 8);
    let boundary = boundary.finalized_slot(first.finalized_header.beacon.slot).build();
    assert_eq!(boundary.finalized_header, gloas);
    let execution = |update: LightClientUpdate| {
        let period = spec.period_at_slot(update.signature_slot);
        chain.committee_change_input(period, &[update]).witness().unwrap().execution
    };
    assert_eq!(execution(boundary), execution(first));
}

#[test]
fn accounts_are_proven_in_the_state_that_the_header_names() {
    let chain = chain();
    for update in &updates(&chain)[1..] {
        let header = chain.block_header(update.finalized_header.beacon.slot);
        let statement = inclusion(&chain, update, Some(header.clone())).unwrap();
        assert_eq!(statement.executionHash, keccak256(&header));
        assert!(statement.accounts[0].exists);
        let without = inclusion(&chain, update, None).unwrap_err();
        assert!(without.to_string().contains("give that block's header in RLP"), "{without}");
    }
}

#[test]
fn the_header_of_another_block_is_refused_also_where_none_is_needed() {
    let chain = chain();
    for update in updates(&chain) {
        let slot = update.finalized_header.beacon.slot;
        let (header, other) = (chain.block_header(slot), chain.block_header(slot - 1));
        let (seen, wanted) = (keccak256(&other), keccak256(&header));
        let error = CheckError::ExecutionHeader(ExecutionHeaderError::Hash { seen, wanted });
        assert_eq!(inclusion(&chain, &update, Some(other)), Err(error));
        let cut = header.slice(..header.len() - 1);
        let error = inclusion(&chain, &update, Some(cut)).unwrap_err();
        let not_a_list =
            matches!(error, CheckError::ExecutionHeader(ExecutionHeaderError::NotAList(_)));
        assert!(not_a_list, "{error}");
    }
}

#[test]
fn the_store_refuses_wrong_headers_of_gloas() {
    let chain = chain();
    let spec = chain.spec();
    let bootstrap =
        chain.bootstrap(chain.update(chain.first_period() + 2).build().attested_header.beacon.slot);
    let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    LightClientStore::initialize(spec, trusted, &bootstrap).unwrap();
    type Change = fn(&mut LightClientHeader);
    let changes: [(Change, CheckError); 5] = [
        (|h| h.execution.block_hash.0[0] ^= 1, CheckError::ExecutionBranch("bootstrap")),
        (|h| h.execution_branch[10].0[0] ^= 1, CheckError::ExecutionBranch("bootstrap")),
        (|h| h.execution.state_root.0[0] ^= 1, CheckError::ExecutionFields("bootstrap")),
        // The form of Fulu, with what it has for blocks from before Capella.
        (
            |h| {
                h.execution = Default::default();
                h.execution_branch = vec![B256::ZERO; 4];
            },
            CheckError::ExecutionFields("bootstrap"),
        ),
        (|h| h.execution_branch.truncate(4), CheckError::ExecutionFields("bootstrap")),
    ];
    for (change, wanted) in changes {
        let mut wrong = bootstrap.clone();
        change(&mut wrong.header);
        let error = LightClientStore::initialize(spec, trusted, &wrong).unwrap_err();
        assert_eq!(error, wanted.into());
    }
}
