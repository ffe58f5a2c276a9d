//! Bytes that are no light-client objects: each is refused with its fault named, none panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lc_core::{
    ChainSpec, ExecutionForm, Fork, ForkEntry,
    alloy_primitives::{B256, U256},
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
        LightClientOptimisticUpdate, LightClientUpdate, ObjectError, SyncAggregate, SyncCommittee,
        file, updates_to_json,
    },
};
use proptest::prelude::*;

/// A minimal-sized chain with one epoch of each fork, Altair from slot 8 on.
fn spec() -> ChainSpec {
    let entry = |fork: Fork| ForkEntry { fork, version: [fork as u8, 0, 0, 1], epoch: fork as u64 };
    ChainSpec {
        genesis_validators_root: B256::repeat_byte(0x11),
        slots_per_epoch: 8,
        epochs_per_sync_committee_period: 8,
        sync_committee_size: 32,
        forks: Fork::ALL.map(entry).to_vec(),
    }
}

/// A slot of that fork.
fn slot(fork: Fork) -> u64 {
    fork as u64 * 8 + 3
}

fn header(fork: Fork, slot: u64) -> LightClientHeader {
    let mut header = LightClientHeader::default();
    header.beacon.slot = slot;
    header.beacon.state_root = B256::repeat_byte(0x22);
    if fork.execution_form() == ExecutionForm::BlockHash {
        header.execution.block_hash = B256::repeat_byte(0x44);
        header.execution_branch = branch(LightClientHeader::BLOCK_HASH_BRANCH_DEPTH);
    }
    if fork.execution_form() == ExecutionForm::PayloadHeader {
        header.execution.block_number = slot + 7;
        header.execution.extra_data = b"sample".to_vec();
        header.execution.base_fee_per_gas = U256::MAX;
        header.execution_branch[2] = B256::repeat_byte(0x33);
        if fork >= Fork::Deneb {
            header.execution.excess_blob_gas = u64::MAX;
        }
    }
    header
}

fn committee() -> SyncCommittee {
    SyncCommittee {
        pubkeys: (0..32u8).map(|i| [0x80 | i; 48].into()).collect(),
        aggregate_pubkey: [0xaa; 48].into(),
    }
}

fn branch(depth: usize) -> Vec<B256> {
    (0..depth as u8).map(|level| B256::repeat_byte(level + 1)).collect()
}

fn update(fork: Fork) -> LightClientUpdate {
    let at = fork.gindices();
    LightClientUpdate {
        attested_header: header(fork, slot(fork)),
        next_sync_committee: committee(),
        next_sync_committee_branch: branch(at.next_sync_committee.depth()),
        finalized_header: header(fork, slot(fork) - 1),
        finality_branch: branch(at.finalized_root.depth()),
        sync_aggregate: SyncAggregate {
            sync_committee_bits: vec![0xff, 0x0f, 0, 1],
            sync_committee_signature: [0xbb; 96].into(),
        },
        signature_slot: slot(fork) + 1,
    }
}

fn bootstrap(fork: Fork) -> LightClientBootstrap {
    LightClientBootstrap {
        header: header(fork, slot(fork)),
        current_sync_committee: committee(),
        current_sync_committee_branch: branch(fork.gindices().current_sync_committee.depth()),
    }
}

fn optimistic(fork: Fork) -> LightClientOptimisticUpdate {
    let LightClientUpdate { attested_header, sync_aggregate, signature_slot, .. } = update(fork);
    LightClientOptimisticUpdate { attested_header, sync_aggregate, signature_slot }
}

/// A decoder that forgets what it decoded.
type Decoder = fn(&[u8]) -> Result<(), ObjectError>;

/// The four objects of a fork in SSZ, each with the decoder that takes it. The headers have so many bytes
/// of `extra_data`.
fn all(fork: Fork, extra_data: usize) -> [(Vec<u8>, Decoder); 4] {
    let (spec, mut bootstrap, mut update) = (spec(), bootstrap(fork), update(fork));
    let headers =
        [&mut bootstrap.header, &mut update.attested_header, &mut update.finalized_header];
    for header in headers {
        header.execution.extra_data = vec![0x44; extra_data];
    }
    let LightClientUpdate { attested_header, sync_aggregate, signature_slot, .. } = update.clone();
    let optimistic =
        LightClientOptimisticUpdate { attested_header, sync_aggregate, signature_slot };
    let finality = LightClientFinalityUpdate::from(update.clone());
    [
        (bootstrap.to_ssz(&spec), |b| LightClientBootstrap::from_ssz(&self::spec(), b).map(drop)),
        (update.to_ssz(&spec), |b| LightClientUpdate::from_ssz(&self::spec(), b).map(drop)),
        (finality.to_ssz(&spec), |b| {
            LightClientFinalityUpdate::from_ssz(&self::spec(), b).map(drop)
        }),
        (optimistic.to_ssz(&spec), |b| {
            LightClientOptimisticUpdate::from_ssz(&self::spec(), b).map(drop)
        }),
    ]
}

