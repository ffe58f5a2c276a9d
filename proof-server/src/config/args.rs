//! The flags of `proof-server serve`.

use clap::{Args, ValueEnum};

use crate::engine::mock::MockFault;

/// What proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// SP1's CPU prover, core proofs.
    #[cfg(feature = "cpu")]
    Cpu,
    /// Nothing is proven: for tests and load. Clients refuse its proofs unless told otherwise.
    Mock,
}

impl EngineChoice {
    /// The name of the flag's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "cpu")]
            Self::Cpu => "cpu",
            Self::Mock => "mock",
        }
    }
}

/// Form of the log on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The name of the flag's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// How to log; for every command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct LogArgs {
    /// Form of the log on standard error
    #[arg(
        id = "log-format",
        long = "log-format",
        env = "PROOF_SERVER_LOG_FORMAT",
        global = true,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = "Logging"
    )]
    pub format: LogFormat,

    /// What to log: error, warn, info, debug or trace, or a filter such as `info,proof_server=debug`
    #[arg(
        id = "log",
        long = "log",
        env = "PROOF_SERVER_LOG",
        global = true,
        value_name = "FILTER",
        help_heading = "Logging"
    )]
    pub filter: Option<String>,
}

impl LogArgs {
    /// The same for a process that this one starts.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--log-format".to_owned(), self.format.name().to_owned()];
        if let Some(filter) = &self.filter {
            flags.extend(["--log".to_owned(), filter.clone()]);
        }
        flags
    }
}

/// Settings of a server. Values with a unit are text here: [`Config::load`](super::Config::load) reads
/// them all and names every fault at once.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on, IP:PORT; port 0 takes a free one. The first line on standard output is
    /// `listening IP:PORT`
    #[arg(
        long,
        env = "PROOF_SERVER_LISTEN",
        default_value = "127.0.0.1:7600",
        value_name = "ADDR"
    )]
    pub listen: String,

    /// Listen on other than loopback addresses although the protocol is not encrypted
    #[arg(long, env = "PROOF_SERVER_ALLOW_PLAINTEXT")]
    pub allow_plaintext: bool,

    /// What proves
    #[arg(long, env = "PROOF_SERVER_ENGINE", value_name = "ENGINE")]
    #[cfg_attr(feature = "cpu", arg(default_value = "cpu"))]
    pub engine: EngineChoice,

    /// Jobs that may wait for the prover; further ones are told BUSY
    #[arg(
        long,
        env = "PROOF_SERVER_QUEUE",
        default_value = "16",
        value_name = "JOBS",
        help_heading = "Limits"
    )]
    pub queue: String,

    /// Connections at once; further ones are told BUSY
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_CONNECTIONS",
        default_value = "64",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub max_connections: String,

    /// Open requests on one connection
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_REQUESTS",
        default_value = "16",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub max_requests: String,

    /// Largest request to take
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_REQUEST_BYTES",
        default_value = "8MiB",
        value_name = "SIZE",
        help_heading = "Limits"
    )]
    pub max_request_bytes: String,

    /// Largest proof to take for verification, or to send
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_PROOF_BYTES",
        default_value = "64MiB",
        value_name = "SIZE",
        help_heading = "Limits"
    )]
    pub max_proof_bytes: String,

    /// How long a client may take to say Hello
    #[arg(
        long,
        env = "PROOF_SERVER_HANDSHAKE_TIMEOUT",
        default_value = "10s",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub handshake_timeout: String,

    /// How long one frame may take from its first to its last byte, in either direction
    #[arg(
        long,
        env = "PROOF_SERVER_FRAME_TIMEOUT",
        default_value = "60s",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub frame_timeout: String,

    /// How long a connection may stay open without a request
    #[arg(
        long,
        env = "PROOF_SERVER_IDLE_TIMEOUT",
        default_value = "5m",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub idle_timeout: String,

    /// Send something about each open request at least this often; 15s at most
    #[arg(
        long,
        env = "PROOF_SERVER_KEEPALIVE",
        default_value = "10s",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub keepalive: String,

    /// How long one job may have the prover before it ends with TIMEOUT
    #[arg(
        long,
        env = "PROOF_SERVER_JOB_TIMEOUT",
        default_value = "1h",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub job_timeout: String,

    /// How long a worker may take to set up its programs and keys
    #[arg(
        long,
        env = "PROOF_SERVER_WORKER_START_TIMEOUT",
        default_value = "2m",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub worker_start_timeout: String,

    /// How long a worker may be silent before it counts as dead; it reports every second
    #[arg(
        long,
        env = "PROOF_SERVER_WORKER_SILENCE",
        default_value = "30s",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub worker_silence: String,

    /// With the mock engine: how long a proof takes
    #[arg(
        long,
        env = "PROOF_SERVER_MOCK_DELAY",
        default_value = "0s",
        value_name = "TIME",
        help_heading = "Mock engine"
    )]
    pub mock_delay: String,

    /// With the mock engine: what goes wrong
    #[arg(long, default_value = "none", value_name = "FAULT", hide = true)]
    pub mock_fault: MockFault,

    /// With the mock engine: no worker gets ready while there is such a file
    #[arg(long, value_name = "FILE", hide = true)]
    pub mock_gate: Option<String>,
}

impl ServeArgs {
    /// What the worker is told about its engine.
    pub(super) fn engine_args(&self) -> Vec<String> {
        if self.engine != EngineChoice::Mock {
            return Vec::new();
        }
        let fault = self
            .mock_fault
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned());
        let mut args = vec![
            "--mock-delay".to_owned(),
            self.mock_delay.clone(),
            "--mock-fault".to_owned(),
            fault,
        ];
        if let Some(gate) = &self.mock_gate {
            args.extend(["--mock-gate".to_owned(), gate.clone()]);
        }
        args
    }
}
