//! The flags of `proof-server serve`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::{circuits::default_directory, engine::mock::MockFault};

/// What proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// SP1's CPU prover, core proofs.
    #[cfg(feature = "cpu")]
    Cpu,
    /// GPUs, by SP1's GPU server.
    #[cfg(feature = "cuda")]
    Cuda,
    /// SP1's distributed prover: a cluster of one's own, or SP1's network.
    #[cfg(feature = "cluster")]
    Cluster,
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
            #[cfg(feature = "cuda")]
            Self::Cuda => "cuda",
            #[cfg(feature = "cluster")]
            Self::Cluster => "cluster",
            Self::Mock => "mock",
        }
    }

    /// Whether others prove for it.
    pub(super) const fn is_cluster(self) -> bool {
        match self {
            #[cfg(feature = "cluster")]
            Self::Cluster => true,
            _ => false,
        }
    }

    /// How long its worker may take to give up what it has others do.
    pub(crate) const fn parting(self) -> Duration {
        if self.is_cluster() { Duration::from_secs(6) } else { Duration::ZERO }
    }

    /// Whether it proves on GPUs.
    pub(super) const fn is_cuda(self) -> bool {
        match self {
            #[cfg(feature = "cuda")]
            Self::Cuda => true,
            _ => false,
        }
    }
}

/// Which part of the work a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Role {
    /// All of it.
    #[default]
    Standalone,
    /// The one entry point: it proves committee changes, and passes inclusion on to a secondary.
    Primary,
    /// Proves inclusion, for a primary.
    Secondary,
}

impl Role {
    /// The name of the flag's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Primary => "primary",
            Self::Secondary => "secondary",
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
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--log-format".to_owned(), self.format.name().to_owned()];
        if let Some(filter) = &self.filter {
            flags.extend(["--log".to_owned(), filter.clone()]);
        }
        flags
    }
}

/// Without the CPU prover there is but one engine, and nobody should get it unasked.
const DEFAULT_ENGINE: &str = if cfg!(feature = "cpu") { "cpu" } else { "none" };