fn stream() -> Vec<u8> {
    file::write_stream(&spec(), &[update(Fork::Fulu)], |_| [1, 2, 3, 4])
}

#[test]
fn every_object_of_every_fork_comes_back_from_ssz_and_json() {
    let spec = &spec();
    for fork in Fork::ALL {
        let one = bootstrap(fork);
        assert_eq!(file::read_bootstrap(spec, &one.to_ssz(spec)).unwrap(), one);
        assert_eq!(file::read_bootstrap(spec, one.to_json(spec).as_bytes()).unwrap(), one);
        let one = update(fork);
        assert_eq!(file::read_updates(spec, &one.to_ssz(spec)).unwrap(), vec![one.clone()]);
        assert_eq!(
            file::read_updates(spec, one.to_json(spec).as_bytes()).unwrap(),
            vec![one.clone()]
        );
        let one = LightClientFinalityUpdate::from(one);
        assert_eq!(file::read_finality_update(spec, &one.to_ssz(spec)).unwrap(), one);
        assert_eq!(file::read_finality_update(spec, one.to_json(spec).as_bytes()).unwrap(), one);
        let one = optimistic(fork);
        assert_eq!(file::read_optimistic_update(spec, &one.to_ssz(spec)).unwrap(), one);
        assert_eq!(file::read_optimistic_update(spec, one.to_json(spec).as_bytes()).unwrap(), one);
    }
}

#[test]
fn every_truncation_and_every_extra_byte_is_refused() {
    for fork in Fork::ALL {
        // The last field is `extra_data`, whose length is what is left: empty, nothing can be cut from it;
        // full, nothing can be added.
        for (bytes, decode) in all(fork, 0) {
            decode(&bytes).unwrap();
            for len in 0..bytes.len() {
                assert!(decode(&bytes[..len]).is_err(), "{fork:?} {len}");
            }
        }
        for (bytes, decode) in all(fork, 32) {
            decode(&bytes).unwrap();
            assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_err(), "{fork:?}");
        }
    }
    let stream = stream();
    file::read_updates(&spec(), &stream).unwrap();
    for len in 0..stream.len() {
        file::read_updates(&spec(), &stream[..len]).unwrap_err();
    }
    let text = update(Fork::Fulu).to_json(&spec());
    for len in (0..text.len()).step_by(7) {
        file::read_updates(&spec(), &text.as_bytes()[..len]).unwrap_err();
    }
}

