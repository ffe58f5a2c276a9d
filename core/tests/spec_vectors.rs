//! The consensus specification's own light-client suites: every case of every suite, step by step.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use lc_core::{
    ChainSpec, Fork, GeneralizedIndex, Gindices,
    alloy_primitives::{B256, FixedBytes},
    containers::compute_fork_data_root,
    execution_header::ExecutionBlock,
    host::{LightClientStore, NativeCrypto},
    merkle::is_valid_merkle_branch,
    objects::{LightClientBootstrap, LightClientHeader, LightClientUpdate},
};
use sha2::{Digest, Sha256};
use support::{
    all_vectors,
    spec_vectors::{
        Case, Checks, FORGERIES, Handler, HeaderCheck, MerkleProof, Step, SyncCase, Vectors,
        committed, parse, take_step,
    },
    ssz_type::SszType,
};

/// The types that Merkle proofs are of, by `<preset>/<fork>/<type>`: made with the vectors.
type Types = BTreeMap<String, SszType>;

/// Runs every case; gives cases and steps of each handler. Panics on a file that it did not open.
fn run_all(vectors: &Vectors) -> BTreeMap<Handler, (usize, usize)> {
    let mut ran = BTreeMap::new();
    let cases = vectors.cases();
    assert!(!cases.is_empty(), "no cases");
    for (hash, rlp) in vectors.execution_headers() {
        ExecutionBlock::with_hash::<NativeCrypto>(&rlp, hash).unwrap();
    }
    let mut types = None;
    for case in &cases {
        let steps = match case.handler {
            Handler::Sync => run_sync(case),
            Handler::UpdateRanking => run_ranking(case),
            Handler::SingleMerkleProof => {
                let types = types.get_or_insert_with(|| {
                    serde_json::from_slice::<Types>(&vectors.read(Path::new("types.json"))).unwrap()
                });
                run_proof(case, types)
            }
        };
        let (cases, all_steps) = ran.entry(case.handler).or_insert((0, 0));
        (*cases, *all_steps) = (*cases + 1, *all_steps + steps);
    }
    ran
}

/// Gives the number of steps run.
fn run_sync(case: &Case<'_>) -> usize {
    let sync = case.sync();
    let (chain, meta) = (&sync.chain, &sync.meta);
    LightClientStore::initialize(chain, B256::ZERO, &sync.bootstrap)
        .expect_err("another trusted root");
    refuses_a_forged_bootstrap(&sync);
    let digest = fork_digest(&sync, sync.bootstrap.header.beacon.slot);
    assert_eq!(meta.bootstrap_fork_digest, digest, "{}", case.name);
    check_store_fork(case, &sync, meta.store_fork_version, meta.store_fork_digest);
    let mut store = sync.store();
    for (number, step) in sync.steps.iter().enumerate() {
        let at = format!("{} step {number}", case.name);
        if let Step::ProcessUpdate(step) = step {
            let update = LightClientUpdate::from_ssz(chain, &case.object(&step.update)).unwrap();
            let digest = fork_digest(&sync, update.attested_header.beacon.slot);
            assert_eq!(step.update_fork_digest, digest, "{at}");
            refuses_forged_twins(chain, &store, &update, step.current_slot);
            takes_the_same_in_gloas_form(chain, &store, &update, step.current_slot);
        }
        take_step(case, &sync, &mut store, number, step);
        check(chain, &store, step_checks(case, &sync, step), &at);
    }
    read_left_overs(case, &sync);
    sync.steps.len()
}

/// Updates that lie in the carried Electra cases though none of their steps names them: left over from an earlier
/// release of the vectors. Any other file that no step names fails the run.
const LEFT_OVER: [&str; 6] = [
    "update_0x0135573e3e3834ec18c1325bfd08816a6766d48a1fcd8e92984b094bd8207597_sf",
    "update_0x66f38b1586f12d7d2c42fcbf867817e5794c5ba526041c8ea2527e5cbeaefe5c_xf",
    "update_0xfdc4c160932e0ce2aea3b37be2e25ab72693ab5ae612fc7a65e23f34d1a0e29d_sf",
    "update_0xfdc4c160932e0ce2aea3b37be2e25ab72693ab5ae612fc7a65e23f34d1a0e29d_xf",
    "update_0xfdc4c160932e0ce2aea3b37be2e25ab72693ab5ae612fc7a65e23f34d1a0e29d_xx",
    "update_0x9b9540f46ae0eec77002ab85529da89a8bc491d29745a3769789e7bee17ee6d7_sf",
];

