//! The shipped recording, and what becomes of it when somebody spoils a file.

mod mainnet;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use lc_core::{host::NativeCrypto, objects::file::write_stream};
use light_client::statement::Statement;
use serde_json::Value;
use simulator::{Chain, Preset, RecordOptions, config_yaml, fork_digest};
use tempfile::TempDir;

use super::*;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/simulated")
}

fn text(error: &RecordingError) -> String {
    proof_server::error_chain(error)
}

/// The shipped recording's files, for a copy with a change.
fn shipped_files() -> BTreeMap<String, Vec<u8>> {
    let files = Files::read(&shipped()).unwrap();
    files.names().map(|name| (name.to_owned(), files.get(name).unwrap().to_vec())).collect()
}

/// What loading a copy says of which `change` was made before it was listed.
fn relisted(
    change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>),
) -> Result<Recording, RecordingError> {
    let (folder, mut files) = (TempDir::new().unwrap(), shipped_files());
    change(&mut files);
    let out = folder.path().join("copy");
    write(&out, &files).unwrap();
    Recording::load(&out)
}

/// A copy in which nothing is changed yet.
fn copy() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("copy");
    write(&out, &shipped_files()).unwrap();
    (folder, out)
}

/// What a statement says, without the keys that only `meta.json` has.
fn assert_says(request: &Request, wanted: &Value) {
    let said = Statement::decode(request.program(), &request.public_values).unwrap().to_json();
    for (name, value) in wanted.as_object().unwrap() {
        if !["file", "folder", "accounts", "updates"].contains(&name.as_str()) {
            assert_eq!(said[name], *value, "{}: {name}", request.name);
        }
    }
}

#[test]
fn the_shipped_recording_yields_every_request_and_they_say_what_its_chain_says() {
    let recording = Recording::load(&shipped()).unwrap();
    let names: Vec<&str> = recording.requests.iter().map(|request| request.name.as_str()).collect();
    let changes = (100..105).map(|period| format!("committee-change/{period}"));
    let of_period = |period: u64| {
        ["absent", "no-storage", "token", "wallet"]
            .map(|account| format!("inclusion/{period}/{account}"))
            .into_iter()
            .chain([format!("inclusion/{period}")])
    };
    let wanted: Vec<String> = changes
        .chain(["committee-change/100-104".to_owned()])
        .chain(of_period(101))
        .chain(of_period(105))
        .collect();
    assert_eq!(names, wanted);
    let meta: Value =
        serde_json::from_slice(&fs::read(shipped().join("meta.json")).unwrap()).unwrap();
    let find = |name: &str| recording.requests.iter().find(|request| request.name == name).unwrap();
    assert_says(find("committee-change/100"), &meta["committeeChanges"][0]);
    assert_says(find("committee-change/100-104"), &meta["committeeChanges"][1]);
    assert_says(find("inclusion/101"), &meta["inclusions"][0]);
    assert_says(find("inclusion/105"), &meta["inclusions"][1]);
}

#[test]
fn the_recordings_of_shallow_and_of_deep_tries_yield_requests_too() {
    let names = ["committee-change/100"].into_iter().map(str::to_owned).chain(
        ["/absent", "/no-storage", "/token", "/wallet", ""].map(|of| format!("inclusion/101{of}")),
    );
    let names: Vec<String> = names.collect();
    let [_, shallow, deep] = RecordOptions::SHIPPED;
    for (folder, _) in [shallow, deep] {
        let recording = Recording::load(&shipped().with_file_name(folder)).unwrap();
        let found = recording.requests.iter().map(|request| request.name.clone());
        assert_eq!(found.collect::<Vec<_>>(), names, "{folder}");
    }
}

#[test]
fn a_copy_has_the_same_hash_and_a_changed_byte_another() {
    let (_folder, copy) = copy();
    let (ours, copied) = (Recording::load(&shipped()).unwrap(), Recording::load(&copy).unwrap());
    assert_eq!(ours.hash, copied.hash);
    let fixture = crate::document::Fixture::hash("simulated", &shipped()).unwrap();
    assert_eq!(fixture.sha256.0, ours.hash.0, "as documents have it");
    assert_eq!((copied.name.as_str(), ours.name.as_str()), ("copy", "simulated"));
    let other = relisted(|files| files.get_mut("README.md").unwrap().push(b'\n')).unwrap();
    assert_ne!(ours.hash, other.hash);
}

