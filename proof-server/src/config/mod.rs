//! The server's settings: flags and environment in, checked values out, every fault at once.

mod args;
mod devices;
mod units;

use std::{fmt, net::SocketAddr, ops::RangeInclusive, time::Duration};

use clap::ValueEnum;

pub use args::{EngineChoice, LogArgs, LogFormat, Role, ServeArgs};
pub use devices::Devices;
pub use units::{UnitError, parse_duration, parse_size, show_size};

use crate::{
    tls::{ClientTlsFiles, KeyFiles, TlsFiles},
    types::{FrameLimits, Limits},
};

/// Longest keepalive interval: the protocol promises a frame in each 15 s, so that no balancer's idle
/// timer closes a connection that waits for a proof.
pub const MAX_KEEPALIVE: Duration = Duration::from_secs(15);

/// Most workers: more GPUs than a machine has, and a report of them all fits its frame.
const MAX_WORKERS: usize = 64;

/// A day: longer waits are typing errors.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Another server, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secondary {
    /// HOST:PORT.
    pub address: String,
    /// Plain text without.
    pub tls: Option<ClientTlsFiles>,
}

/// What the server runs with. Made by [`Config::load`]; nothing reads flags or environment after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which part of the work this server does.
    pub role: Role,
    /// The server that a primary passes inclusion on to.
    pub secondary: Option<Secondary>,
    /// Where operators read metrics and health.
    pub metrics: Option<SocketAddr>,
    /// Encryption, and whose certificates are let in.
    pub tls: Option<TlsFiles>,
    /// What proves.
    pub engine: EngineChoice,
    /// Further arguments of the worker: how its engine behaves.
    pub engine_args: Vec<String>,
    /// The GPUs that it proves on, where it does: one worker each.
    pub devices: Option<Devices>,
    /// Proofs made at once, each by a worker process. On GPUs: 1 until the server knows how many there are.
    pub workers: usize,
    /// Most resident memory of a worker with its children, in bytes; beyond it, it is killed.
    pub worker_memory: Option<u64>,
    /// Connections at once; more are told BUSY.
    pub max_connections: usize,
    /// Connections at once from one address.
    pub max_connections_per_address: usize,
    /// Open requests on one connection.
    pub max_requests: usize,
    /// Jobs that may wait for the prover.
    pub queue: usize,
    /// Those of one client.
    pub max_queued_per_client: usize,
    /// How long a job goes on after the connection of its last client broke.
    pub grace: Duration,
    /// How long a result is kept for whoever asks for the same.
    pub keep_time: Duration,
    /// Bytes of all kept results together.
    pub keep_bytes: u64,
    /// Largest frames to take.
    pub frames: FrameLimits,
    /// From connect to a complete Hello.
    pub handshake_timeout: Duration,
    /// From the first to the last byte of a frame.
    pub frame_timeout: Duration,
    /// Without a frame or an open request.
    pub idle_timeout: Duration,
    /// Between two frames about an open request.
    pub keepalive: Duration,
    /// How long a job may have the prover.
    pub job_timeout: Duration,
    /// How long a request may take, from its arrival to its answer.
    pub request_timeout: Duration,
    /// How long running jobs may take once the server was asked to end.
    pub drain_timeout: Duration,
    /// How long a worker may take to get ready.
    pub worker_start_timeout: Duration,
    /// How long a worker may be silent.
    pub worker_silence: Duration,
    /// How to log, for the workers too.
    pub log: LogArgs,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// The faults, each with its flag and what to do.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all faults, not only the first. `faults` are those found before, in a file.
    pub fn load(args: &ServeArgs, log: LogArgs, faults: Vec<String>) -> Result<Self, ConfigError> {
        let mut faults = Faults(faults);
        let role = faults.choice("--role", &args.role).unwrap_or_default();
        let engine = faults.choice("--engine", &args.engine).unwrap_or(EngineChoice::Mock);
        let ms = Duration::from_millis;
        let tls = faults.tls(args);
        let queue = faults.count("--queue", &args.queue, 1..=10_000);
        let config = Self {
            listen: faults.listen(&args.listen, args.allow_plaintext || tls.is_some()),
            role,
            secondary: faults.secondary(role, args),
            metrics: faults.optional(args.metrics.as_deref(), |faults, text| {
                faults.address("--metrics", text)
            }),
            tls,
            engine,
            engine_args: args.engine_args(engine),
            devices: faults.devices(engine, args),
            workers: faults.count("--workers", &args.workers, 1..=MAX_WORKERS),
            worker_memory: faults.optional(args.worker_memory.as_deref(), |faults, text| {
                faults.bytes("--worker-memory", text, 64 << 20..=1 << 44)
            }),
            max_connections: faults.count("--max-connections", &args.max_connections, 1..=20_000),
            max_connections_per_address: faults.count(
                "--max-connections-per-address",
                &args.max_connections_per_address,
                1..=20_000,
            ),
            max_requests: faults.count("--max-requests", &args.max_requests, 1..=1000),
            queue,
            max_queued_per_client: faults
                .optional(args.max_queued_per_client.as_deref(), |faults, text| {
                    faults.count("--max-queued-per-client", text, 1..=10_000)
                })
                // Two clients at least have room, whatever one of them asks for. A secondary has but one.
                .unwrap_or(if role == Role::Secondary { queue } else { queue.div_ceil(2) }),
            grace: faults.time("--grace", &args.grace, Duration::ZERO..=DAY),
            keep_time: faults.time("--keep-time", &args.keep_time, Duration::ZERO..=DAY),
            keep_bytes: faults.bytes("--keep-bytes", &args.keep_bytes, 0..=1 << 44),
            frames: FrameLimits {
                request: faults.size(
                    "--max-request-bytes",
                    &args.max_request_bytes,
                    64 << 10..=1 << 30,
                ),
                proof: faults.size("--max-proof-bytes", &args.max_proof_bytes, 64 << 10..=1 << 30),
            },
            handshake_timeout: faults.time(
                "--handshake-timeout",
                &args.handshake_timeout,
                ms(100)..=DAY,
            ),
            frame_timeout: faults.time("--frame-timeout", &args.frame_timeout, ms(100)..=DAY),
            idle_timeout: faults.time("--idle-timeout", &args.idle_timeout, ms(100)..=DAY),
            keepalive: faults.time("--keepalive", &args.keepalive, ms(100)..=MAX_KEEPALIVE),
            job_timeout: faults.time("--job-timeout", &args.job_timeout, ms(100)..=DAY),
            request_timeout: faults.time(
                "--request-timeout",
                &args.request_timeout,
                ms(100)..=DAY * 7,
            ),
            drain_timeout: faults.time(
                "--drain-timeout",
                &args.drain_timeout,
                Duration::ZERO..=DAY,
            ),
            worker_start_timeout: faults.time(
                "--worker-start-timeout",
                &args.worker_start_timeout,
                ms(100)..=DAY,
            ),
            worker_silence: faults.time("--worker-silence", &args.worker_silence, ms(1500)..=DAY),
            log,
        };
        faults.cluster(engine, args);
        faults.time("--mock-delay", &args.mock_delay, Duration::ZERO..=DAY);
        if faults.0.is_empty() { Ok(config) } else { Err(ConfigError(faults.0)) }
    }

    /// What clients are told of the limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // Up, because a client waits that long: 250 ms must not become 0.
        let seconds =
            |time: Duration| u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Limits {
            max_request_bytes: self.frames.request,
            max_proof_bytes: self.frames.proof,
            max_requests: number(self.max_requests),
            queue: number(self.queue),
            job_timeout_seconds: seconds(self.job_timeout),
            keepalive_seconds: seconds(self.keepalive),
            // Down, because a client trusts it: 999 ms are no second.
            grace_seconds: u32::try_from(self.grace.as_secs()).unwrap_or(u32::MAX),
        }
    }
}