fn read_left_overs(case: &Case<'_>, sync: &SyncCase) {
    for name in case.object_names().iter().filter(|name| LEFT_OVER.contains(&name.as_str())) {
        LightClientUpdate::from_ssz(&sync.chain, &case.object(name)).unwrap();
    }
}

fn step_checks<'s>(case: &Case<'_>, sync: &SyncCase, step: &'s Step) -> &'s Checks {
    match step {
        Step::ProcessUpdate(step) => &step.checks,
        Step::ForceUpdate(step) => &step.checks,
        Step::UpgradeStore(step) => {
            check_store_fork(case, sync, step.store_fork_version, step.store_fork_digest);
            &step.checks
        }
    }
}

fn check(chain: &ChainSpec, store: &LightClientStore, checks: &Checks, at: &str) {
    check_header(chain, &store.finalized_header, &checks.finalized_header, at);
    check_header(chain, &store.optimistic_header, &checks.optimistic_header, at);
}

fn check_header(chain: &ChainSpec, header: &LightClientHeader, wanted: &HeaderCheck, at: &str) {
    assert_eq!(header.beacon.slot, wanted.slot, "{at}");
    assert_eq!(header.beacon.hash_tree_root::<NativeCrypto>(), wanted.beacon_root, "{at}");
    let execution = header.execution_root::<NativeCrypto>(chain).unwrap();
    // A store from before Capella has none to compare.
    assert_eq!(execution, wanted.execution_root.unwrap_or(B256::ZERO), "{at}");
    let upgraded = upgraded(chain, header);
    assert_eq!(upgraded.execution_root::<NativeCrypto>(chain), Some(execution), "{at}");
}

/// The fork whose rules the specification's store has by now, planned or not, is one that ours knows.
fn check_store_fork(
    case: &Case<'_>,
    sync: &SyncCase,
    version: Option<FixedBytes<4>>,
    digest: Option<FixedBytes<4>>,
) {
    let known = match (version, digest) {
        (Some(version), None) => {
            case.preset_chain().forks.iter().any(|entry| entry.version == version)
        }
        (None, Some(digest)) => sync.chain.forks.iter().any(|entry| {
            let slot = entry.epoch * sync.chain.slots_per_epoch;
            fork_digest(sync, slot) == digest
        }),
        _ => false,
    };
    assert!(known, "{}: no such fork of the store: {version:?} {digest:?}", case.name);
}

/// `compute_fork_digest` (fulu/beacon-chain.md): says in which fork's form an object is.
fn fork_digest(sync: &SyncCase, slot: u64) -> FixedBytes<4> {
    let chain = &sync.chain;
    let epoch = chain.epoch_at_slot(slot);
    let entry = chain.entry_at_epoch(epoch).unwrap();
    let root =
        compute_fork_data_root::<NativeCrypto>(entry.version, &chain.genesis_validators_root);
    let base = FixedBytes::from_slice(&root[..4]);
    if entry.fork < Fork::Fulu {
        return base;
    }
    let (epoch, blobs) = sync.blobs.at_epoch(epoch);
    let parameters = [epoch.to_le_bytes(), blobs.to_le_bytes()].concat();
    base ^ FixedBytes::from_slice(&Sha256::digest(parameters)[..4])
}

/// The same bootstrap with another committee is refused.
fn refuses_a_forged_bootstrap(sync: &SyncCase) {
    let mut forged: LightClientBootstrap = sync.bootstrap.clone();
    forged.current_sync_committee.pubkeys.swap(0, 1);
    forged.current_sync_committee.aggregate_pubkey.0[47] ^= 1;
    let root = sync.meta.trusted_block_root;
    LightClientStore::initialize(&sync.chain, root, &forged).expect_err("another committee");
}