#[test]
fn a_file_that_is_missing_changed_or_additional_is_named_with_its_remedy() {
    let (_folder, copy) = copy();
    let file = copy.join("period-101/token.json");
    let whole = fs::read(&file).unwrap();

    let mut changed = whole.clone();
    changed[100] ^= 1;
    fs::write(&file, changed).unwrap();
    let error = text(&Recording::load(&copy).unwrap_err());
    assert!(error.contains(": period-101/token.json has SHA-256 0x"), "{error}");
    assert!(error.ends_with(": copy or record the recording anew"), "{error}");

    fs::remove_file(&file).unwrap();
    let error = text(&Recording::load(&copy).unwrap_err());
    assert!(error.ends_with(": period-101/token.json is in SHA256SUMS and missing: copy or record the recording anew"), "{error}");

    fs::write(&file, &whole).unwrap();
    fs::write(copy.join("period-101/token-2.json"), &whole).unwrap();
    let error = text(&Recording::load(&copy).unwrap_err());
    assert!(
        error.ends_with(
            ": period-101/token-2.json is not in SHA256SUMS: move it out of the recording"
        ),
        "{error}"
    );

    fs::remove_file(copy.join("period-101/token-2.json")).unwrap();
    Recording::load(&copy).expect("it is whole again");
}

#[test]
fn a_folder_that_is_no_recording_is_refused_with_what_it_lacks() {
    let folder = TempDir::new().unwrap();
    let error = text(&Recording::load(folder.path()).unwrap_err());
    assert!(error.contains("is no recording (it has no SHA256SUMS): give a folder"), "{error}");
    let error = text(&Recording::load(&folder.path().join("none")).unwrap_err());
    assert!(error.contains("cannot read") && error.contains("check the path"), "{error}");
    fs::write(folder.path().join(SUMS), "nonsense\n").unwrap();
    let error = text(&Recording::load(folder.path()).unwrap_err());
    assert!(error.contains("line 1 of SHA256SUMS is not 64 hexadecimal digits"), "{error}");
    fs::write(folder.path().join(SUMS), "").unwrap();
    let error = text(&Recording::load(folder.path()).unwrap_err());
    assert!(error.ends_with(" has no meta.json: record it anew"), "{error}");
}

#[test]
fn links_and_files_without_an_end_are_not_followed() {
    let (_folder, copy) = copy();
    let file = copy.join("period-101/token.json");
    fs::rename(&file, copy.with_extension("elsewhere")).unwrap();
    symlink(copy.with_extension("elsewhere"), &file).unwrap();
    let error = text(&Recording::load(&copy).unwrap_err());
    assert!(error.contains("token.json") && error.contains("it is not a plain file"), "{error}");

    fs::remove_file(&file).unwrap();
    let endless = fs::File::create(&file).unwrap();
    endless.set_len(MAX_FILE + 1).unwrap();
    let error = text(&Recording::load(&copy).unwrap_err());
    assert!(error.contains("token.json has more than 16 MiB"), "{error}");
}

/// A change to the files, and what the refusal says.
type Case<'a> = (&'a dyn Fn(&mut BTreeMap<String, Vec<u8>>), &'a [&'a str]);

