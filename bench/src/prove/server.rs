//! A server from nothing, with the prover that is measured.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use proof_server::{
    client::{Client, ClientError, ClientOptions, Event},
    types::{Proof, ProofMode, ProofStats},
};
use proof_server_load::server::send;
use rustix::process::Signal;
use tempfile::TempDir;

use super::ProveArgs;
use crate::recording::Request;

/// Time for a server to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Lines of a server's log that a failure quotes.
const LINES: usize = 5;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    address: String,
    log: PathBuf,
    _folder: TempDir,
}

impl Server {
    /// Starts it. It listens before its worker is ready, and the first request waits for that.
    ///
    /// # Errors
    ///
    /// In words, with the end of its log.
    pub(super) fn start(args: &ProveArgs) -> Result<Self, String> {
        let folder =
            tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let log = folder.path().join("server.log");
        let writer = fs::File::create(&log).map_err(|error| format!("no log: {error}"))?;
        let mut command = Command::new(args.server_binary());
        command.args(args.serve());
        // Whoever runs this may have settings of their own; the measured ones are all in the document.
        for (name, _) in
            env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROOF_SERVER_"))
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(writer);
        let mut process = command.spawn().map_err(|error| format!("it does not start: {error}"))?;
        let output = process.stdout.take().expect("its output is a pipe");
        let mut server = Self { process, address: String::new(), log, _folder: folder };
        let mut line = String::new();
        // It ends or it listens: either way the line comes or the pipe closes.
        let _ = BufReader::new(output).read_line(&mut line);
        match line.strip_prefix("listening ") {
            Some(address) => address.trim().clone_into(&mut server.address),
            None => return Err(format!("{}\n{}", server.state(), server.log_end())),
        }
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn prove(
        &self,
        mode: ProofMode,
        request: &Request,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(Proof, ProofStats), ClientError> {
        let mut client = Client::connect(&self.address, &ClientOptions::new("bench"))?;
        client.prove(mode, request.input.clone(), on_event)
    }

    /// Whether it is there, in words.
    pub(super) fn state(&mut self) -> String {
        // A process whose connection broke may be about to end.
        let begun = Instant::now();
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) => return format!("the server ended with {status}"),
                Ok(None) if begun.elapsed() < Duration::from_secs(1) => {
                    thread::sleep(Duration::from_millis(20));
                }
                _ => return "the server still runs".to_owned(),
            }
        }
    }

    /// The last lines of its log.
    pub(super) fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is killed outright takes its worker with it, but cannot tell anybody.
        send(self.process.id(), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < GRACE {
            if matches!(self.process.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