/// Forged twins of the update are refused, and change nothing.
fn refuses_forged_twins(
    chain: &ChainSpec,
    store: &LightClientStore,
    update: &LightClientUpdate,
    slot: u64,
) {
    for (number, forge) in FORGERIES.iter().enumerate() {
        let mut forged = update.clone();
        forge(&mut forged);
        let mut after = store.clone();
        after.process(chain, &forged, slot).expect_err(&format!("forgery {number}"));
        assert_eq!(after, *store);
    }
}

fn upgraded(chain: &ChainSpec, header: &LightClientHeader) -> LightClientHeader {
    let upgraded = header.upgrade_to_gloas::<NativeCrypto>(chain).unwrap();
    assert!(upgraded.has_hash_form());
    upgraded
}

/// `upgrade_lc_update_to_gloas` (gloas/light-client/fork.md) makes an update that the store takes like the one before,
/// unless its execution part is forged.
fn takes_the_same_in_gloas_form(
    chain: &ChainSpec,
    store: &LightClientStore,
    update: &LightClientUpdate,
    slot: u64,
) {
    let at = Fork::Gloas.gindices();
    let lengthened = |branch: &[B256], index: GeneralizedIndex| {
        [vec![B256::ZERO; index.depth() - branch.len()], branch.to_vec()].concat()
    };
    let next_branch = &update.next_sync_committee_branch;
    let mut gloas = LightClientUpdate {
        attested_header: upgraded(chain, &update.attested_header),
        finalized_header: upgraded(chain, &update.finalized_header),
        next_sync_committee_branch: lengthened(next_branch, at.next_sync_committee),
        finality_branch: lengthened(&update.finality_branch, at.finalized_root),
        ..update.clone()
    };
    let (mut wanted, mut after) = (store.clone(), store.clone());
    wanted.process(chain, update, slot).unwrap();
    after.process(chain, &gloas, slot).unwrap();
    assert_eq!(after.finalized_header.beacon, wanted.finalized_header.beacon);
    assert_eq!(after.optimistic_header.beacon, wanted.optimistic_header.beacon);
    assert_eq!(after.next_sync_committee, wanted.next_sync_committee);
    gloas.attested_header.execution.block_hash.0[0] ^= 1;
    store.clone().process(chain, &gloas, slot).expect_err("another execution block");
}

/// Gives the number of updates ranked.
fn run_ranking(case: &Case<'_>) -> usize {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Meta {
        updates_count: usize,
    }
    let chain = case.chain_of_one_fork();
    let meta: Meta = case.yaml("meta");
    assert!(meta.updates_count > 1, "{} ranks nothing", case.name);
    let updates: Vec<LightClientUpdate> = (0..meta.updates_count)
        .map(|number| case.object(&format!("updates_{number}")))
        .map(|ssz| LightClientUpdate::from_ssz(&chain, &ssz).unwrap())
        .collect();
    for (better, pair) in updates.windows(2).enumerate() {
        let at = format!("{} updates {better} and {}", case.name, better + 1);
        assert!(LightClientStore::is_better_update(&chain, &pair[0], &pair[1]), "{at}");
        assert!(!LightClientStore::is_better_update(&chain, &pair[1], &pair[0]), "{at}");
    }
    updates.len()
}

/// The place is the one in our table, and the branch leads to the object's root.
fn run_proof(case: &Case<'_>, types: &Types) -> usize {
    let proof: MerkleProof = case.yaml("proof");
    let index = GeneralizedIndex(proof.leaf_index);
    assert_eq!(Some(index), place(case), "{}", case.name);
    let key = format!("{}/{}/{}", case.preset.name(), case.fork.name(), case.suite);
    let root = types[&key].hash_tree_root(&case.object("object"));
    let valid = |leaf: &B256, branch: &[B256]| {
        is_valid_merkle_branch::<NativeCrypto>(leaf, branch, index, &root)
    };
    assert!(valid(&proof.leaf, &proof.branch), "{}", case.name);
    assert!(!valid(&B256::repeat_byte(7), &proof.branch), "{}", case.name);
    assert!(!valid(&proof.leaf, &proof.branch[1..]), "{}", case.name);
    1
}

