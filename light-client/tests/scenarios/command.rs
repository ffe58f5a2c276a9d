//! The command's side: what users see, exit codes, and that nothing is half-written.

use std::{
    fs,
    io::Write,
    ops::Deref,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use light_client::{Store, StoreFile, statement::Statement};
use proof_server::types::{
    Code, EngineKind, Failure, Joined, Phase, Progress, Proof, RequestId, RequestName,
    ServerMessage, VkeyHash,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    server::{FakeServer, Peer, hello_of},
    testing::{PERIOD, chain, finality_update, proof_of, store, update},
};

const KEY: VkeyHash = VkeyHash([0x33; 32]);

/// An empty folder to run the command in.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, to be run in the folder, without this process's own settings.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_light-client"));
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        for name in [
            "SERVER",
            "STORE",
            "NETWORK",
            "MODE",
            "CONNECT_TIMEOUT",
            "GENESIS_VALIDATORS_ROOT",
            "TLS_CA",
            "TLS_CERT",
            "TLS_KEY",
            "TLS_SERVER_NAME",
        ] {
            command.env_remove(format!("LIGHT_CLIENT_{name}"));
        }
        // Servers of tests fail once and are gone.
        command.env("LIGHT_CLIENT_PATIENCE", "0").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ended {
        Ended::of(self.command(line).output().unwrap())
    }
}

/// A [`Workplace`] with a store and the files of nodes.
pub(crate) struct Desk(Workplace);

impl Deref for Desk {
    type Target = Workplace;

    fn deref(&self) -> &Workplace {
        &self.0
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(Workplace::new());
        StoreFile::create(&desk.path("store"), &store()).unwrap();
        fs::write(desk.path("update"), update(PERIOD).to_ssz(&chain())).unwrap();
        fs::write(desk.path("finality"), finality_update(PERIOD).to_ssz(&chain())).unwrap();
        fs::write(desk.path("first"), account_json(0xa1, &["01".repeat(32), "02".repeat(32)]))
            .unwrap();
        fs::write(desk.path("second"), account_json(0xa2, &[])).unwrap();
        desk
    }

    pub(crate) fn store(&self) -> Store {
        StoreFile::read(&self.path("store")).unwrap()
    }

    /// `prove` with the server's address put in.
    pub(crate) fn prove(&self, what: &str, script: impl FnOnce(Peer) + Send + 'static) -> Ended {
        let server = FakeServer::start(script);
        let ended = self.run(&format!("prove {what} --server {} --store store", server.address));
        server.join();
        ended
    }

    fn change(&self, script: impl FnOnce(Peer) + Send + 'static) -> Ended {
        self.prove("committee-change --updates update --out change.proof --allow-mock", script)
    }

    /// No file but those there from the start.
    pub(crate) fn nothing_new(&self) -> bool {
        let names =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name != "store.lock").count() == 5 && self.store() == store()
    }
}

fn account_json(address: u8, keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("0x{key}")).collect();
    let slots = keys.iter().map(|key| serde_json::json!({"key": key, "value": "0x0", "proof": []}));
    serde_json::json!({
        "address": format!("0x{}", format!("{address:02x}").repeat(20)),
        "nonce": "0x0", "balance": "0x0",
        "codeHash": format!("0x{}", "00".repeat(32)), "storageHash": format!("0x{}", "00".repeat(32)),
        "accountProof": ["0xc0"], "storageProof": slots.collect::<Vec<_>>(),
    })
    .to_string()
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// One line of fault, nothing on standard output, and this code.
    pub(crate) fn refused(&self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.out.is_empty(), "{self:?}");
        let faults: Vec<&str> =
            self.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(
            matches!(faults.as_slice(), [line] if line.contains(says)),
            "wanted {says}: {self:?}"
        );
        assert!(self.err.ends_with(&format!("{}\n", faults[0])), "the fault comes last: {self:?}");
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

fn mock(peer: Peer) {
    peer.serve(EngineKind::Mock, KEY, |_, _| ());
}

fn spoilt(
    spoil: impl FnOnce(&mut Statement, &mut Proof) + Send + 'static,
) -> impl FnOnce(Peer) + Send {
    |peer| peer.serve(EngineKind::Mock, KEY, spoil)
}

