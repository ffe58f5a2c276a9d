//! Recording from nodes of a simulated chain that answer, refuse, break off and lie.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod node;

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use bench::{
    record::{Account, Patience, RecordError, Wanted, record},
    recording::Recording,
};
use lc_core::{host::NativeCrypto, objects::updates_to_json};
use light_client::statement::Statement;
use node::{Node, PERIODS, Wrong, block_number, finality};
use tempfile::TempDir;

/// What is wanted of a node, and a folder for it.
struct Place {
    folder: TempDir,
    wanted: Wanted,
}

impl Place {
    fn of(node: &Node) -> Self {
        let folder = TempDir::new().unwrap();
        let (first, known) = (node.first_period(), node.chain.accounts());
        let slots = vec![known.total_supply, known.balance_of_absent];
        let wanted = Wanted {
            beacon: node.url.clone(),
            execution: Some(node.url.clone()),
            periods: first..=first + PERIODS - 1,
            accounts: vec![
                Account { address: known.token, slots },
                Account { address: known.absent, slots: Vec::new() },
            ],
            out: folder.path().join("new"),
            patience: Patience {
                answer: Duration::from_secs(2),
                retries: 3,
                pause: Duration::from_millis(10),
            },
            tells: false,
        };
        Self { folder, wanted }
    }

    fn record(&self) -> Recording {
        record(&self.wanted).unwrap_or_else(|error| panic!("{}", text(&error)))
    }

    fn refused(&self) -> String {
        let error = record(&self.wanted).expect_err("it is to be refused");
        assert!(!self.wanted.out.exists(), "nothing half-made is there");
        text(&error)
    }

    fn partial(&self) -> PathBuf {
        self.folder.path().join("new.partial")
    }
}

fn text(error: &RecordError) -> String {
    proof_server::error_chain(error)
}

fn names(recording: &Recording) -> Vec<&str> {
    recording.requests.iter().map(|request| request.name.as_str()).collect()
}

#[test]
fn what_nodes_hand_out_is_a_recording_that_loads_and_says_what_the_chain_says() {
    let node = Node::start(1);
    let place = Place::of(&node);
    let recording = place.record();
    let (first, known) = (node.first_period(), node.chain.accounts());
    let last = first + PERIODS - 1;
    let inclusion = format!("inclusion/{}", last + 1);
    let mut wanted: Vec<String> = (first..=last).map(|p| format!("committee-change/{p}")).collect();
    wanted.push(format!("committee-change/{first}-{last}"));
    let mut accounts = [known.token, known.absent].map(|it| format!("{inclusion}/{it:#x}"));
    accounts.sort();
    wanted.extend(accounts);
    wanted.push(inclusion);
    assert_eq!(names(&recording), wanted);
    let all = recording
        .requests
        .iter()
        .find(|request| request.name.ends_with(&format!("{first}-{last}")));
    let said = Statement::decode(all.unwrap().program(), &all.unwrap().public_values).unwrap();
    let Statement::CommitteeChange(change) = said else { panic!("{said:?}") };
    assert_eq!(
        change.newCommittee,
        node.chain.committee(last + 1).public().hash_tree_root::<NativeCrypto>()
    );
    let again = Recording::load(&place.wanted.out).unwrap();
    assert_eq!((again.hash, again.requests), (recording.hash, recording.requests));
    assert!(!place.partial().exists());
}

#[test]
fn json_answers_make_the_same_recording_as_ssz_ones() {
    let node = Node::start(1);
    let ssz = Place::of(&node).record();
    node.speak_json();
    let json = Place::of(&node).record();
    assert_eq!(ssz.hash, json.hash);
}