#[test]
fn an_offset_that_leaves_a_gap_or_overlaps_is_refused() {
    let bytes = LightClientFinalityUpdate::from(update(Fork::Deneb)).to_ssz(&spec());
    let second = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    for wrong in [0, second - 1, second + 1, bytes.len() as u32 + 1, u32::MAX] {
        let mut moved = bytes.clone();
        moved[4..8].copy_from_slice(&wrong.to_le_bytes());
        LightClientFinalityUpdate::from_ssz(&spec(), &moved).unwrap_err();
    }
    let mut moved = bytes.clone();
    moved[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = LightClientFinalityUpdate::from_ssz(&spec(), &moved).unwrap_err();
    let wanted = bytes.len();
    let what = "LightClientFinalityUpdate";
    assert_eq!(error, ObjectError::Offset { what, found: u64::from(u32::MAX), wanted });
}

#[test]
fn a_slot_of_another_fork_than_the_layout_is_refused() {
    let bytes = update(Fork::Deneb).to_ssz(&spec());
    let at = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    for fork in [Fork::Electra, Fork::Altair] {
        let mut moved = bytes.clone();
        moved[at..at + 8].copy_from_slice(&slot(fork).to_le_bytes());
        let error = LightClientUpdate::from_ssz(&spec(), &moved).unwrap_err();
        assert!(matches!(error, ObjectError::OtherFork { fork: f, .. } if f == fork), "{error}");
    }
    // Capella and Deneb differ in the execution header only.
    let mut moved = bytes.clone();
    moved[at..at + 8].copy_from_slice(&slot(Fork::Capella).to_le_bytes());
    let error = LightClientUpdate::from_ssz(&spec(), &moved).unwrap_err();
    assert!(matches!(error, ObjectError::Offset { what: "ExecutionPayloadHeader", .. }), "{error}");
    let mut early = bytes;
    early[at..at + 8].copy_from_slice(&7u64.to_le_bytes());
    let error = LightClientUpdate::from_ssz(&spec(), &early).unwrap_err();
    assert_eq!(error, ObjectError::BeforeAltair { object: "LightClientUpdate", slot: 7 });
}

#[test]
fn extra_data_longer_than_a_blocks_is_refused() {
    let mut object = update(Fork::Electra);
    object.attested_header.execution.extra_data = vec![1; 32];
    LightClientUpdate::from_ssz(&spec(), &object.to_ssz(&spec())).unwrap();
    object.attested_header.execution.extra_data = vec![1; 33];
    let error = LightClientUpdate::from_ssz(&spec(), &object.to_ssz(&spec())).unwrap_err();
    assert_eq!(error, ObjectError::ExtraData(33));
    let error = LightClientUpdate::from_json(&spec(), object.to_json(&spec()).as_bytes());
    assert!(error.unwrap_err().to_string().contains("at most 32 bytes"));
}

#[test]
fn a_committee_of_another_size_is_refused() {
    let bytes = update(Fork::Electra).to_ssz(&spec());
    let mut mainnet_sized = spec();
    mainnet_sized.sync_committee_size = 512;
    let error = LightClientUpdate::from_ssz(&mainnet_sized, &bytes).unwrap_err();
    assert!(error.to_string().contains("for a committee of 512"), "{error}");
    let error = SyncCommittee::from_ssz(&mainnet_sized, &committee().to_ssz()).unwrap_err();
    assert_eq!(
        error,
        ObjectError::Length { what: "SyncCommittee", found: 33 * 48, wanted: 513 * 48 }
    );
    let json = update(Fork::Electra).to_json(&spec());
    let error = LightClientUpdate::from_json(&mainnet_sized, json.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("an array of 32, wanted an array of 512"), "{error}");
}

#[test]
fn an_unusable_chain_is_refused_before_anything_is_read() {
    let mut broken = spec();
    broken.slots_per_epoch = 0;
    let bytes = update(Fork::Electra).to_ssz(&spec());
    assert!(matches!(file::read_updates(&broken, &bytes), Err(ObjectError::Chain(_))));
    assert!(matches!(LightClientUpdate::from_ssz(&broken, &bytes), Err(ObjectError::Chain(_))));
    let json = update(Fork::Electra).to_json(&spec());
    let from_json = LightClientUpdate::from_json(&broken, json.as_bytes());
    assert!(matches!(from_json, Err(ObjectError::Chain(_))));
}

#[test]
fn a_file_with_another_number_of_objects_is_refused() {
    let spec = &spec();
    let many = vec![update(Fork::Fulu); 129];
    let count = |bytes: &[u8]| match file::read_updates(spec, bytes) {
        Err(ObjectError::Count { found, wanted: "1 to 128", .. }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&file::write_stream(spec, &many, |_| [0; 4])), 129);
    assert_eq!(count(updates_to_json(spec, &many).as_bytes()), 129);
    assert_eq!(count(b"[]"), 0);
    let most = file::write_stream(spec, &many[..128], |_| [0; 4]);
    assert_eq!(file::read_updates(spec, &most).unwrap().len(), 128);
    let one = LightClientFinalityUpdate::from(update(Fork::Fulu)).to_json(spec);
    let two = format!("[{one},{one}]");
    assert!(matches!(
        file::read_finality_update(spec, two.as_bytes()),
        Err(ObjectError::Count { found: 2, wanted: "1", .. })
    ));
}

#[test]
fn a_chunk_that_was_cut_short_says_where() {
    let stream = [stream(), stream()].concat();
    let error = file::read_updates(&spec(), &stream[..stream.len() - 1]).unwrap_err();
    let at = stream.len() / 2;
    let announced = (at - 8) as u64;
    assert_eq!(error, ObjectError::Chunk { at, announced, left: at - 9 });
}

#[test]
fn a_chunk_without_an_object_is_none() {
    let spec = &spec();
    let with_len = |len: u64| [&len.to_le_bytes()[..], &[0; 4]].concat();
    let error = file::read_updates(spec, &with_len(4)).unwrap_err();
    assert!(matches!(error, ObjectError::Unrecognised { bytes: 12, .. }), "{error}");
    let error = file::read_updates(spec, &with_len(5)).unwrap_err();
    assert_eq!(error, ObjectError::Chunk { at: 0, announced: 5, left: 4 });
    let first = stream();
    let error = file::read_updates(spec, &[&first[..], &with_len(4)].concat()).unwrap_err();
    assert_eq!(error, ObjectError::Chunk { at: first.len(), announced: 4, left: 4 });
}

#[test]
fn a_proposer_that_no_registry_can_hold_makes_no_object() {
    let read = |proposer_index| {
        let mut object = optimistic(Fork::Altair);
        object.attested_header.beacon.proposer_index = proposer_index;
        LightClientOptimisticUpdate::from_ssz(&spec(), &object.to_ssz(&spec()))
    };
    read((1 << 40) - 1).unwrap();
    assert!(matches!(read(1 << 40), Err(ObjectError::Unrecognised { .. })));
}

#[test]
fn what_is_no_object_at_all_is_described() {
    for (bytes, first) in
        [(&b""[..], "nothing"), (b"<html>", "0x3c68746d6c3e"), (&[0xff; 40], "0xffffffffffffffff")]
    {
        let error = file::read_bootstrap(&spec(), bytes).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{} bytes beginning {first} are no LightClientBootstrap for a committee of 32: \
                 pass what the beacon API returned (SSZ or JSON), and the network it came from",
                bytes.len()
            )
        );
    }
    // Another object is not taken for the one wanted.
    let bytes = update(Fork::Deneb).to_ssz(&spec());
    file::read_bootstrap(&spec(), &bytes).unwrap_err();
    file::read_finality_update(&spec(), &bytes).unwrap_err();
}