#[test]
fn a_committee_change_advances_the_store_and_writes_the_proof() {
    let desk = Desk::new();
    let ended = desk.change(mock);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("store      period 5 -> 6, finalized slot 328 -> 344"), "{ended:?}");
    assert!(ended.out.contains("signed     by 22 of 32\n"), "{ended:?}");
    let after = desk.store();
    assert_eq!((after.period, after.mock), (PERIOD + 1, true));
    assert_eq!(after.committee, update(PERIOD).next_sync_committee);

    let status = desk.run("status --store store --json").json();
    assert_eq!(status["period"], 6);
    assert_eq!(status["mock"], true);
    assert_eq!(status["committee"], after.committee_root().to_string());
    let shown = desk.run("show change.proof --json").json();
    assert_eq!(shown["publicValues"]["newPeriod"], 6);
    assert_eq!(shown["engine"], "mock");
    let verified = desk.run("verify change.proof --allow-mock --store store --json").json();
    assert_eq!(verified["verified"], false, "a mock proof is let pass, not verified");
    assert_eq!(verified["store"], "fits: it led to the committee that the store trusts");
    desk.run("verify change.proof").refused(76, "MOCK");
}

#[test]
fn what_happens_meanwhile_is_told_line_by_line_where_there_is_no_terminal() {
    let desk = Desk::new();
    let ended = desk.change(|mut peer| {
        peer.greet(EngineKind::Mock, KEY);
        let (id, ..) = peer.request();
        peer.send(&ServerMessage::Accepted {
            id,
            request: RequestName([4; 32]),
            joined: Joined::No,
        });
        for position in [2, 2, 1] {
            peer.send(&ServerMessage::Queued { id, position, eta_seconds: Some(60) });
        }
        peer.send(&ServerMessage::Started { id });
        for done in [0, 1, 1, 2] {
            let progress = Progress { phase: Phase::Prove, done, total: 2 };
            peer.send(&ServerMessage::Progress { id, progress });
        }
        let mut proof = proof_of(&Statement::CommitteeChange(crate::testing::change()));
        proof.engine = EngineKind::Mock;
        peer.deliver(id, proof);
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.err.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "accepted   the server has checked the input; request 0404040404040404",
            "queued     2 before it, starts in about 60.0 s",
            "queued     1 before it, starts in about 60.0 s",
            "started    a worker has it",
            "proving    0 of 2",
            "proving    1 of 2",
            "proving    2 of 2",
        ]
    );
    assert!(!ended.err.contains('\x1b') && !ended.out.contains('\x1b'), "{ended:?}");
}

#[test]
fn a_statement_with_any_value_changed_leaves_everything_as_it_was() {
    type Spoil = fn(&mut lc_core::statement::CommitteeChange);
    let spoils: [(&str, Spoil); 11] = [
        ("chain", |c| c.chain.0[0] ^= 1),
        ("signerPeriod", |c| c.signerPeriod += 1),
        ("signerCommittee", |c| c.signerCommittee.0[31] ^= 1),
        ("period 5 to 5", |c| c.newPeriod = 5),
        ("newCommittee", |c| c.newCommittee.0[7] ^= 128),
        ("minParticipation", |c| c.minParticipation = 21),
        ("finalizedSlot", |c| c.finalizedSlot += 1),
        ("finalizedRoot", |c| c.finalizedRoot.0[0] ^= 1),
        ("executionNumber", |c| c.executionNumber -= 1),
        ("executionHash", |c| c.executionHash.0[1] ^= 1),
        ("executionStateRoot", |c| c.executionStateRoot.0[2] ^= 1),
    ];
    let desk = Desk::new();
    for (says, spoil) in spoils {
        let ended = desk.change(spoilt(move |statement, _| {
            let Statement::CommitteeChange(change) = statement else { panic!("{statement:?}") };
            spoil(change);
        }));
        ended.refused(76, says);
        assert!(desk.nothing_new(), "{says}");
    }
}

#[test]
fn each_failure_of_a_server_has_its_exit_code_and_keeps_its_text() {
    let desk = Desk::new();
    for code in Code::ALL {
        let ended = desk.change(move |mut peer| {
            peer.greet(EngineKind::Mock, KEY);
            let (id, ..) = peer.request();
            let failure = Failure::new(code, "seen this,\nwanted that");
            peer.send(&ServerMessage::Failed { id: Some(id), failure });
        });
        let says = format!("error: {code}: seen this, wanted that");
        ended.refused(10 + i32::from(code.number()), &says);
        assert!(desk.nothing_new(), "{code}");
    }
}