/// Where our table has what the case proves.
fn place(case: &Case<'_>) -> Option<GeneralizedIndex> {
    let Gindices {
        finalized_root,
        current_sync_committee,
        next_sync_committee,
        execution_payload,
        execution_fields: _,
        execution_block_hash,
    } = case.fork.gindices();
    match case.name.rsplit('/').next().unwrap() {
        "finality_root_merkle_proof" => Some(finalized_root),
        "current_sync_committee_merkle_proof" => Some(current_sync_committee),
        "next_sync_committee_merkle_proof" => Some(next_sync_committee),
        "execution_merkle_proof" => execution_payload,
        "execution_block_hash_merkle_proof" => execution_block_hash,
        other => panic!("{}: no such proof: {other}", case.name),
    }
}

#[test]
fn every_suite_of_the_specification_passes_step_by_step() {
    for vectors in all_vectors() {
        println!("{:?}", run_all(&vectors));
        vectors.assert_all_opened();
    }
}

#[test]
fn every_fork_and_preset_has_each_suite() {
    let vectors = committed();
    let cases = vectors.cases();
    for fork in Fork::ALL {
        for preset in ["minimal", "mainnet"] {
            let handlers = [Handler::Sync, Handler::SingleMerkleProof, Handler::UpdateRanking];
            for handler in handlers {
                // 57 updates with a committee of 512 each are made on demand.
                if handler == Handler::UpdateRanking && preset == "mainnet" {
                    continue;
                }
                let found = cases.iter().any(|case| {
                    case.fork == fork && case.preset.name() == preset && case.handler == handler
                });
                assert!(found, "no {handler:?} of {} {preset}", fork.name());
            }
        }
    }
}

#[test]
#[should_panic(expected = "vectors that no test opened")]
fn a_vector_that_is_not_opened_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("read.yaml"), "").unwrap();
    fs::write(folder.path().join("unread.yaml"), "").unwrap();
    let vectors = Vectors::at(folder.path());
    vectors.read(Path::new("read.yaml"));
    vectors.assert_all_opened();
}

#[test]
#[should_panic(expected = "no vectors in")]
fn an_empty_tree_fails_the_run() {
    Vectors::at(tempfile::tempdir().unwrap().path()).assert_all_opened();
}

#[test]
#[should_panic(expected = "no cases")]
fn a_tree_without_cases_fails_the_run() {
    run_all(&Vectors::at(tempfile::tempdir().unwrap().path()));
}

/// A tree with one file of one case.
fn tree_of(file: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    folder
}

#[test]
#[should_panic(expected = "no such handler: data_collection")]
fn an_unknown_suite_fails_the_run() {
    let folder =
        tree_of("minimal/altair/light_client/data_collection/pyspec_tests/a/steps.yaml", "");
    Vectors::at(folder.path()).cases();
}

#[test]
#[should_panic(expected = "no such fork: heze")]
fn an_unknown_fork_fails_the_run() {
    let folder = tree_of("light_client_sync/heze/a/steps.yaml", "");
    Vectors::at(folder.path()).cases();
}

#[test]
fn an_unknown_step_or_key_fails_the_run() {
    let checks = "checks: {finalized_header: {slot: 1, beacon_root: 'ROOT'}, \
                  optimistic_header: {slot: 1, beacon_root: 'ROOT'}}"
        .replace("ROOT", &B256::ZERO.to_string());
    let good = format!("- force_update: {{current_slot: 1, {checks}}}");
    assert_eq!(parse::<Vec<Step>>(good.as_bytes()).unwrap().len(), 1);
    for (from, to, says) in [
        ("force_update", "rewind_store", "unknown variant `rewind_store`"),
        ("current_slot: 1", "current_slot: 1, why: 2", "unknown field `why`"),
        ("{slot: 1, beacon", "{slot: 1, body_root: 1, beacon", "unknown field `body_root`"),
        ("current_slot: 1, ", "", "missing field `current_slot`"),
    ] {
        let error = parse::<Vec<Step>>(good.replace(from, to).as_bytes()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
