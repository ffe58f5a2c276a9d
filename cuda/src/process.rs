//! The GPU server's process.

use std::{
    ffi::OsString,
    io::{self, Read},
    os::unix::{net::UnixStream, process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tracing::info;

use crate::{
    socket::{self, Taken},
    words::{Fault, Words},
};

/// Time for the server to listen: it loads CUDA first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time for a server that closed its socket to end.
const END: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// SP1's `sp1-gpu-server`.
    pub program: PathBuf,
    /// The GPU, as `nvidia-smi` counts.
    pub device: u32,
    /// Further variables of its environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// Why there is no GPU server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such program.
    #[error(
        "cannot run {program}: install it with `cargo install sp1-gpu-server --version ={} --locked` (it needs CUDA's nvcc), or give its path with --gpu-server",
        sp1_primitives::SP1_CRATE_VERSION
    )]
    Program {
        /// Where it should be.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is of another SP1 release, or something else.
    #[error(
        "{program} is no sp1-gpu-server {wanted} (`--version` gives {found:?}): install that version",
        wanted = sp1_primitives::SP1_CRATE_VERSION
    )]
    Version {
        /// Which program.
        program: String,
        /// The first line that it printed.
        found: String,
    },
    /// Another process proves on the GPU.
    #[error("GPU {device} is taken: {} listens on {path}; end it, or choose another with --devices", by(*.pid))]
    Taken {
        /// The GPU.
        device: u32,
        /// Who, where that could be found out.
        pid: Option<u32>,
        /// The socket.
        path: String,
    },
    /// It ended, or did not listen.
    #[error("sp1-gpu-server on GPU {device} {what}{}", quoted(.said))]
    Ended {
        /// The GPU.
        device: u32,
        /// How.
        what: String,
        /// What kind of failure it was.
        fault: Fault,
        /// Its last lines.
        said: String,
    },
}

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another user's process".to_owned(), |pid| format!("process {pid}"))
}

/// A text's lines as the end of a sentence.
pub(crate) fn quoted(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    if lines.is_empty() { String::new() } else { format!(": {}", lines.join("; ")) }
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    device: u32,
    child: Child,
    words: Words,
    /// Another handle of the conversation, so that a panic can end it.
    pub(crate) socket: UnixStream,
}

impl Process {
    pub(crate) fn start(launch: &Launch) -> Result<Self, StartError> {
        check_version(launch)?;
        let device = launch.device;
        let path = socket::path(device);
        let taken = |pid| StartError::Taken { device, pid, path: path.display().to_string() };
        socket::free(&path).map_err(|Taken(pid)| taken(pid))?;
        let mut child = Command::new(&launch.program)
            // The order of nvidia-smi; CUDA's own is by speed.
            .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
            .env("CUDA_VISIBLE_DEVICES", device.to_string())
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "0")
            .env(socket::OWNER, std::process::id().to_string())
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| missing(launch, source))?;
        let outputs = outputs(&mut child);
        let begun = Instant::now();
        loop {
            if let Ok(socket) = UnixStream::connect(&path) {
                match (socket::peer(&socket), socket.try_clone()) {
                    (Ok(pid), Ok(other)) if pid == child.id() => {
                        let other = Arc::new(other);
                        let words = Words::hear(outputs, device, move || {
                            let _ = other.shutdown(std::net::Shutdown::Both);
                        });
                        info!(device, pid, "sp1-gpu-server listens");
                        return Ok(Self { device, child, words, socket });
                    }
                    (pid, _) => {
                        kill(&mut child);
                        return Err(taken(pid.ok()));
                    }
                }
            }
            let ended = child.try_wait().ok().flatten();
            if ended.is_none() && begun.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(50));
                continue;
            }
            kill(&mut child);
            let mut words = Words::hear(outputs, device, || ());
            words.finish();
            let said = words.last();
            let what = ended.map_or_else(
                || format!("did not listen within {} s", PATIENCE.as_secs()),
                how_it_ended,
            );
            return Err(StartError::Ended { device, what, fault: Fault::of(&said), said });
        }
    }

    pub(crate) fn device(&self) -> u32 {
        self.device
    }

    /// How the server ended, once it has closed its socket or panicked, and its last lines.
    pub(crate) fn post_mortem(&mut self) -> (String, String) {
        let begun = Instant::now();
        let what = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break how_it_ended(status),
                Ok(None) if begun.elapsed() < END && !self.words.last().contains("panicked at") => {
                    thread::sleep(Duration::from_millis(20));
                }
                _ => break "broke off and was ended".to_owned(),
            }
        };
        kill(&mut self.child);
        self.words.finish();
        (what, self.words.last())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn outputs(child: &mut Child) -> Vec<Box<dyn Read + Send>> {
    let out = child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>);
    let err = child.stderr.take().map(|err| Box::new(err) as Box<dyn Read + Send>);
    out.into_iter().chain(err).collect()
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

fn missing(launch: &Launch, source: io::Error) -> StartError {
    StartError::Program { program: launch.program.display().to_string(), source }
}

/// The messages have no version of their own: they are those of one SP1 release.
fn check_version(launch: &Launch) -> Result<(), StartError> {
    let output = Command::new(&launch.program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| missing(launch, source))?;
    // A program that finds no CUDA library says so on its standard error.
    let said = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let said = String::from_utf8_lossy(said);
    let found = said.lines().next().unwrap_or_default().trim();
    if output.status.success() && found == sp1_primitives::SP1_CRATE_VERSION {
        return Ok(());
    }
    let found = found.chars().take(200).collect();
    Err(StartError::Version { program: launch.program.display().to_string(), found })
}