/// Stands in for an address that is none.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Collects faults and goes on with a stand-in, so that the next setting is looked at too.
struct Faults(Vec<String>);

impl Faults {
    fn address(&mut self, flag: &str, text: &str) -> SocketAddr {
        text.parse().unwrap_or_else(|_| {
            let fault = format!("{flag}: `{text}` is no address: give IP:PORT, for example 127.0.0.1:7600 or [::1]:0");
            self.add(NOWHERE, fault)
        })
    }

    fn listen(&mut self, text: &str, safe: bool) -> SocketAddr {
        let address = self.address("--listen", text);
        if address.ip().is_loopback() || safe {
            return address;
        }
        self.add(
            NOWHERE,
            format!("--listen: {address} is open to other machines and this server speaks plain text: give --tls-cert and --tls-key, listen on 127.0.0.1, or add --allow-plaintext where the network is private"),
        )
    }

    fn tls(&mut self, args: &ServeArgs) -> Option<TlsFiles> {
        let files = (args.tls_cert.as_ref(), args.tls_key.as_ref());
        match files {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: certificate.into(),
                key: key.into(),
                client_ca: args.tls_client_ca.as_ref().map(Into::into),
            }),
            (None, None) => {
                if args.tls_client_ca.is_some() {
                    let fault = "--tls-client-ca: client certificates need TLS: give --tls-cert and --tls-key too";
                    self.add((), fault.to_owned());
                }
                None
            }
            (certificate, _) => {
                let (has, lacks) = if certificate.is_some() {
                    ("--tls-cert", "--tls-key")
                } else {
                    ("--tls-key", "--tls-cert")
                };
                self.add(None, format!("{has}: needs its other half: give {lacks} too"))
            }
        }
    }

    fn secondary(&mut self, role: Role, args: &ServeArgs) -> Option<Secondary> {
        let address = match (role, &args.secondary) {
            (Role::Primary, Some(address)) => address.clone(),
            (Role::Primary, None) => {
                let fault = "--role primary: passes inclusion on: give the other server with --secondary HOST:PORT";
                return self.add(None, fault.to_owned());
            }
            (_, None) if args.secondary_tls_ca.is_none() => return None,
            (role, _) => {
                let fault = format!(
                    "--secondary: a {} has none: leave it out, or add --role primary",
                    role.name()
                );
                return self.add(None, fault);
            }
        };
        if address
            .rsplit_once(':')
            .is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err())
        {
            let fault = format!(
                "--secondary: `{address}` is no address: give HOST:PORT, for example prover-2.internal:7600"
            );
            self.add((), fault);
        }
        let identity = match (&args.secondary_tls_cert, &args.secondary_tls_key) {
            (Some(certificate), Some(key)) => {
                Some(KeyFiles { certificate: certificate.into(), key: key.into() })
            }
            (None, None) => None,
            (certificate, _) => {
                let (has, lacks) =
                    if certificate.is_some() { ("cert", "key") } else { ("key", "cert") };
                let fault = format!(
                    "--secondary-tls-{has}: needs its other half: give --secondary-tls-{lacks} too"
                );
                self.add(None, fault)
            }
        };
        if identity.is_some() && args.secondary_tls_ca.is_none() {
            let fault = "--secondary-tls-cert: needs TLS: give the CA of the secondary's certificate with --secondary-tls-ca";
            self.add((), fault.to_owned());
        }
        let tls = args.secondary_tls_ca.as_ref().map(|ca| ClientTlsFiles {
            ca: ca.into(),
            identity,
            server_name: None,
        });
        Some(Secondary { address, tls })
    }

    fn choice<T: ValueEnum>(&mut self, flag: &str, text: &str) -> Option<T> {
        T::from_str(text, false).ok().or_else(|| {
            let all = T::value_variants().iter().filter_map(T::to_possible_value);
            let all: Vec<String> = all.map(|value| value.get_name().to_owned()).collect();
            self.add(None, format!("{flag}: `{text}` is not known: give {}", all.join(" or ")))
        })
    }

    fn cluster(&mut self, engine: EngineChoice, args: &ServeArgs) {
        if !engine.is_cluster() {
            let given = args.cluster_flags();
            if let Some((flag, _)) = given.iter().find(|(_, value)| value.is_some()) {
                let fault =
                    format!("{flag}: only for a cluster: add --engine cluster, or leave it out");
                self.add((), fault);
            }
            return;
        }
        if args.cluster_endpoint.is_none() {
            let fault = "--engine cluster: needs to know where: give --cluster-endpoint https://HOST:PORT, or `hosted` or `mainnet` for SP1's network";
            self.add((), fault.to_owned());
        }
        if args.cluster_key.is_none() {
            let fault = "--engine cluster: requests are signed: give the file with the key, --cluster-key FILE";
            self.add((), fault.to_owned());
        }
        if args.cluster_tls_cert.is_some() != args.cluster_tls_key.is_some() {
            let fault = "--cluster-tls-cert and --cluster-tls-key: one needs the other: give both";
            self.add((), fault.to_owned());
        }
        #[cfg(feature = "cluster")]
        if let Some(Err(fault)) =
            args.cluster_endpoint.as_deref().map(str::parse::<lc_cluster::Endpoint>)
        {
            self.add((), format!("--cluster-endpoint: {fault}"));
        }
    }

    fn devices(&mut self, engine: EngineChoice, args: &ServeArgs) -> Option<Devices> {
        if !engine.is_cuda() {
            if args.devices.is_some() {
                let fault = "--devices: only GPUs have numbers: add --engine cuda, or leave it out";
                self.add((), fault.to_owned());
            }
            return None;
        }
        if args.workers != "1" {
            let fault = "--workers: with --engine cuda there is one a GPU: leave it out, and name the GPUs with --devices";
            self.add((), fault.to_owned());
        }
        let text = args.devices.as_deref().unwrap_or("all");
        text.parse().map_err(|fault| self.add((), format!("--devices: {fault}"))).ok()
    }

    fn time(&mut self, flag: &str, text: &str, range: RangeInclusive<Duration>) -> Duration {
        match parse_duration(text) {
            Ok(time) if range.contains(&time) => time,
            Ok(_) => {
                let fault = format!(
                    "{flag}: `{text}` is out of range: give {:?} to {:?}",
                    range.start(),
                    range.end()
                );
                self.add(*range.start(), fault)
            }
            Err(error) => self.add(*range.start(), format!("{flag}: {error}")),
        }
    }

    /// A size that frames can have.
    fn size(&mut self, flag: &str, text: &str, range: RangeInclusive<u32>) -> u32 {
        let (start, end) = range.into_inner();
        let size = self.bytes(flag, text, start.into()..=end.into());
        u32::try_from(size).unwrap_or(end)
    }

    fn bytes(&mut self, flag: &str, text: &str, range: RangeInclusive<u64>) -> u64 {
        match parse_size(text) {
            Ok(size) if range.contains(&size) => size,
            Ok(_) => {
                let (start, end) = (range.start(), range.end());
                let fault =
                    format!("{flag}: `{text}` is out of range: give {start} to {end} bytes");
                self.add(*start, fault)
            }
            Err(error) => self.add(*range.start(), format!("{flag}: {error}")),
        }
    }

    /// Reads a setting that may be missing.
    fn optional<T>(
        &mut self,
        text: Option<&str>,
        read: impl FnOnce(&mut Self, &str) -> T,
    ) -> Option<T> {
        text.map(|text| read(self, text))
    }

    fn count(&mut self, flag: &str, text: &str, range: RangeInclusive<usize>) -> usize {
        match text.parse() {
            Ok(count) if range.contains(&count) => count,
            _ => self.add(
                *range.start(),
                format!(
                    "{flag}: `{text}` is not usable: give a number from {} to {}",
                    range.start(),
                    range.end()
                ),
            ),
        }
    }

    fn add<T>(&mut self, stand_in: T, fault: String) -> T {
        self.0.push(fault);
        stand_in
    }
}

#[cfg(test)]
mod tests;
