//! The servers: started, killed, drained, and started again where they were.

use std::{collections::BTreeSet, fs, net::SocketAddr, path::Path, time::Duration};

use eyre::{ContextCompat, WrapErr, bail};
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::ledger::{History, Ledger};
use crate::{
    proc,
    server::{Launch, Server, free_port, send, tail},
};

/// `--drain-timeout` of the servers; jobs take a thirtieth of it.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a server may take beyond that: connections have 2 s to take the last word and 2 s to close.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// Jobs take 150 ms and clients leave when they are told to: a drain that takes longer is told of.
const SLOW_DRAIN: Duration = Duration::from_secs(2);

/// How long a killed server's workers may take to notice: they wait on its socket.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(5);

/// How long a killed process may take to be gone.
const DEATH_PATIENCE: Duration = Duration::from_secs(20);

/// Flags of every server here: short times, so that all of them pass within a run.
const FLAGS: [(&str, &str); 9] = [
    ("--mock-delay", "150ms"),
    ("--workers", "2"),
    ("--queue", "64"),
    ("--max-queued-per-client", "64"),
    ("--grace", "500ms"),
    ("--keep-time", "200ms"),
    ("--drain-timeout", "5s"),
    ("--handshake-timeout", "2s"),
    ("--idle-timeout", "5s"),
];

/// A server's place: its address and folders outlive its processes.
#[derive(Debug)]
pub(crate) struct Place {
    name: &'static str,
    launch: Launch,
    port: u16,
    server: Option<Server>,
    /// The process groups of this server's workers. Not of those before: numbers come again.
    groups: BTreeSet<u32>,
}

impl Place {
    /// A place in `folder`, with its first server.
    pub(crate) async fn start(
        name: &'static str,
        binary: &Path,
        folder: &Path,
        flags: &[&str],
    ) -> eyre::Result<Self> {
        let temporary = folder.join(format!("{name}-tmp"));
        fs::create_dir(&temporary).wrap_err("no folder for temporary files")?;
        let own = FLAGS.iter().flat_map(|(flag, value)| [*flag, *value]);
        let launch = Launch {
            binary: binary.to_owned(),
            flags: own.chain(flags.iter().copied()).map(str::to_owned).collect(),
            temporary,
            log: folder.join(format!("{name}.log")),
        };
        let (port, groups) = (free_port()?, BTreeSet::new());
        let mut place = Self { name, launch, port, server: None, groups };
        place.restart().await?;
        Ok(place)
    }

    /// Starts a server where none runs, on the port of the one before.
    pub(crate) async fn restart(&mut self) -> eyre::Result<()> {
        let server = Server::start(&self.launch, self.port)
            .await
            .wrap_err_with(|| format!("the {} does not start", self.name))?;
        self.server = Some(server);
        Ok(())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Sends `signal` to one of its workers, if it has one.
    pub(crate) fn strike_worker(&mut self, signal: Signal, choice: usize) {
        let workers = self.workers();
        if !workers.is_empty() {
            send(workers[choice % workers.len()], signal);
        }
    }

    /// Kills the server; its workers must be gone in a moment.
    pub(crate) async fn kill(&mut self, ledger: &Ledger) -> eyre::Result<()> {
        self.workers();
        let mut server = self.server.take().wrap_err("there is no server to kill")?;
        server.signal(Signal::KILL);
        if server.end(DEATH_PATIENCE).await.is_none() {
            bail!("the killed {} is still there", self.name);
        }
        self.check_orphans(ledger).await;
        Ok(())
    }

    /// Asks the server to end: it must do so in time, with exit code 0, and leave no worker.
    pub(crate) async fn drain(&mut self, ledger: &Ledger) -> eyre::Result<()> {
        self.workers();
        let mut server = self.server.take().wrap_err("there is no server to drain")?;
        let mut history = History::default();
        history.note(ledger, format!("the {} (pid {}) gets SIGTERM", self.name, server.pid()));
        server.signal(Signal::TERM);
        match server.end(DRAIN_TIMEOUT + DRAIN_MARGIN).await {
            None => {
                history.note(ledger, format!("its log ends with\n{}", tail(&self.launch.log)));
                ledger.violation("a server that drains does not end", &history);
                server.signal(Signal::KILL);
                server.end(DEATH_PATIENCE).await.wrap_err("the killed server is still there")?;
            }
            Some((status, took)) => {
                ledger.drained(took);
                if took > SLOW_DRAIN {
                    let log = tail(&self.launch.log);
                    println!(
                        "{:.1} s: the {} took {took:.1?} to drain\n{log}",
                        ledger.seconds(),
                        self.name
                    );
                }
                if !status.success() {
                    history.note(ledger, format!("it ended with {status} after {took:?}"));
                    ledger.violation("a server that drains ends badly", &history);
                }
            }
        }
        self.check_orphans(ledger).await;
        Ok(())
    }

    /// Nothing that it started may run on.
    async fn check_orphans(&mut self, ledger: &Ledger) {
        let groups = std::mem::take(&mut self.groups);
        let deadline = Instant::now() + ORPHAN_PATIENCE;
        loop {
            let orphans = proc::descendants(&self.launch.temporary, &groups);
            if orphans.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                let mut history = History::default();
                history.note(ledger, format!("processes {orphans:?} run on"));
                return ledger
                    .violation(format!("the {} is gone, not all of it", self.name), &history);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What must hold once all is over: no file is left, no panic was logged, the port is free.
    pub(crate) fn check_remains(&self, ledger: &Ledger) {
        let mut history = History::default();
        let files = fs::read_dir(&self.launch.temporary).into_iter().flatten().flatten();
        let files: Vec<_> = files.map(|entry| entry.file_name()).collect();
        if !files.is_empty() {
            history.note(ledger, format!("in TMPDIR: {files:?}"));
            ledger.violation(format!("the {} left files", self.name), &history);
        }
        let log = fs::read_to_string(&self.launch.log).unwrap_or_default();
        if let Some(line) = log.lines().find(|line| line.contains("panicked at")) {
            history.note(ledger, line);
            ledger.violation(format!("the {} or a worker of it panicked", self.name), &history);
        }
        if let Err(error) = std::net::TcpListener::bind(self.address()) {
            history.note(ledger, error);
            ledger.violation(format!("the {}'s port is not free", self.name), &history);
        }
    }

    fn workers(&mut self) -> Vec<u32> {
        let workers =
            self.server.as_ref().map_or_else(Vec::new, |server| proc::children(server.pid()));
        // Each worker leads a group of its own.
        self.groups.extend(&workers);
        workers
    }
}