#[test]
fn what_is_listed_and_does_not_fit_together_is_refused_by_name() {
    let replace = |files: &mut BTreeMap<String, Vec<u8>>, file: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[file].clone()).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        files.insert(file.to_owned(), text.replacen(from, to, 1).into_bytes());
    };
    let cases: [Case<'_>; 11] = [
        (&|files| drop(files.remove("bootstrap.ssz")), &["has no bootstrap.ssz"]),
        (
            &|files| drop(files.insert("meta.json".into(), b"{}".to_vec())),
            &["meta.json is not what it should be", "genesisValidatorsRoot"],
        ),
        (
            &|files| replace(files, "config.yaml", "DENEB_FORK_EPOCH: 0", "DENEB_FORK_EPOCH: 1"),
            &["config.yaml is of chain 0x", "meta.json says 0xd2fe30630e68d7f6"],
        ),
        (
            &|files| {
                replace(
                    files,
                    "meta.json",
                    "\"trustedBlockRoot\": \"0x7d",
                    "\"trustedBlockRoot\": \"0x7e",
                )
            },
            &["bootstrap.ssz starts no light client", "the trusted block is 0x7e"],
        ),
        (
            &|files| files.get_mut("updates.ssz").unwrap().truncate(1000),
            &["updates.ssz does not decode"],
        ),
        (
            // One bit of the first update's signature.
            &|files| {
                let bytes = files.get_mut("update-first.ssz").unwrap();
                let at = bytes.len() - 40;
                bytes[at] ^= 1;
                let spoilt = bytes.clone();
                files.insert("updates.ssz".into(), spoilt);
            },
            &["updates.ssz "],
        ),
        (
            &|files| {
                for name in ["finality-update.ssz", "finality-update.json"] {
                    files.remove(&format!("period-101/{name}"));
                }
            },
            &["period-101 has no finality-update.ssz beside it"],
        ),
        (
            &|files| {
                let of_105 = files["period-105/finality-update.ssz"].clone();
                files.insert("period-101/finality-update.ssz".into(), of_105);
            },
            &["cannot be asked for", "signed in period 105"],
        ),
        (
            &|files| {
                let of_105 = files["period-105/token.json"].clone();
                files.insert("period-101/token.json".into(), of_105);
            },
            &["period-101/token.json fails the native check"],
        ),
        (
            &|files| {
                let update = files["update-first.ssz"].clone();
                files.insert("updates.ssz".into(), update);
            },
            &["period-105 needs the committee of period 105, to which the updates do not lead"],
        ),
        (
            &|files| drop(files.insert("notes/today.txt".into(), Vec::new())),
            &["notes/today.txt has no meaning in a recording"],
        ),
    ];
    for (number, (change, says)) in cases.into_iter().enumerate() {
        let error = text(&relisted(change).expect_err("it was spoilt"));
        assert!(says.iter().all(|part| error.contains(part)), "case {number}: {error}");
    }
}

#[test]
fn a_recording_without_a_single_request_is_none() {
    let error = relisted(|files| {
        files.remove("updates.ssz");
        files.retain(|name, _| !name.starts_with("period-"));
    });
    assert!(text(&error.unwrap_err()).contains("yields no request"));
}

#[test]
fn a_recording_never_takes_the_place_of_what_is_there() {
    let (_folder, copy) = copy();
    let error = write(&copy, &shipped_files()).unwrap_err();
    assert!(matches!(error, RecordingError::Exists(_)), "{error}");
    assert!(text(&error).ends_with("exists: name another folder"));
}

#[test]
fn an_update_that_was_signed_before_its_period_had_a_final_block_is_asked_for_with_the_next() {
    let chain = Chain::builder().preset(Preset::Minimal).seed(3).build().unwrap();
    let (spec, first) = (chain.spec(), chain.first_period());
    let early = chain.update(first + 1).attested_slot(chain.first_slot_of(first + 1) + 9).build();
    let updates = [chain.update(first).build(), early, chain.update(first + 2).build()];
    let bootstrap = chain.bootstrap(chain.first_slot());
    let meta = Meta {
        genesis_validators_root: spec.genesis_validators_root,
        chain: spec.hash_tree_root::<NativeCrypto>(),
        trusted_block_root: bootstrap.header.beacon.hash_tree_root::<NativeCrypto>(),
    };
    let stream = write_stream(spec, &updates, |slot| fork_digest(spec, slot));
    let files = BTreeMap::from([
        ("config.yaml".to_owned(), config_yaml(spec, chain.preset()).into_bytes()),
        ("meta.json".to_owned(), meta.to_json()),
        ("bootstrap.ssz".to_owned(), bootstrap.to_ssz(spec)),
        ("updates.ssz".to_owned(), stream),
    ]);
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("early");
    write(&out, &files).unwrap();
    let recording = Recording::load(&out).unwrap_or_else(|error| panic!("{}", text(&error)));
    let names: Vec<_> = recording.requests.iter().map(|request| request.name.clone()).collect();
    let change = |from: u64, to: u64| format!("committee-change/{from}-{to}");
    let (second, last) = (first + 1, first + 2);
    assert_eq!(
        names,
        [format!("committee-change/{first}"), change(second, last), change(first, last)]
    );
}
