//! A server process, its clients and its workers.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use lc_core::{
    alloy_primitives::B256,
    host::{CommitteeChangeInput, InclusionInput, ProgramInput, eth_get_proof::EthGetProof},
};
use proof_server::{
    client::{Client, ClientError, ClientOptions},
    types::{
        ClientHello, ClientMessage, Failure, FrameLimits, FrameReader, ProofMode, RequestId,
        ServerMessage, write_message,
    },
};
use rustix::process::{Pid, Signal, kill_process};
use simulator::{Chain, Preset};

/// Longer than anything here takes on a busy machine. Reaching it is a failure, not a wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A job that no test sees the end of.
pub(crate) const FOREVER: [&str; 2] = ["--mock-delay", "1h"];

/// The server's binary.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proof-server"));
    // Whoever runs the tests may have settings of their own.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PROOF_SERVER_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running server. Dropping it kills it, and shows its log if the test failed.
pub(crate) struct ServerProcess {
    child: Child,
    log: tempfile::NamedTempFile,
    pub(crate) address: SocketAddr,
    operators: Option<SocketAddr>,
}

impl ServerProcess {
    /// Starts a server with the mock engine on a free port and waits until it listens. Unless the flags say
    /// otherwise it keeps no results and waits for nobody: what a test asks for happens.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut all = Vec::new();
        for [flag, value] in [["--keep-time", "0s"], ["--grace", "0s"]] {
            if !flags.contains(&flag) {
                all.extend([flag, value]);
            }
        }
        all.extend(flags);
        Self::start_as_is(&all)
    }

    /// The same with what a server does by default.
    pub(crate) fn start_as_is(flags: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", flags)
    }

    /// The same on this address.
    pub(crate) fn start_at(listen: &str, flags: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut child = binary()
            .args(["serve", "--listen", listen, "--engine", "mock"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |what: &str| {
            let line = lines.next().map_or_else(String::new, Result::unwrap);
            let address = line.strip_prefix(what).unwrap_or_else(|| {
                panic!("{line:?}, not {what:?}: {}", fs::read_to_string(&log).unwrap())
            });
            address.trim().parse::<SocketAddr>().unwrap()
        };
        let listening = address("listening ");
        let operators = flags.contains(&"--metrics").then(|| address("metrics "));
        Self { child, log, address: listening, operators }
    }

    /// Where the metrics are.
    pub(crate) fn operators(&self) -> SocketAddr {
        self.operators.expect("--metrics was given")
    }

    /// What operators get for a path: the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.operators()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The value of one series.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let (_, text) = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn connect(&self) -> Client {
        self.try_connect().unwrap()
    }

    pub(crate) fn try_connect(&self) -> Result<Client, ClientError> {
        Client::connect(&self.address.to_string(), &ClientOptions::new("test"))
    }

    /// A connection that has not said Hello.
    pub(crate) fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        poll_until("the server's end", || self.child.try_wait().unwrap())
    }

    /// The one process that proves, once it is there.
    pub(crate) fn prover(&self) -> u32 {
        poll_until("a proving worker", || workers_of(self.pid(), "prove").first().copied())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

pub(crate) fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// Tries until there is an answer, for as long as patience lasts.
pub(crate) fn poll_until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what} within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Worker processes of a server that do `task`.
pub(crate) fn workers_of(server: u32, task: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| parent_of(*pid) == Some(server))
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| mentions(&line, task))
        })
        .collect()
}

/// Processes of a worker's group beside the worker itself.
pub(crate) fn children_in_group(worker: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != worker && runs(*pid) && group_of(*pid) == Some(worker))
        .collect()
}

fn group_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

fn mentions(command_line: &[u8], task: &str) -> bool {
    let words: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
    words.windows(2).any(|pair| pair == [b"--task", task.as_bytes()])
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // A zombie is no worker any more.
    (fields.next()? != "Z").then_some(())?;
    fields.next()?.parse().ok()
}

/// Whether a process runs (a zombie does not).
pub(crate) fn runs(pid: u32) -> bool {
    parent_of(pid).is_some()
}

pub(crate) fn wait_gone(pid: u32) {
    poll_until("end of a process", || (!runs(pid)).then_some(()));
}

fn chain() -> &'static Chain {
    static CHAIN: OnceLock<Chain> = OnceLock::new();
    CHAIN.get_or_init(|| Chain::builder().preset(Preset::Minimal).seed(7).build().unwrap())
}

/// A valid request for a committee change.
pub(crate) fn committee_change() -> CommitteeChangeInput {
    signed_by(32)
}

/// The same with fewer signers, which is another request.
fn signed_by(participants: u64) -> CommitteeChangeInput {
    let (chain, period) = (chain(), chain().first_period());
    CommitteeChangeInput {
        chain: chain.spec().clone(),
        signer_period: period,
        committee: chain.committee(period).public().to_ssz().into(),
        updates: vec![
            chain.update(period).participants(participants).build().to_ssz(chain.spec()).into(),
        ],
        execution_header: None,
    }
}

/// A valid request, the quickest to make and check.
pub(crate) fn input() -> ProgramInput {
    static INPUT: OnceLock<ProgramInput> = OnceLock::new();
    INPUT.get_or_init(|| ProgramInput::CommitteeChange(committee_change())).clone()
}

