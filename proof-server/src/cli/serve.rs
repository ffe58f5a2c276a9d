//! `proof-server serve`.

use std::process;

use proof_server::{
    config::{Config, LogArgs, ServeArgs},
    server::{Server, StartError},
};
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

SIGTERM and Ctrl-C end it: running jobs are told SHUTTING_DOWN, the worker is killed.
Every flag can be an environment variable, see [env: ..] above; the flag wins.";

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

pub(super) fn run(args: &ServeArgs, log: LogArgs) -> Result<(), Fault> {
    let config = Config::load(args, log).map_err(|error| Fault::of(Exit::Usage, &error))?;
    info!(?config, "starting");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::about(Exit::Unavailable, "cannot start threads", &error))?;
    runtime.block_on(serve(config))
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
                _ => Exit::Software,
            };
            Fault::of(exit, &error)
        })?,
    };
    print(&format!("listening {}\n", server.address()));
    let stop = CancellationToken::new();
    let ended = server.run(stop.clone());
    tokio::pin!(ended);
    tokio::select! {
        ended = &mut ended => return ended.map_err(|error| Fault::of(Exit::Software, &error)),
        () = signals.next() => info!("shutting down"),
    }
    stop.cancel();
    tokio::select! {
        ended = ended => ended.map_err(|error| Fault::of(Exit::Software, &error)),
        // Asked twice: at once. The worker notices that its socket closes.
        () = signals.next() => process::exit(130),
    }
}
