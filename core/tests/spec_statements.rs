//! The consensus specification's light-client suites once more: what the store applies with finality, the statements
//! accept, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use lc_core::{
    alloy_sol_types::SolValue, host::NativeCrypto, statement::CommitteeChange,
    sync_protocol::CheckError,
};
use support::{
    all_vectors,
    spec_vectors::{Applied, FORGERIES, Handler, applied_updates, committed, refusal, take_step},
};

#[test]
fn what_the_store_applies_with_finality_the_statements_accept() {
    let (mut accepted, mut by_hash, mut all) = (0, 0, 0);
    for vectors in all_vectors() {
        for applied in applied_updates(&vectors) {
            accepted += usize::from(same_verdict(&applied));
            by_hash += usize::from(applied.needs_execution_header());
            all += 1;
        }
    }
    println!("{all} applied with finality, {by_hash} by hash, {accepted} are committee changes");
    assert!(accepted > 0 && all > accepted, "{accepted} of {all}");
}

/// The two statements' verdict on an update that the store applied. Gives whether it is a committee change.
fn same_verdict(applied: &Applied) -> bool {
    let Applied { name, chain, update, committee_change, inclusion } = applied;
    let finalized = &update.finalized_header;
    let genesis = finalized.beacon.slot == 0;
    let fork = chain.fork_at_slot(finalized.beacon.slot).unwrap();
    if applied.needs_execution_header() {
        refuses_without_the_header(applied);
    }
    match inclusion.check().map_err(refusal).unwrap_err() {
        // Statements are about a finalized block, of which there is none at genesis.
        CheckError::NoFinality => assert!(genesis, "{name}"),
        CheckError::NoExecution { .. } => assert!(!fork.has_execution(), "{name}"),
        // All is well but the empty account proof.
        CheckError::Account { account: 0, .. } => assert!(!genesis && fork.has_execution()),
        other => panic!("{name}: {other}"),
    }
    let Some(committee_change) = committee_change else { return false };
    match committee_change.check() {
        Ok(checked) => {
            let statement = CommitteeChange::abi_decode(&checked.public_values).unwrap();
            let next = update.next_sync_committee.hash_tree_root::<NativeCrypto>();
            assert_eq!(statement.newCommittee, next, "{name}");
            let root = finalized.beacon.hash_tree_root::<NativeCrypto>();
            assert_eq!(statement.finalizedRoot, root, "{name}");
            assert_eq!(statement.minParticipation, update.sync_aggregate.participants(), "{name}");
            assert_eq!(statement.executionHash, finalized.execution.block_hash, "{name}");
            true
        }
        Err(error) => {
            let attested = chain.period_at_slot(update.attested_header.beacon.slot);
            let signed = chain.period_at_slot(update.signature_slot);
            match refusal(error) {
                CheckError::NoFinality => assert!(genesis, "{name}"),
                // The state of a block in the period before has the committee that signed, not the next.
                CheckError::Period { what: "attested", .. } => assert!(attested < signed, "{name}"),
                other => panic!("{name}: {other}"),
            }
            false
        }
    }
}

fn refuses_without_the_header(applied: &Applied) {
    let slot = applied.update.finalized_header.beacon.slot;
    let without = applied.clone().with(None);
    for request in [Some(without.inclusion), without.committee_change].into_iter().flatten() {
        let error = refusal(request.check().unwrap_err());
        assert_eq!(error, CheckError::NoExecutionHeader { slot }, "{}", applied.name);
    }
}

/// The vectors' checks are of headers only, which this update does not change.
#[test]
fn a_past_update_supplies_the_next_committee() {
    let past = "supply_sync_committee_from_past_update";
    let vectors = committed();
    let cases = vectors.cases().iter().filter(|case| case.name.ends_with(past)).count();
    let applied = applied_updates(&vectors);
    assert!(cases > 0);
    assert_eq!(applied.iter().filter(|update| update.name.contains(past)).count(), cases);
}

#[test]
fn a_forged_update_is_refused_by_store_and_statements_alike() {
    let vectors = committed();
    let headers = vectors.execution_headers();
    let cases = vectors.cases();
    for case in cases.iter().filter(|case| case.handler == Handler::Sync) {
        let sync = case.sync();
        let mut store = sync.store();
        for (number, step) in sync.steps.iter().enumerate() {
            let before = store.clone();
            let Some(applied) = take_step(case, &sync, &mut store, number, step) else { continue };
            for forge in FORGERIES.iter().take(2) {
                let mut update = applied.update.clone();
                forge(&mut update);
                let forged = Applied::new(applied.name.clone(), &sync.chain, &before, update)
                    .with_execution_header(&headers);
                let seen = refusal(forged.inclusion.check().unwrap_err());
                assert!(!seen.is_about_accounts(), "{}: {seen}", forged.name);
                if let Some(input) = forged.committee_change {
                    refusal(input.check().unwrap_err());
                }
            }
        }
    }
}