/// A request with a whole committee but too few signers.
pub(crate) fn too_few_signers() -> ProgramInput {
    let (chain, period) = (chain(), chain().first_period());
    let update = chain.update(period).participants(21).build();
    ProgramInput::CommitteeChange(CommitteeChangeInput {
        updates: vec![update.to_ssz(chain.spec()).into()],
        ..committee_change()
    })
}

/// A valid request for an inclusion.
pub(crate) fn inclusion() -> ProgramInput {
    let (chain, period) = (chain(), chain().first_period());
    let slots: [B256; 1] = [chain.accounts().total_supply];
    let answer =
        chain.execution_state(period).eth_get_proof(chain.accounts().token, &slots).unwrap();
    ProgramInput::Inclusion(InclusionInput {
        chain: chain.spec().clone(),
        signer_period: period,
        committee: chain.committee(period).public().to_ssz().into(),
        finality_update: chain
            .update(period)
            .participants(32)
            .build_finality()
            .to_ssz(chain.spec())
            .into(),
        accounts: vec![EthGetProof::from_json(answer.as_bytes()).unwrap().account_proof()],
        execution_header: None,
    })
}

/// Asks for a proof without waiting, each time for another one.
pub(crate) fn ask(client: &mut Client) -> RequestId {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let number = ASKED.fetch_add(1, Ordering::Relaxed);
    // Two thirds of 32 members must sign.
    let input = ProgramInput::CommitteeChange(signed_by(22 + number as u64 % 11));
    ask_for(client, ProofMode::ALL[number / 11 % ProofMode::ALL.len()], input)
}

/// Asks for a proof of this without waiting.
pub(crate) fn ask_for(client: &mut Client, mode: ProofMode, input: ProgramInput) -> RequestId {
    let id = client.new_id();
    client.send(&ClientMessage::Prove { id, mode, input }).unwrap();
    id
}

/// Waits for the message that `wanted` picks; none before it may be a failure.
pub(crate) fn receive_until<T>(
    client: &mut Client,
    wanted: impl Fn(&ServerMessage) -> Option<T>,
) -> T {
    loop {
        let message = client.receive().unwrap();
        if let Some(found) = wanted(&message) {
            return found;
        }
        assert!(!matches!(message, ServerMessage::Failed { .. }), "{message:?}");
    }
}

pub(crate) fn wait_started(client: &mut Client, id: RequestId) {
    receive_until(client, |message| (*message == ServerMessage::Started { id }).then_some(()));
}

pub(crate) fn wait_position(client: &mut Client, id: RequestId, position: u32) {
    receive_until(client, |message| match message {
        ServerMessage::Queued { id: of, position: at, .. } if *of == id && *at == position => {
            Some(())
        }
        _ => None,
    });
}

/// The failure that ends request `id`.
pub(crate) fn wait_failure(client: &mut Client, id: RequestId) -> Failure {
    loop {
        match client.receive().unwrap() {
            ServerMessage::Failed { id: of, failure } if of == Some(id) => return failure,
            ServerMessage::Failed { failure, .. } => panic!("another request failed: {failure}"),
            ServerMessage::Proof { .. } | ServerMessage::Verified { .. } => {
                panic!("it did not fail")
            }
            _ => {}
        }
    }
}

/// The server's failure, where that is what a call came to.
pub(crate) fn failure<T>(result: Result<T, ClientError>) -> Failure {
    match result {
        Err(ClientError::Failed(failure)) => failure,
        Err(other) => panic!("failed otherwise: {other:?}"),
        Ok(_) => panic!("it did not fail"),
    }
}

/// Shakes hands on a raw connection.
pub(crate) fn say_hello(stream: &TcpStream) -> FrameReader<TcpStream, ServerMessage> {
    let hello = ClientMessage::Hello(ClientHello::new("raw"));
    write_message(&mut &*stream, &hello, &FrameLimits::default()).unwrap();
    let mut reader = FrameReader::new(stream.try_clone().unwrap(), FrameLimits::default());
    assert!(matches!(reader.next_message().unwrap(), Some(ServerMessage::Hello(_))));
    reader
}

/// The failure with which the server closes a raw connection.
pub(crate) fn closing_failure(stream: TcpStream) -> Failure {
    let mut reader = FrameReader::<_, ServerMessage>::new(stream, FrameLimits::default());
    loop {
        match reader.next_message().unwrap().expect("a word before the end") {
            ServerMessage::Failed { id: None, failure } => {
                assert!(reader.next_message().unwrap().is_none(), "closed after the last word");
                return failure;
            }
            ServerMessage::Hello(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// One proof, to show that the server works.
pub(crate) fn assert_proves(server: &ServerProcess) {
    let (proof, _) = server.connect().prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert_eq!(proof.public_values, input().check().unwrap().public_values);
}

/// A stretch of wire to a server, which can be cut: new connections work again.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::clone(&open);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(server).unwrap());
                for (mut from, mut to) in [(&near, &far), (&far, &near)]
                    .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
                {
                    thread::spawn(move || std::io::copy(&mut from, &mut to));
                }
                ends.lock().unwrap().extend([near, far]);
            }
        });
        Self { address, open }
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        for end in self.open.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}
