//! A server process.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
    process::{self, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use eyre::{ContextCompat, WrapErr, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, timeout},
};

/// Time until a server listens: its mock workers start in a tenth of a second each, and a machine may be busy.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// The server that was built with this program.
///
/// # Errors
/// Where the system does not say where this program is.
pub fn sibling() -> eyre::Result<PathBuf> {
    Ok(env::current_exe().wrap_err("where is this program?")?.with_file_name("proof-server"))
}

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub binary: PathBuf,
    /// What follows `serve` and the address.
    pub flags: Vec<String>,
    /// `TMPDIR` of the server and its workers, which marks them too.
    pub temporary: PathBuf,
    /// Where its log goes; later starts append.
    pub log: PathBuf,
}

/// A running server. Dropping it kills it; its workers end with it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pid: u32,
    address: SocketAddr,
}

impl Server {
    /// Starts a server with the mock engine on `port` of the loopback address (0: a free one) and waits until it
    /// listens.
    ///
    /// # Errors
    /// Where there is no such program, or it ends or is silent; with the end of its log.
    pub async fn start(launch: &Launch, port: u16) -> eyre::Result<Self> {
        let binary = launch.binary.display();
        ensure!(
            launch.binary.exists(),
            "there is no {binary}: build it with `cargo build --release --workspace`, or name it with --server"
        );
        let log = fs::File::options().create(true).append(true).open(&launch.log)?;
        let mut command = Command::new(&launch.binary);
        command.args(["serve", "--engine", "mock", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(&launch.flags).env("TMPDIR", &launch.temporary);
        // Whoever runs this may have settings of their own.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PROOF_SERVER_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().wrap_err_with(|| format!("cannot run {binary}"))?;
        let pid = child.id().wrap_err("the server ended at once")?;
        let output = child.stdout.take().wrap_err("the server has no output")?;
        let mut line = String::new();
        let mut output = BufReader::new(output);
        timeout(START_PATIENCE, output.read_line(&mut line))
            .await
            .wrap_err("the server does not listen")??;
        let address = line.strip_prefix("listening ").and_then(|rest| rest.trim().parse().ok());
        let address = address.wrap_err_with(|| {
            format!("the server's first line is {line:?}; its log:\n{}", tail(&launch.log))
        })?;
        Ok(Self { child, pid, address })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        send(self.pid, signal);
    }

    /// Waits for its end; nothing if that takes longer than `limit`. Says how long it took.
    pub async fn end(&mut self, limit: Duration) -> Option<(ExitStatus, Duration)> {
        let began = Instant::now();
        let status = timeout(limit, self.child.wait()).await.ok()?.ok()?;
        Some((status, began.elapsed()))
    }
}

/// Sends a signal to a process that may be gone already.
pub fn send(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, signal);
    }
}

/// A port of the loopback address that is free now, and that no connection takes for its own end: else one could hold
/// it while a server is away, or even meet itself there.
///
/// # Errors
/// Where none is.
pub fn free_port() -> eyre::Result<u16> {
    /// The kernel gives connections ports from 32768 on, unless told otherwise.
    const PORTS: Range<u16> = 20_000..32_768;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    for _ in 0..count {
        // Processes that run at once begin at different places.
        let place =
            process::id().wrapping_mul(127).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (place % count) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}

/// The end of a log.
#[must_use]
pub fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
