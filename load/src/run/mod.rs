//! Many clients, many requests: what does the server add to its workers' time, and does it lose anything?

mod client;
mod hostile;
mod report;
mod sample;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use eyre::{WrapErr, ensure};
use rustix::process::Signal;
use tokio::{task::JoinSet, time::Instant};

use self::{
    client::{Client, Course, Told},
    hostile::Hostile,
    report::Report,
    sample::Sampler,
};
use crate::{
    inputs::{self, Subject},
    limits, proc,
    server::{Launch, Server, free_port, sibling},
    verdict::Verdict,
};

/// Descriptors that a process needs beside its connections.
const OTHER_DESCRIPTORS: usize = 200;

/// Connections above the clients' own: those of hostile peers that the server has not yet seen close.
const SPARE_CONNECTIONS: usize = 64;

/// Parts of the requests that are left out where times are judged: until so many have ended all clients come at once
/// and the queue fills, and after so many it runs dry.
const RAMP_UP: f64 = 0.05;
const TAIL: f64 = 0.95;

/// How long the server may take to notice that everybody has left, and to end.
const LEAVE_PATIENCE: Duration = Duration::from_secs(20);

/// What to do, and with how much.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,

    /// Connections, each with one request open at a time
    #[arg(long, value_name = "N", default_value = "1000")]
    clients: usize,

    /// Requests of all clients together
    #[arg(long, value_name = "N", default_value = "100000")]
    requests: usize,

    /// Worker processes
    #[arg(long, value_name = "N", default_value = "4")]
    workers: usize,

    /// How long a mock proof takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "50")]
    delay: u64,

    /// Peers that break the protocol in every way there is, beside the clients
    #[arg(long, value_name = "N", default_value = "0")]
    hostile: usize,

    /// Judge only what does not depend on what else the machine does: answers and descriptors, not times and
    /// memory
    #[arg(long)]
    correctness_only: bool,

    /// Write the figures to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl RunArgs {
    fn flags(&self, metrics: u16) -> Vec<String> {
        let connections = self.clients + 2 * self.hostile + SPARE_CONNECTIONS;
        // Twice: one job of a client may wait while the server has not yet forgotten the one before.
        let queue = 2 * self.clients;
        [
            ("--metrics", format!("127.0.0.1:{metrics}")),
            ("--mock-delay", format!("{}ms", self.delay)),
            ("--workers", self.workers.to_string()),
            ("--queue", queue.to_string()),
            ("--max-queued-per-client", queue.to_string()),
            ("--max-connections", connections.to_string()),
            ("--max-connections-per-address", connections.to_string()),
            // What was answered is asked for again, and must be proven again.
            ("--keep-time", "0s".to_owned()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
    }
}

/// Runs the load and prints what came of it.
pub(crate) async fn run(args: RunArgs) -> eyre::Result<Vec<Verdict>> {
    ensure!(args.clients > 0 && args.workers > 0, "without clients or workers nothing is measured");
    ensure!(args.requests >= args.clients, "each client needs a request: raise --requests");
    limits::raise_descriptors(args.clients + args.hostile + OTHER_DESCRIPTORS)?;
    let subjects = inputs::inclusions(args.clients)?;

    let check = time_checks(&subjects)?;

    let folder = tempfile::tempdir().wrap_err("no folder for the server's log")?;
    let metrics = free_port()?;
    let launch = Launch {
        binary: args.server.clone().map_or_else(sibling, Ok)?,
        flags: args.flags(metrics),
        temporary: folder.path().to_owned(),
        log: folder.path().join("log"),
    };
    let server = Server::start(&launch, 0).await?;
    let before = proc::descriptors(server.pid())?;
    let course = Arc::new(Course::new(args.requests));
    let mut clients = Vec::new();
    for subject in subjects {
        clients.push(Client::connect(server.address(), subject, Arc::clone(&course)).await?);
    }
    println!(
        "{} clients ask for {} proofs of {} ms by {} workers, {} hostile peers",
        args.clients, args.requests, args.delay, args.workers, args.hostile
    );
    let hostile = Hostile::start(args.hostile, server.address());
    let sampler = Sampler::start(server.pid(), ([127, 0, 0, 1], metrics).into(), &course);
    let began = Instant::now();
    let (clients, mut told) = work(clients).await;
    let wall = began.elapsed();
    let samples = sampler.stop().await?;
    leave(clients, &mut told).await;
    let attacks = hostile.stop().await;
    let after = descriptors_after(&server, before).await?;
    let end = stop(server).await;
    let descriptors = (before, after);
    let report = Report { args: &args, check, told, wall, samples, attacks, descriptors, end };
    report.print()?;
    Ok(report.verdicts())
}

/// How long one native check takes here, with nothing beside it.
fn time_checks(subjects: &[Subject]) -> eyre::Result<Duration> {
    let few = subjects.iter().take(100);
    let (began, count) = (Instant::now(), few.len() as u32);
    for subject in few {
        subject.input.check()?;
    }
    Ok(began.elapsed() / count)
}

/// Lets all clients work, and lets none leave before the last is done.
async fn work(clients: Vec<Client>) -> (Vec<Client>, Told) {
    let mut working: JoinSet<_> = clients.into_iter().map(Client::work).collect();
    let (mut told, mut done) = (Told::default(), Vec::new());
    while let Some(ended) = working.join_next().await {
        let (client, its) = ended.expect("a client does not panic");
        told.add(its);
        done.push(client);
    }
    (done, told)
}

async fn leave(clients: Vec<Client>, told: &mut Told) {
    let mut leaving: JoinSet<_> = clients.into_iter().map(Client::leave).collect();
    while let Some(strays) = leaving.join_next().await {
        told.strays += strays.expect("a client does not panic");
    }
}

/// Descriptors of the server once everybody has left: it hears of the last in a moment.
async fn descriptors_after(server: &Server, before: usize) -> eyre::Result<usize> {
    let deadline = Instant::now() + LEAVE_PATIENCE;
    loop {
        let now = proc::descriptors(server.pid())?;
        if now <= before || Instant::now() > deadline {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether the server ends well when it is asked to, and how.
async fn stop(mut server: Server) -> Result<Duration, String> {
    server.signal(Signal::TERM);
    match server.end(LEAVE_PATIENCE).await {
        Some((status, took)) if status.success() => Ok(took),
        Some((status, _)) => Err(format!("it ended with {status}")),
        None => Err(format!("it did not end within {} s", LEAVE_PATIENCE.as_secs())),
    }
}