/// Settings of a server. Values with a unit are text here: [`Config::load`](super::Config::load) reads
/// them all and names every fault at once.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Settings in a file: TOML, a line for each flag below, without its dashes
    #[arg(long, env = "PROOF_SERVER_CONFIG", value_name = "FILE")]
    pub config: Option<String>,

    /// Address to listen on, IP:PORT; port 0 takes a free one. The first line on standard output is
    /// `listening IP:PORT`
    #[arg(
        long,
        env = "PROOF_SERVER_LISTEN",
        default_value = "127.0.0.1:7600",
        value_name = "ADDR"
    )]
    pub listen: String,

    /// Which part of the work this server does: `standalone`, all of it; `primary`, committee changes, with
    /// inclusion passed on to --secondary; `secondary`, inclusion
    #[arg(long, env = "PROOF_SERVER_ROLE", default_value = "standalone", value_name = "ROLE")]
    pub role: String,

    /// With --role primary: the server that proves inclusion
    #[arg(long, env = "PROOF_SERVER_SECONDARY", value_name = "HOST:PORT")]
    pub secondary: Option<String>,

    /// Address for metrics and health over HTTP (/metrics, /healthz, /readyz), IP:PORT; nothing listens
    /// without it. The second line on standard output is `metrics IP:PORT`
    #[arg(long, env = "PROOF_SERVER_METRICS", value_name = "ADDR")]
    pub metrics: Option<String>,

    /// OpenTelemetry collector that gets the requests' spans, for example http://127.0.0.1:4318
    #[cfg(feature = "otel")]
    #[arg(long, env = "PROOF_SERVER_OTLP", value_name = "URL", help_heading = "Logging")]
    pub otlp: Option<String>,

    /// Certificate chain of this server, PEM: clients speak TLS then. Read again when it changes
    #[arg(long, env = "PROOF_SERVER_TLS_CERT", value_name = "FILE", help_heading = "TLS")]
    pub tls_cert: Option<String>,

    /// Its private key, PEM
    #[arg(long, env = "PROOF_SERVER_TLS_KEY", value_name = "FILE", help_heading = "TLS")]
    pub tls_key: Option<String>,

    /// Let in only clients with a certificate of one of these CAs, PEM
    #[arg(long, env = "PROOF_SERVER_TLS_CLIENT_CA", value_name = "FILE", help_heading = "TLS")]
    pub tls_client_ca: Option<String>,

    /// CA of the secondary's certificate, PEM: the primary speaks TLS to it then
    #[arg(long, env = "PROOF_SERVER_SECONDARY_TLS_CA", value_name = "FILE", help_heading = "TLS")]
    pub secondary_tls_ca: Option<String>,

    /// The primary's certificate for the secondary, PEM
    #[arg(
        long,
        env = "PROOF_SERVER_SECONDARY_TLS_CERT",
        value_name = "FILE",
        help_heading = "TLS"
    )]
    pub secondary_tls_cert: Option<String>,

    /// Its private key, PEM
    #[arg(long, env = "PROOF_SERVER_SECONDARY_TLS_KEY", value_name = "FILE", help_heading = "TLS")]
    pub secondary_tls_key: Option<String>,

    /// Listen on other than loopback addresses without TLS
    #[arg(long, env = "PROOF_SERVER_ALLOW_PLAINTEXT")]
    pub allow_plaintext: bool,

    /// What proves: `cpu`, on this machine's cores; `cuda`, on its GPUs; `cluster`, by a cluster of SP1 provers; or `mock`, which proves nothing, for tests and load
    #[arg(long, env = "PROOF_SERVER_ENGINE", value_name = "ENGINE", default_value = DEFAULT_ENGINE)]
    pub engine: String,

    /// Proofs to make at once, each in a worker process of its own; one a GPU
    #[arg(
        long,
        env = "PROOF_SERVER_WORKERS",
        default_value = "1",
        value_name = "N",
        help_heading = "Workers"
    )]
    pub workers: String,

    /// With the engine `cuda`: the GPUs to prove on, by number as nvidia-smi counts, for example 0,1; all of them if not given
    #[arg(long, env = "PROOF_SERVER_DEVICES", value_name = "GPUS", help_heading = "Workers")]
    pub devices: Option<String>,

    /// With the engine `cuda`: SP1's sp1-gpu-server; ~/.sp1/bin or the PATH if not given
    #[arg(long, env = "PROOF_SERVER_GPU_SERVER", value_name = "FILE", help_heading = "Workers")]
    pub gpu_server: Option<String>,

    /// With the engine `cluster`: https://HOST:PORT of the cluster; or `hosted` or `mainnet` for SP1's network
    #[arg(
        long,
        env = "PROOF_SERVER_CLUSTER_ENDPOINT",
        value_name = "URL",
        help_heading = "Cluster"
    )]
    pub cluster_endpoint: Option<String>,

    /// With the engine `cluster`: the file with the secp256k1 key that signs requests, 64 hex digits
    #[arg(long, env = "PROOF_SERVER_CLUSTER_KEY", value_name = "FILE", help_heading = "Cluster")]
    pub cluster_key: Option<String>,

    /// With the engine `cluster`: the file with a bearer token, where the endpoint wants one
    #[arg(long, env = "PROOF_SERVER_CLUSTER_TOKEN", value_name = "FILE", help_heading = "Cluster")]
    pub cluster_token: Option<String>,

    /// With the engine `cluster`: this server's certificate chain for it, PEM, where the endpoint wants one
    #[arg(
        long,
        env = "PROOF_SERVER_CLUSTER_TLS_CERT",
        value_name = "FILE",
        help_heading = "Cluster"
    )]
    pub cluster_tls_cert: Option<String>,

    /// Its private key, PEM
    #[arg(
        long,
        env = "PROOF_SERVER_CLUSTER_TLS_KEY",
        value_name = "FILE",
        help_heading = "Cluster"
    )]
    pub cluster_tls_key: Option<String>,

    /// Most memory of a worker and its children, for example 12GiB: one that has more is killed, and its
    /// request ends with WORKER_LOST. Without it, memory ends where the machine's does
    #[arg(long, env = "PROOF_SERVER_WORKER_MEMORY", value_name = "SIZE", help_heading = "Workers")]
    pub worker_memory: Option<String>,

    /// Jobs that may wait for the prover; further ones are told BUSY
    #[arg(
        long,
        env = "PROOF_SERVER_QUEUE",
        default_value = "16",
        value_name = "JOBS",
        help_heading = "Limits"
    )]
    pub queue: String,

    /// Jobs of one client that may wait, known by its certificate or its address; half of --queue if not
    /// given
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_QUEUED_PER_CLIENT",
        value_name = "JOBS",
        help_heading = "Limits"
    )]
    pub max_queued_per_client: Option<String>,

    /// Connections at once; further ones are told BUSY
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_CONNECTIONS",
        default_value = "256",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub max_connections: String,

    /// Connections at once from one address; further ones are told BUSY
    #[arg(
        long,
        env = "PROOF_SERVER_MAX_CONNECTIONS_PER_ADDRESS",
        default_value = "64",
        value_name = "N",
        help_heading = "Limits"
    )]
    pub max_connections_per_address: String,

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

    /// How long a job goes on after the connection of its last client broke: who asks for the same in that
    /// time finds it further on. Zero ends it at once
    #[arg(
        long,
        env = "PROOF_SERVER_GRACE",
        default_value = "30s",
        value_name = "TIME",
        help_heading = "Sharing"
    )]
    pub grace: String,

    /// How long a result is kept for whoever asks for the same
    #[arg(
        long,
        env = "PROOF_SERVER_KEEP_TIME",
        default_value = "10m",
        value_name = "TIME",
        help_heading = "Sharing"
    )]
    pub keep_time: String,

    /// Bytes of all kept results together; a proof of a committee change has some 3 MB
    #[arg(
        long,
        env = "PROOF_SERVER_KEEP_BYTES",
        default_value = "256MiB",
        value_name = "SIZE",
        help_heading = "Sharing"
    )]
    pub keep_bytes: String,

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

    /// How long a request may take from its arrival to its answer, the queue included, before it ends with
    /// TIMEOUT; its job ends with it, unless somebody else waits for that
    #[arg(
        long,
        env = "PROOF_SERVER_REQUEST_TIMEOUT",
        default_value = "6h",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub request_timeout: String,

    /// After SIGTERM: how long running jobs may take before they end with SHUTTING_DOWN
    #[arg(
        long,
        env = "PROOF_SERVER_DRAIN_TIMEOUT",
        default_value = "5m",
        value_name = "TIME",
        help_heading = "Timeouts"
    )]
    pub drain_timeout: String,

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

    /// Where the circuits of SNARKs are; `proof-server circuits install` puts them there. By default
    /// proof-server/circuits in $XDG_DATA_HOME, or in ~/.local/share
    #[arg(long, env = "PROOF_SERVER_CIRCUITS", value_name = "DIR")]
    pub circuits: Option<String>,

    /// With the CPU engine: take SNARKs from files in this directory instead of making them
    #[arg(long, value_name = "DIR", hide = true)]
    pub recorded_snarks: Option<String>,

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
    /// What only a cluster has.
    pub(super) fn cluster_flags(&self) -> [(&'static str, Option<&String>); 5] {
        [
            ("--cluster-endpoint", self.cluster_endpoint.as_ref()),
            ("--cluster-key", self.cluster_key.as_ref()),
            ("--cluster-token", self.cluster_token.as_ref()),
            ("--cluster-tls-cert", self.cluster_tls_cert.as_ref()),
            ("--cluster-tls-key", self.cluster_tls_key.as_ref()),
        ]
    }

    fn cluster_args(&self) -> Vec<String> {
        let given = self.cluster_flags().into_iter();
        given
            .chain([("--job-timeout", Some(&self.job_timeout))])
            .filter_map(|(flag, value)| Some([flag.to_owned(), value?.clone()]))
            .flatten()
            .collect()
    }

    /// What the worker is told about its engine.
    pub(super) fn engine_args(&self, engine: EngineChoice) -> Vec<String> {
        if engine.is_cluster() {
            return self.cluster_args();
        }
        if engine != EngineChoice::Mock {
            let circuits = self.circuits.clone().map(PathBuf::from).or_else(default_directory);
            let mut args = Vec::new();
            if let Some(directory) = circuits {
                args.extend(["--circuits".to_owned(), directory.display().to_string()]);
            }
            if let (true, Some(program)) = (engine.is_cuda(), &self.gpu_server) {
                args.extend(["--gpu-server".to_owned(), program.clone()]);
            }
            if let Some(directory) = &self.recorded_snarks {
                args.extend(["--recorded-snarks".to_owned(), directory.clone()]);
            }
            return args;
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