/// The JSON of an update with one text replaced, and what its decoder says.
fn json_fault(from: &str, to: &str) -> String {
    let text = update(Fork::Deneb).to_json(&spec());
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from} is not in the JSON");
    LightClientUpdate::from_json(&spec(), changed.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_json_value_at_fault_is_named_by_its_path() {
    let slot_path = "in the JSON, data.attested_header.beacon.slot is";
    for wrong in
        [r#""35 ""#, r#""+35""#, r#""035""#, r#""""#, "35", "null", r#""18446744073709551616""#]
    {
        let said = json_fault(r#""slot": "35""#, &format!(r#""slot": {wrong}"#));
        assert!(said.starts_with(slot_path), "{wrong}: {said}");
        assert!(said.contains("wanted a 64-bit integer in quotes"), "{wrong}: {said}");
    }
    let said = json_fault(r#""0xaaaa"#, r#""aaaa"#);
    assert!(said.contains("data.next_sync_committee.aggregate_pubkey"), "{said}");
    assert!(said.contains(&format!("is \"{}… (98 characters), wanted", "a".repeat(63))), "{said}");
    let said = json_fault(r#""0xaaaa"#, r#""0xgaaa"#);
    assert!(said.contains("wanted 0x and 48 bytes in hex"), "{said}");
    let said = json_fault(r#""finality_branch""#, r#""finality_brunch""#);
    assert!(said.contains("data is an object with `finality_brunch`, wanted only"), "{said}");
    let said = json_fault(r#""extra_data": "0x"#, r#""extra_data": "0x0"#);
    assert!(said.contains("data.attested_header.execution.extra_data"), "{said}");
    let said = json_fault(r#""version": "deneb""#, r#""version": "electra""#);
    assert_eq!(
        said,
        "the answer says version \"electra\", but its slot 35 is in deneb: check the network"
    );
}

#[test]
fn a_nodes_error_answer_is_quoted() {
    let answer = br#"{"code":404,"message":"LC bootstrap unavailable"}"#;
    let error = file::read_bootstrap(&spec(), answer).unwrap_err();
    assert_eq!(error, ObjectError::NodeError("\"LC bootstrap unavailable\"".into()));
    let error = file::read_bootstrap(&spec(), b"{\"data\":").unwrap_err();
    assert!(matches!(error, ObjectError::NotJson(_)), "{error}");
    let error = file::read_bootstrap(&spec(), b"{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "in the JSON, header is missing, wanted the field: pass the node's answer unchanged"
    );
}

fn read_everything(bytes: &[u8]) {
    let spec = &spec();
    let _ = file::read_bootstrap(spec, bytes);
    let _ = file::read_updates(spec, bytes);
    let _ = file::read_finality_update(spec, bytes);
    let _ = file::read_optimistic_update(spec, bytes);
    let _ = SyncCommittee::from_ssz(spec, bytes);
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_change_of_a_valid_object_makes_a_decoder_panic_and_what_decodes_encodes_back(
        fork in 0..7usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        early in any::<bool>(),
    ) {
        for (bytes, _) in all(Fork::ALL[fork], 6) {
            let mut bytes = bytes;
            // Half of them among offsets and slots.
            let reach = if early { 16 } else { bytes.len() };
            for (at, value) in &changes {
                bytes[at.index(reach)] = *value;
            }
            read_everything(&bytes);
            if let Ok(update) = LightClientUpdate::from_ssz(&spec(), &bytes) {
                prop_assert_eq!(update.to_ssz(&spec()), bytes);
            }
        }
    }

    #[test]
    fn no_change_of_a_stream_or_json_makes_a_decoder_panic(
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        for mut bytes in [stream(), update(Fork::Electra).to_json(&spec()).into_bytes()] {
            let len = bytes.len();
            bytes[at.index(len)] = value;
            read_everything(&bytes);
        }
    }
}