#[test]
fn a_server_that_is_none_or_not_to_be_used_is_told_apart() {
    let desk = Desk::new();
    let refused = |script: fn(Peer), says: &str| {
        desk.prove("committee-change --updates update", script).refused(69, says);
        assert!(desk.nothing_new(), "{says}");
    };
    refused(|mut peer| drop(peer.greet(EngineKind::Mock, KEY)), "MOCK engine");
    refused(|mut peer| drop(peer.receive()), "closed the connection");
    refused(
        |mut peer| {
            peer.receive();
            peer.writer.write_all(b"HTTP/1.1 400 Bad\r\n").unwrap();
        },
        "does not speak this protocol",
    );
    refused(
        |mut peer| {
            let mut hello = hello_of(EngineKind::Cpu, KEY);
            hello.protocol = 99;
            peer.receive();
            peer.send(&ServerMessage::Hello(hello));
        },
        "peer speaks protocol 99",
    );
    // A port that no system gives to a test.
    let line = "prove committee-change --updates update --store store --server 127.0.0.1:1";
    desk.run(line).refused(69, "no connection to 127.0.0.1");
}

#[cfg(feature = "verify")]
#[test]
fn a_real_server_with_other_keys_gets_no_request() {
    let desk = Desk::new();
    let ended = desk.change(|mut peer| {
        peer.greet(EngineKind::Cpu, KEY);
        assert_eq!(peer.receive(), None);
    });
    ended.refused(69, "this client pins");
}

#[cfg(not(feature = "verify"))]
#[test]
fn a_build_without_the_verifier_takes_no_real_proof() {
    let desk = Desk::new();
    desk.change(|peer| peer.serve(EngineKind::Cpu, KEY, |_, _| ())).refused(70, "feature `verify`");
    assert!(desk.nothing_new());
}

#[test]
fn an_inclusion_prints_accounts_and_slots_and_leaves_the_store() {
    let desk = Desk::new();
    let what = "inclusion --finality-update finality --account-proof first second --allow-mock --out i.proof";
    let ended = desk.prove(what, mock);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for says in [
        "account    0xA1A1",
        "  nonce    3\n",
        "000005\n",
        "    holds  nothing: proven absent\n",
        " does not exist\n",
        "saved      i.proof",
    ] {
        assert!(ended.out.contains(says), "{says}: {ended:?}");
    }
    assert_eq!(desk.store(), store());
    let shown = desk.run("show i.proof");
    assert!(shown.out.contains("verified           no: these are claims"), "{shown:?}");
    assert!(shown.out.contains("participation      22\n"), "{shown:?}");
}

#[test]
fn the_result_of_a_request_can_be_had_as_json() {
    let desk = Desk::new();
    let what = "committee-change --updates update --allow-mock --json";
    let json = desk.prove(what, mock).json();
    assert_eq!(json["publicValues"]["newPeriod"], 6);
    assert_eq!(json["store"]["period"], 6);
    assert_eq!((&json["verified"], &json["cycles"]), (&false.into(), &3_368_467.into()));
    assert!(json["seconds"]["total"].is_f64(), "{json:#}");
    let what =
        "inclusion --finality-update finality --account-proof first second --allow-mock --json";
    let json = Desk::new().prove(what, mock).json();
    assert_eq!(json["publicValues"]["accounts"][0]["slots"][0]["value"], "5");
    assert!(json["store"].is_null(), "an inclusion leaves the store");
}

#[test]
fn an_inclusion_of_other_accounts_or_of_another_block_is_refused() {
    let desk = Desk::new();
    let what = "inclusion --finality-update finality --account-proof second first --allow-mock --out i.proof";
    desk.prove(what, mock).refused(76, "account number 0");
    let what = "inclusion --finality-update finality --account-proof first second --allow-mock --out i.proof";
    let other_block = spoilt(|statement, _| {
        let Statement::Inclusion(inclusion) = statement else { panic!("{statement:?}") };
        inclusion.finalizedSlot -= 1;
    });
    desk.prove(what, other_block).refused(76, "finalizedSlot");
    assert!(desk.nothing_new());
}

