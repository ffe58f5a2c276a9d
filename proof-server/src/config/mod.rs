//! The server's settings: flags and environment in, checked values out, every fault at once.

mod args;
mod units;

use std::{fmt, net::SocketAddr, ops::RangeInclusive, time::Duration};

pub use args::{EngineChoice, LogArgs, LogFormat, ServeArgs};
pub use units::{UnitError, parse_duration, parse_size};

use crate::types::{FrameLimits, Limits};

/// Longest keepalive interval: the protocol promises a frame in each 15 s, so that no balancer's idle
/// timer closes a connection that waits for a proof.
pub const MAX_KEEPALIVE: Duration = Duration::from_secs(15);

/// A day: longer waits are typing errors.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the server runs with. Made by [`Config::load`]; nothing reads flags or environment after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What proves.
    pub engine: EngineChoice,
    /// Further arguments of the worker: how its engine behaves.
    pub engine_args: Vec<String>,
    /// Connections at once; more are told BUSY.
    pub max_connections: usize,
    /// Open requests on one connection.
    pub max_requests: usize,
    /// Jobs that may wait for the prover.
    pub queue: usize,
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
    /// [`ConfigError`] with all faults, not only the first.
    pub fn load(args: &ServeArgs, log: LogArgs) -> Result<Self, ConfigError> {
        let mut faults = Faults(Vec::new());
        let ms = Duration::from_millis;
        let config = Self {
            listen: faults.listen(&args.listen, args.allow_plaintext),
            engine: args.engine,
            engine_args: args.engine_args(),
            max_connections: faults.count("--max-connections", &args.max_connections, 1..=10_000),
            max_requests: faults.count("--max-requests", &args.max_requests, 1..=1000),
            queue: faults.count("--queue", &args.queue, 1..=10_000),
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
            worker_start_timeout: faults.time(
                "--worker-start-timeout",
                &args.worker_start_timeout,
                ms(100)..=DAY,
            ),
            worker_silence: faults.time("--worker-silence", &args.worker_silence, ms(1500)..=DAY),
            log,
        };
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
        }
    }
}

/// Collects faults and goes on with a stand-in, so that the next setting is looked at too.
struct Faults(Vec<String>);

impl Faults {
    fn listen(&mut self, text: &str, allow_plaintext: bool) -> SocketAddr {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        match text.parse::<SocketAddr>() {
            Err(_) => self.add(nowhere, format!("--listen: `{text}` is no address: give IP:PORT, for example 127.0.0.1:7600 or [::1]:0")),
            Ok(address) if !address.ip().is_loopback() && !allow_plaintext => self.add(
                nowhere,
                format!("--listen: {address} is open to other machines and this server speaks plain text: listen on 127.0.0.1, or add --allow-plaintext where the network is private"),
            ),
            Ok(address) => address,
        }
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

    fn size(&mut self, flag: &str, text: &str, range: RangeInclusive<u32>) -> u32 {
        let size = parse_size(text);
        match size.as_ref().ok().and_then(|size| u32::try_from(*size).ok()) {
            Some(size) if range.contains(&size) => size,
            _ => {
                let fault = match size {
                    Err(error) => format!("{flag}: {error}"),
                    Ok(_) => format!(
                        "{flag}: `{text}` is out of range: give {} to {} bytes",
                        range.start(),
                        range.end()
                    ),
                };
                self.add(*range.start(), fault)
            }
        }
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
