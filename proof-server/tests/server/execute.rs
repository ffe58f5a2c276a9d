//! `proof-server execute`, on files as a node would hand them out.

use std::{fs, path::PathBuf, process::Output, sync::OnceLock};

use lc_core::{alloy_primitives::keccak256, objects::LightClientFinalityUpdate};
use serde_json::Value;
use simulator::{Preset, RecordOptions, config_yaml, mutations, recording};

use crate::support::binary;

/// A recording of a small chain, in a folder of its own.
struct Recording {
    folder: tempfile::TempDir,
    meta: Value,
}

impl Recording {
    fn new() -> Self {
        static FILES: OnceLock<std::collections::BTreeMap<String, Vec<u8>>> = OnceLock::new();
        let options = RecordOptions {
            preset: Preset::Minimal,
            seed: 7,
            periods: 3,
            ..RecordOptions::default()
        };
        let files = FILES.get_or_init(|| recording(&options).unwrap());
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self { folder, meta: serde_json::from_slice(&files["meta.json"]).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the first finality update, which the second period's committee signed.
    fn inclusion(&self) -> (&Value, String) {
        let inclusion = &self.meta["inclusions"][0];
        (inclusion, inclusion["folder"].as_str().unwrap().to_owned())
    }

    /// Runs `execute` with paths relative to the recording.
    fn execute(&self, what: &str, args: &[&str]) -> Output {
        let root = self.meta["genesisValidatorsRoot"].as_str().unwrap();
        binary()
            .current_dir(&self.folder)
            .args(["execute", what, "--network", "config.yaml", "--genesis-validators-root", root])
            .args(["--bootstrap", "bootstrap.ssz"])
            .args(args)
            .output()
            .unwrap()
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn error_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim().to_owned()
}

/// What a recording says of itself, against what was decoded; field names are the same.
fn assert_as_recorded(decoded: &Value, recorded: &Value, other_names: &[&str]) {
    let fields = recorded.as_object().unwrap();
    assert!(fields.len() > 9, "{recorded}");
    for (name, value) in fields.iter().filter(|(name, _)| !other_names.contains(&name.as_str())) {
        assert_eq!(&decoded[name], value, "{name}");
    }
}

#[test]
fn a_committee_change_over_several_updates_is_valid_and_says_what_the_recording_says() {
    let recording = Recording::new();
    let output = recording.execute("committee-change", &["--updates", "updates.ssz", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let verdict = json(&output);
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["program"].as_str()),
        (Some("valid"), Some("committee-change"))
    );
    let claims = recording.meta["committeeChanges"].as_array().unwrap();
    let claim = claims.iter().find(|claim| claim["file"] == "updates.ssz").unwrap();
    assert_as_recorded(&verdict["decoded"], claim, &["file"]);
    assert_eq!(verdict["decoded"]["chain"], recording.meta["chain"]);
    #[cfg(feature = "cpu")]
    assert!(
        verdict["cycles"].as_u64().unwrap() > 10_000 && verdict["gas"].as_u64().unwrap() > 10_000
    );
}

#[test]
fn an_inclusion_in_a_later_period_needs_the_updates_between_and_then_is_valid() {
    let recording = Recording::new();
    let (claim, folder) = recording.inclusion();
    let (finality, token, absent) = (
        format!("{folder}/finality-update.json"),
        format!("{folder}/token.json"),
        format!("{folder}/absent.json"),
    );
    let files = ["--finality-update", &finality, "--account-proof", &token, &absent, "--json"];

    let without = recording.execute("inclusion", &files);
    assert_eq!(without.status.code(), Some(65));
    assert!(error_line(&without).ends_with("add --updates for the periods between"));

    let output =
        recording.execute("inclusion", &[&files[..], &["--updates", "updates.ssz"]].concat());
    assert!(output.status.success(), "{output:?}");
    let decoded = &json(&output)["decoded"];
    assert_as_recorded(decoded, claim, &["folder", "accounts"]);
    let accounts = decoded["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2);
    let recorded = claim["accounts"].as_array().unwrap();
    for (account, file) in accounts.iter().zip(["token.json", "absent.json"]) {
        let claim = recorded.iter().find(|claim| claim["file"] == file).unwrap();
        let address = account["account"].as_str().unwrap().to_lowercase();
        assert_eq!(address, claim["address"].as_str().unwrap().to_lowercase());
        for field in ["exists", "nonce", "balance", "storageRoot", "codeHash", "slots"] {
            assert_eq!(account[field], claim[field], "{field} of {file}");
        }
    }
    assert_eq!(
        (&accounts[0]["exists"], &accounts[1]["exists"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
}

#[test]
fn the_text_form_shows_verdict_and_every_public_value() {
    let recording = Recording::new();
    let output = recording.execute("committee-change", &["--updates", "update-first.ssz"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(
            "verdict: valid\nprogram: committee-change\npublic values (352 bytes):\n  chain: 0x"
        ),
        "{text}"
    );
    for field in
        ["signerPeriod", "newCommittee", "minParticipation", "executionStateRoot", "native check"]
    {
        assert!(text.contains(&format!("{field}: ")), "{field} in {text}");
    }
}

/// A chain over the fork to Gloas, as files: what is final is of Gloas.
fn gloas() -> Recording {
    let chain = mutations::gloas_chain();
    let (spec, period) = (chain.spec(), chain.first_period() + 2);
    let bootstrap = chain.bootstrap(chain.first_slot_of(period));
    let update = chain.update(period).build();
    let finality = LightClientFinalityUpdate::from(update.clone());
    let header = chain.block_header(update.finalized_header.beacon.slot);
    let other = chain.block_header(chain.first_slot());
    let token = chain.execution_state(period).eth_get_proof(chain.accounts().token, &[]).unwrap();
    let answer = format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{header}"}}"#);
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("config.yaml", config_yaml(spec, Preset::Minimal).into_bytes()),
        ("bootstrap.ssz", bootstrap.to_ssz(spec)),
        ("update.ssz", update.to_ssz(spec)),
        ("finality.ssz", finality.to_ssz(spec)),
        ("token.json", token.into_bytes()),
        ("header.rlp", header.to_vec()),
        ("header.json", answer.into_bytes()),
        ("other.rlp", other.to_vec()),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let root = spec.genesis_validators_root;
    Recording { folder, meta: serde_json::json!({ "genesisValidatorsRoot": root }) }
}

#[test]
fn a_block_of_gloas_needs_its_execution_blocks_header() {
    let recording = gloas();
    let change = ["--updates", "update.ssz", "--json"];
    let inclusion =
        ["--finality-update", "finality.ssz", "--account-proof", "token.json", "--json"];
    for (what, args) in [("committee-change", &change[..]), ("inclusion", &inclusion)] {
        let run = |header: &[&str]| recording.execute(what, &[args, header].concat());
        let without = run(&[]);
        assert_eq!(without.status.code(), Some(65));
        assert_eq!(json(&without)["check"], "NoExecutionHeader");
        assert!(error_line(&without).contains("(--execution-header)"), "{without:?}");
        let other = run(&["--execution-header", "other.rlp"]);
        assert_eq!(other.status.code(), Some(65));
        assert_eq!(json(&other)["check"], "ExecutionHeader");
        let wrong = run(&["--execution-header", "token.json"]);
        assert_eq!(wrong.status.code(), Some(65));
        assert!(error_line(&wrong).starts_with("error: token.json: "), "{wrong:?}");
        let [rlp, answer] = ["header.rlp", "header.json"].map(|file| {
            let output = run(&["--execution-header", file]);
            assert!(output.status.success(), "{output:?}");
            json(&output)["decoded"].clone()
        });
        assert_eq!(rlp, answer);
        let hash = keccak256(fs::read(recording.path("header.rlp")).unwrap());
        assert_eq!(rlp["executionHash"], hash.to_string());
    }
}

/// Updates that only lead to the committee need no header of theirs.
#[test]
fn committees_are_followed_through_gloas_without_their_blocks_headers() {
    let recording = gloas();
    let chain = mutations::gloas_chain();
    let period = chain.first_period() + 3;
    let finality = chain.update(period).build_finality();
    fs::write(recording.path("finality.ssz"), finality.to_ssz(chain.spec())).unwrap();
    let header = chain.block_header(finality.finalized_header.beacon.slot);
    fs::write(recording.path("header.rlp"), header).unwrap();
    let state = chain.execution_state(period);
    let token = state.eth_get_proof(chain.accounts().token, &[]).unwrap();
    fs::write(recording.path("token.json"), token).unwrap();
    let output = recording.execute(
        "inclusion",
        &[
            ["--updates", "update.ssz"],
            ["--finality-update", "finality.ssz"],
            ["--account-proof", "token.json"],
            ["--execution-header", "header.rlp"],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_input_that_fails_a_check_is_refused_with_its_name() {
    let recording = Recording::new();
    // The last byte of an update is in its signature slot: it was signed in another fork's time then.
    let path = recording.path("update-first.ssz");
    let mut update = fs::read(&path).unwrap();
    let signature = find_signature(&update);
    update[signature] ^= 1;
    fs::write(&path, update).unwrap();
    let output =
        recording.execute("committee-change", &["--updates", "update-first.ssz", "--json"]);
    assert_eq!(output.status.code(), Some(65));
    let verdict = json(&output);
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["check"].as_str()),
        (Some("invalid"), Some("Signature"))
    );
    assert!(
        error_line(&output).starts_with(
            "error: the update number 0 fails a check: the sync committee's signature"
        )
    );
}

/// Where the signature begins: it and the slot are the last fixed-size fields before the first variable one, whose
/// offset is the update's first word.
fn find_signature(update: &[u8]) -> usize {
    u32::from_le_bytes(*update.first_chunk().unwrap()) as usize - 8 - 96
}

#[test]
fn files_that_are_not_what_they_should_be_are_refused_by_name() {
    let recording = Recording::new();
    fs::write(recording.path("cut.ssz"), &fs::read(recording.path("updates.ssz")).unwrap()[..100])
        .unwrap();
    fs::write(recording.path("empty"), "").unwrap();
    let (_, folder) = recording.inclusion();
    let finality = format!("{folder}/finality-update.ssz");
    let cases: [(&str, &[&str], i32, &str); 6] = [
        ("committee-change", &["--updates", "cut.ssz"], 65, "error: cut.ssz: "),
        ("committee-change", &["--updates", "empty"], 65, "error: empty: "),
        ("committee-change", &["--updates", "bootstrap.ssz"], 65, "error: bootstrap.ssz: "),
        ("committee-change", &["--updates", "missing.ssz"], 66, "error: cannot read missing.ssz: "),
        ("committee-change", &["--updates", "."], 66, "error: cannot read .: "),
        (
            "inclusion",
            &[
                "--updates",
                "updates.ssz",
                "--finality-update",
                &finality,
                "--account-proof",
                "meta.json",
            ],
            65,
            "error: meta.json: ",
        ),
    ];
    for (what, args, code, says) in cases {
        let output = recording.execute(what, args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(error_line(&output).starts_with(says), "{}", error_line(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_bootstrap_whose_committee_is_not_in_its_state_is_refused() {
    let recording = Recording::new();
    let path = recording.path("bootstrap.ssz");
    let mut bootstrap = fs::read(&path).unwrap();
    // Behind the offset of the header come the committee's keys: two of them change places.
    let (first, second) = (bootstrap[4..52].to_vec(), bootstrap[52..100].to_vec());
    bootstrap[4..52].copy_from_slice(&second);
    bootstrap[52..100].copy_from_slice(&first);
    fs::write(&path, bootstrap).unwrap();
    let output = recording.execute("committee-change", &["--updates", "update-first.ssz"]);
    assert_eq!(output.status.code(), Some(65));
    assert!(
        error_line(&output)
            .contains("the bootstrap's sync committee branch does not lead to its state root")
    );
}

#[test]
fn a_chain_that_is_not_named_well_is_refused() {
    let recording = Recording::new();
    let run = |args: &[&str]| {
        let files = ["--bootstrap", "bootstrap.ssz", "--updates", "updates.ssz"];
        binary()
            .current_dir(&recording.folder)
            .args(["execute", "committee-change"])
            .args(args)
            .args(files)
            .output()
            .unwrap()
    };
    for (args, code, says) in [
        (
            &["--network", "mainet"][..],
            64,
            "--network: `mainet` is neither mainnet, sepolia, hoodi or minimal nor a file",
        ),
        (
            &["--network", "minimal"],
            64,
            "--network minimal does not say which chain: add --genesis-validators-root HEX",
        ),
        (&["--network", "config.yaml"], 64, "--network config.yaml does not say which chain"),
        (
            &["--network", "minimal", "--genesis-validators-root", "0x12"],
            64,
            "invalid value '0x12'",
        ),
        (
            &[
                "--network",
                "meta.json",
                "--genesis-validators-root",
                &format!("0x{}", "1".repeat(64)),
            ],
            65,
            "meta.json: ",
        ),
        (&["--network", "mainnet"], 65, "bootstrap.ssz: "),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(error_line(&output).contains(says), "{}", error_line(&output));
    }
}
