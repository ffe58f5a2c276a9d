//! `proof-server serve`.

use std::process;

use proof_server::{
    config::{Config, LogArgs, ServeArgs},
    server::{Server, StartError},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Exit, Fault, print};

pub(super) const EXAMPLES: &str = "\
Examples:
  proof-server serve
      Listens on 127.0.0.1:7600 and proves on the CPU.
  proof-server serve --listen 127.0.0.1:0
      Takes a free port and prints it: `listening 127.0.0.1:40113`.
  proof-server serve --engine mock --mock-delay 5s
      Proves nothing, takes five seconds for it: to test a client.

SIGTERM and Ctrl-C end it: it takes no more jobs, and running ones have --drain-timeout to end. A second
signal ends these too, a third one the process.
Every flag can be an environment variable, see [env: ..] above, or a line of the --config file in TOML
(`max-connections = 64`, `grace = \"30s\"`). The flag wins over the variable, that over the file.";

/// What ends a server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// `faults` are those of the settings file: all are told at once.
pub(super) fn run(args: &ServeArgs, log: LogArgs, faults: Vec<String>) -> Result<(), Fault> {
    let config = Config::load(args, log, faults).map_err(|error| Fault::of(Exit::Usage, &error))?;
    allow_files(&config)?;
    info!(?config, "starting");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::about(Exit::Unavailable, "cannot start threads", &error))?;
    runtime.block_on(serve(config))
}

/// Files that a server has open beside its connections: workers' sockets, certificates, metrics.
const OTHER_FILES: u64 = 256;

/// Lets this process have as many open files as its connections need.
fn allow_files(config: &Config) -> Result<(), Fault> {
    let needed = config.max_connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let wanted = Rlimit { current: Some(needed), maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).map_err(|_| {
        let most = limit.maximum.map_or(0, |most| most.saturating_sub(OTHER_FILES));
        let message = format!("--max-connections: {} need {needed} open files, more than this process may have: give {most} at most, or raise the limit (LimitNOFILE=, ulimit -n)", config.max_connections);
        Fault::new(Exit::Usage, message)
    })
}

async fn serve(config: Config) -> Result<(), Fault> {
    let mut signals = Signals::listen()
        .map_err(|error| Fault::about(Exit::Unavailable, "cannot listen for signals", &error))?;
    let server = tokio::select! {
        biased;
        // Dropping a half-started server kills its worker.
        () = signals.next() => return Ok(()),
        server = Server::start(config) => server.map_err(|error| {
            let exit = match error {
                StartError::Bind { .. } => Exit::Unavailable,
                #[cfg(feature = "cuda")]
                StartError::Gpu(_) => Exit::Unavailable,
                StartError::Tls(_) => Exit::Usage,
                _ => Exit::Software,
            };
            Fault::of(exit, &error)
        })?,
    };
    let metrics = server.metrics_address().map(|address| format!("metrics {address}\n"));
    print(&format!("listening {}\n{}", server.address(), metrics.unwrap_or_default()));
    let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
    let ended = server.run(drain.clone(), stop.clone());
    tokio::pin!(ended);
    // The first signal drains, the second one stops, the third one exits.
    for (token, what) in [(&drain, "draining"), (&stop, "stopping")] {
        tokio::select! {
            ended = &mut ended => return ended.map_err(|error| Fault::of(Exit::Software, &error)),
            () = signals.next() => info!("asked to end: {what}"),
        }
        token.cancel();
    }
    tokio::select! {
        ended = ended => ended.map_err(|error| Fault::of(Exit::Software, &error)),
        // At once: workers notice that their sockets close.
        () = signals.next() => process::exit(130),
    }
}