#[test]
fn bad_input_is_refused_in_one_line_before_any_server_is_asked() {
    let desk = Desk::new();
    fs::write(desk.path("later"), update(PERIOD + 1).to_ssz(&chain())).unwrap();
    fs::write(desk.path("earlier"), update(PERIOD - 1).to_ssz(&chain())).unwrap();
    fs::write(desk.path("finality-later"), finality_update(PERIOD + 1).to_ssz(&chain())).unwrap();
    fs::write(desk.path("empty"), []).unwrap();
    let change = "prove committee-change --server 127.0.0.1:9 --store store --updates";
    let inclusion = "prove inclusion --server 127.0.0.1:9 --store store --finality-update";
    for (line, code, says) in [
        (format!("{change} missing"), 66, "cannot read missing: No such file"),
        (format!("{change} store"), 65, "store: "),
        (format!("{change} later"), 65, "period 6 where 5 was due"),
        (format!("{change} earlier"), 65, "already at 5: nothing to prove"),
        (format!("{change} update --out none/a.proof"), 74, "cannot write none/a.proof"),
        (format!("{change} update --out store"), 74, "store is there and is no proof file"),
        (format!("{change} update --mode fast"), 64, "no proof mode `fast`"),
        (format!("{change} update --count 0"), 64, "--count"),
        (format!("{change} update --allow-dev-circuits missing"), 66, "cannot read missing"),
        (format!("{change} update --allow-dev-circuits empty"), 65, "empty is empty: give the"),
        (format!("{inclusion} update --account-proof first"), 65, "update: "),
        (format!("{inclusion} finality --account-proof update"), 65, "not JSON"),
        (
            format!("{inclusion} finality-later --account-proof first"),
            65,
            "prove the committee changes",
        ),
        ("prove committee-change".to_owned(), 64, "--updates"),
        ("status --store missing".to_owned(), 66, "no store at missing"),
        ("status --store update".to_owned(), 65, "update is no store"),
        ("show update".to_owned(), 65, "not a proof file"),
        ("verify missing".to_owned(), 66, "cannot read missing"),
        ("verify missing --allow-dev-circuits missing".to_owned(), 66, "cannot read missing"),
        (
            "bootstrap --network goerli --checkpoint 0x00 --bootstrap update --store new"
                .to_owned(),
            64,
            "32 bytes",
        ),
        (String::new(), 64, "no command given"),
        ("prove".to_owned(), 64, "no command given"),
    ] {
        desk.run(&line).refused(code, says);
    }
    assert!(!desk.path("new").exists());
}

#[test]
fn settings_come_from_the_environment_and_empty_ones_count_as_unset() {
    let desk = Desk::new();
    let ended = Ended::of(
        desk.command("status --json").env("LIGHT_CLIENT_STORE", "store").output().unwrap(),
    );
    assert_eq!(ended.json()["period"], 5);
    let ended = Ended::of(desk.command("status").env("LIGHT_CLIENT_STORE", "").output().unwrap());
    ended.refused(64, "required arguments were not provided: --store");
}

#[test]
fn a_store_in_use_or_damaged_is_left_alone() {
    let desk = Desk::new();
    let (held, _) = StoreFile::open(&desk.path("store")).unwrap();
    let line = "prove committee-change --server 127.0.0.1:9 --store store --updates update";
    desk.run(line).refused(74, "another light-client is using ");
    drop(held);
    let mut bytes = fs::read(desk.path("store")).unwrap();
    bytes[100] ^= 1;
    fs::write(desk.path("store"), &bytes).unwrap();
    desk.run(line).refused(65, "its checksum is wrong");
    assert_eq!(fs::read(desk.path("store")).unwrap(), bytes);
}

#[test]
fn a_store_advanced_by_mock_proofs_is_not_taken_for_a_real_one() {
    let desk = Desk::new();
    assert_eq!(desk.change(mock).code, Some(0));
    fs::write(desk.path("next"), update(PERIOD + 1).to_ssz(&chain())).unwrap();
    let line = "prove committee-change --server 127.0.0.1:9 --store store --updates next";
    desk.run(line).refused(65, "advanced by MOCK proofs");
    assert!(desk.run("status --store store").out.starts_with("MOCK "));
}

#[test]
fn ids_of_other_requests_do_not_end_this_one() {
    let desk = Desk::new();
    let ended = desk.change(|mut peer| {
        peer.greet(EngineKind::Mock, KEY);
        let (id, ..) = peer.request();
        let failure = Failure::new(Code::Internal, "of another request");
        peer.send(&ServerMessage::Failed { id: Some(RequestId(id.0 + 9)), failure });
        let mut proof = proof_of(&Statement::CommitteeChange(crate::testing::change()));
        proof.engine = EngineKind::Mock;
        peer.deliver(id, proof);
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