#[test]
fn from_gloas_on_the_headers_of_execution_blocks_are_recorded_too() {
    let node = Node::of(simulator::mutations::gloas_chain());
    let mut place = Place::of(&node);
    let recording = place.record();
    assert_eq!(recording.requests.len(), PERIODS as usize + 1 + 3);
    let last = node.first_period() + PERIODS - 1;
    let out = place.wanted.out.clone();
    assert!(out.join(format!("execution-headers/{last}.json")).exists());
    assert!(out.join(format!("period-{}/execution-header.json", last + 1)).exists());

    place.wanted.out = place.folder.path().join("other");
    node.spoil("eth_getBlockByHash", 1, Wrong::Body(br#"{"result":"0xc0"}"#.to_vec()));
    let error = text(&record(&place.wanted).unwrap_err());
    assert!(error.contains("header"), "{error}");
}

#[test]
fn a_node_that_refuses_breaks_off_or_stalls_for_a_while_is_asked_again() {
    for wrong in [
        Wrong::Status(429, Some(0)),
        Wrong::Status(503, None),
        Wrong::Cut,
        Wrong::Stall,
        Wrong::Trickle,
    ] {
        let node = Node::start(1);
        node.spoil("updates", 2, wrong.clone());
        node.spoil("eth_getProof", 1, wrong.clone());
        let began = Instant::now();
        Place::of(&node).record();
        assert_eq!(node.asked("updates"), PERIODS as usize + 2, "{wrong:?}");
        assert_eq!(node.asked("eth_getProof"), 3, "{wrong:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{wrong:?}: {:?}", began.elapsed());
    }
}

#[test]
fn a_node_that_goes_on_refusing_is_given_up_with_the_reason() {
    for (wrong, says) in [
        (Wrong::Status(429, Some(0)), "status 429 (why?): run this again later"),
        (Wrong::Status(500, None), "status 500 (why?)"),
        (Wrong::Cut, "run this again to go on"),
        (Wrong::Stall, "no whole answer came"),
        (Wrong::Trickle, "run this again to go on"),
    ] {
        let node = Node::start(1);
        node.spoil("updates", u32::MAX, wrong.clone());
        let mut place = Place::of(&node);
        place.wanted.patience.retries = 1;
        place.wanted.patience.answer = Duration::from_millis(500);
        let error = place.refused();
        assert!(error.contains(says) && error.starts_with("127.0.0.1:"), "{wrong:?}: {error}");
        assert_eq!(node.asked("updates"), 2, "{wrong:?}");
    }
}

#[test]
fn what_will_not_pass_is_not_asked_for_again() {
    for (about, wrong, says) in [
        ("updates", Wrong::Endless, "has more than 8388608 bytes: this is no answer"),
        ("genesis", Wrong::Endless, "has more than 65536 bytes"),
        ("eth_getProof", Wrong::Endless, "has more than 8388608 bytes"),
        ("updates", Wrong::Status(400, None), "status 400 (why?): check the address"),
        ("updates", Wrong::Status(401, None), "give an address with its key"),
        ("updates", Wrong::Status(404, None), "the node does not have it (why?)"),
    ] {
        let node = Node::start(1);
        node.spoil(about, u32::MAX, wrong.clone());
        let error = Place::of(&node).refused();
        assert!(error.contains(says), "{about}, {wrong:?}: {error}");
        assert_eq!(node.asked(about), 1, "{about}, {wrong:?}");
    }
}

#[test]
fn an_interrupted_recording_is_gone_on_with() {
    let node = Node::start(1);
    let place = Place::of(&node);
    node.spoil(&format!("start_period={}", node.first_period() + 2), 1, Wrong::Status(404, None));
    place.refused();
    assert!(place.partial().join(format!("updates/{}.ssz", node.first_period() + 1)).exists());
    node.spoil("eth_getProof", 1, Wrong::Status(400, None));
    place.refused();
    // As a crash, and an attempt in an earlier period, would have left it.
    fs::write(place.partial().join("updates.ssz.half"), b"half").unwrap();
    let older = place.partial().join(format!("period-{}", node.first_period()));
    fs::create_dir_all(&older).unwrap();
    fs::write(older.join("0x12.json"), b"{}").unwrap();
    let recording = place.record();
    assert_eq!(node.asked("updates"), PERIODS as usize + 1, "only what was missing");
    assert_eq!(node.asked("bootstrap"), 1);
    assert_eq!(recording.hash, Place::of(&node).record().hash, "as if it had not been interrupted");
}

#[test]
fn an_interrupted_recording_is_not_gone_on_with_on_another_chain_or_for_other_periods() {
    let [node, other] = [Node::start(1), Node::start(2)];
    let mut place = Place::of(&node);
    node.spoil("finality_update", 1, Wrong::Status(400, None));
    place.refused();

    place.wanted.beacon = other.url.clone();
    let error = place.refused();
    assert!(
        error.contains("holds what was recorded of the chain with genesis validators root 0x"),
        "{error}"
    );

    place.wanted.beacon = node.url.clone();
    let first = node.first_period();
    place.wanted.periods = first + 1..=first + 2;
    let error = place.refused();
    assert!(
        error.contains("bootstrap.ssz of an interrupted recording does not go with this one"),
        "{error}"
    );

    place.wanted.periods = first..=first + 2;
    let kept = place.partial().join(format!("updates/{first}.ssz"));
    let mut spoilt = fs::read(&kept).unwrap();
    let at = spoilt.len() - 40;
    spoilt[at] ^= 1;
    fs::write(&kept, spoilt).unwrap();
    let error = place.refused();
    assert!(error.contains(&format!("{first}.ssz of an interrupted recording")), "{error}");
    fs::remove_file(&kept).unwrap();
    place.record();
}

#[test]
fn answers_that_do_not_belong_together_are_refused() {
    let (node, other) = (Node::start(1), Node::start(2));
    let (chain, first) = (&node.chain, node.first_period());
    let update = |period| node.stream(&[node.update(period)]);
    let mut digest = update(first);
    digest[8] ^= 1;
    let mut fulu = update(first);
    fulu[11] ^= 0x80;
    let mut unsigned = node.update(first);
    unsigned.sync_aggregate.sync_committee_signature.0[20] ^= 1;
    let state = |chain: &simulator::Chain, period| chain.execution_state(period);
    let known = chain.accounts();
    let proof = |period: u64, address, slots: &[_]| {
        state(chain, period).eth_get_proof(address, slots).unwrap().into_bytes()
    };
    let slots = [known.total_supply, known.balance_of_absent];
    let mut forged = finality(chain);
    forged.sync_aggregate.sync_committee_signature.0[20] ^= 1;
    let early = chain.update(first).build_finality();
    let genesis = format!(
        r#"{{"data":{{"genesis_validators_root":"0x{}"}}}}"#,
        "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
    );
    for (about, body, says) in [
        ("genesis", genesis.into_bytes(), "a fork of the beacon node's network is "),
        (
            "eth_chainId",
            br#"{"result":"0x1"}"#.to_vec(),
            "the execution node's chain id is 1, wanted 1337: give nodes of one network",
        ),
        ("eth_chainId", br#"{"result":"x"}"#.to_vec(), "eth_chainId is not what it should be"),
        ("updates", update(first + 1), "the node gave the update of period 101, asked for was 100"),
        ("updates", digest, "fork digest"),
        ("updates", fulu, "fork digest"),
        ("updates", node.stream(&[unsigned]), "fails the native check"),
        ("updates", other.stream(&[other.update(first)]), "fork digest"),
        (
            "updates",
            updates_to_json(chain.spec(), &[other.update(first)]).into_bytes(),
            "fails the native check",
        ),
        ("updates", b"<html>".to_vec(), "does not decode"),
        (
            "bootstrap",
            other.chain.bootstrap(chain.first_slot()).to_ssz(chain.spec()),
            "starts no light client",
        ),
        ("finality_update", early.to_ssz(chain.spec()), "missing trie node"),
        ("finality_update", forged.to_ssz(chain.spec()), "fails the native check"),
        ("eth_getProof", proof(first, known.token, &slots), "fails the native check"),
        (
            "eth_getProof",
            proof(first + PERIODS, known.wallet, &[]),
            "the node gave the proof of account ",
        ),
        (
            "eth_getProof",
            proof(first + PERIODS, known.token, &slots[..1]),
            "the node gave 1 slots of account ",
        ),
        (
            "eth_getProof",
            br#"{"error":{"message":"missing trie node"}}"#.to_vec(),
            "missing trie node",
        ),
    ] {
        node.spoil(about, 1, Wrong::Body(body));
        let error = Place::of(&node).refused();
        assert!(error.contains(says), "{about}, {says}: {error}");
        // What was not asked for is not spoilt for the next case.
        Place::of(&node).record();
    }
}

#[test]
fn accounts_need_the_committee_that_signs_now_and_an_execution_node() {
    let node = Node::start(1);
    let mut place = Place::of(&node);
    let first = node.first_period();
    place.wanted.periods = first..=first;
    let error = place.refused();
    assert!(error.contains(&format!("signed in period {}", first + PERIODS)), "{error}");
    assert!(
        error
            .ends_with(&format!("record accounts with --periods {first}..{}", first + PERIODS - 1)),
        "{error}"
    );

    place.wanted.execution = None;
    assert!(place.refused().ends_with("give its address with --execution"));
    place.wanted.accounts.clear();
    assert_eq!(names(&place.record()), [format!("committee-change/{first}")]);
    let error = record(&place.wanted).unwrap_err();
    assert!(text(&error).ends_with("exists: name another folder"), "{error}");
    place.wanted.periods = 0..=128;
    place.wanted.out = place.folder.path().join("other");
    assert!(place.refused().starts_with("129 periods, 128 at most"));
}

#[test]
fn a_period_that_the_node_does_not_keep_has_no_bootstrap() {
    let node = Node::start(1);
    node.spoil("/root", u32::MAX, Wrong::Status(404, None));
    let error = Place::of(&node).refused();
    assert!(error.contains("no bootstrap in the first epochs of period 100: ask one"), "{error}");
}

#[test]
fn the_command_records_and_says_what() {
    let node = Node::start(1);
    let (folder, known) = (TempDir::new().unwrap(), node.chain.accounts());
    let (first, out) = (node.first_period(), folder.path().join("new"));
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["record", "--beacon", &node.url, "--execution", &node.url])
        .args(["--periods", &format!("{first}..{}", first + PERIODS - 1)])
        .args(["--account", &known.token.to_string(), "--slot", &known.total_supply.to_string()])
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let [said, noted] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{said}{noted}");
    assert!(said.starts_with("new: 5 requests, SHA-256 "), "{said}");
    assert!(noted.contains(&format!("recorded: update of period {first}, up to ")), "{noted}");
    let number = block_number(finality(&node.chain).finalized_header.beacon.slot);
    assert!(noted.contains(&format!("at execution block {number}")), "{noted}");
    Recording::load(&out).unwrap();
}
