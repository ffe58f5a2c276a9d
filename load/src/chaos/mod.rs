//! Processes killed and connections broken at random: does every request still get its answer?
//!
//! A request that a client neither gives up nor leaves must get exactly one answer, or its connection breaks; asked
//! again, it must be proven within a bounded time. Proofs must be of what was asked. In the end nothing may be left.

mod client;
mod fleet;
mod ledger;
mod plan;

use std::{collections::BTreeSet, ffi::OsString, fs, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use eyre::{WrapErr, ensure};
use rustix::process::Signal;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use self::{
    client::Client,
    fleet::Place,
    ledger::{History, Ledger},
    plan::{Event, Plan},
};
use crate::{
    inputs::{self, Subject},
    limits, proc,
    random::Random,
    server::sibling,
    verdict::Verdict,
};

/// Distinct requests of each program: few, so that clients ask for the same.
const SUBJECTS: usize = 4;

/// How long a secondary stays away: sometimes shorter and sometimes longer than clients hold out.
const OUTAGE_MILLIS: u64 = 3000;

/// How long a file may lie in shared memory, open nowhere, until it counts as left there.
const SHARED_MEMORY_PATIENCE: Duration = Duration::from_secs(15);

/// What to do, and for how long.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChaosArgs {
    /// The server's binary; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,

    /// How long, in minutes; fractions are fine
    #[arg(long, value_name = "MINUTES", default_value = "10")]
    minutes: f64,

    /// Repeats a plan: what happens to the servers, and what each client does. When exactly it hits whom still
    /// depends on the machine
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,

    /// Clients
    #[arg(long, value_name = "N", default_value = "8")]
    clients: u64,

    /// A primary and a secondary in place of one server
    #[arg(long)]
    roles: bool,

    /// Write the figures to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Causes chaos and prints what came of it.
pub(crate) async fn run(args: ChaosArgs) -> eyre::Result<Vec<Verdict>> {
    let length = Duration::try_from_secs_f64(args.minutes * 60.0).wrap_err("--minutes")?;
    ensure!(args.clients > 0, "without clients nothing is checked");
    limits::raise_descriptors(256)?;
    let subjects: Arc<[Subject]> =
        [inputs::committee_changes(SUBJECTS)?, inputs::inclusions(SUBJECTS)?].concat().into();
    let binary = args.server.clone().map_or_else(sibling, Ok)?;
    let folder = tempfile::tempdir().wrap_err("no folder for the servers")?;
    let shared_memory = proc::shared_memory();

    let mut secondary = match args.roles {
        true => {
            let flags = ["--role", "secondary"];
            Some(Place::start("secondary", &binary, folder.path(), &flags).await?)
        }
        false => None,
    };
    let address = secondary.as_ref().map(|place| place.address().to_string());
    let flags = match &address {
        Some(address) => vec!["--role", "primary", "--secondary", address],
        None => Vec::new(),
    };
    let mut primary = Place::start("server", &binary, folder.path(), &flags).await?;

    let ledger = Arc::new(Ledger::new());
    let end = Instant::now() + length;
    let mut clients = JoinSet::new();
    for number in 0..args.clients {
        let random = Random::new(args.seed, 1 + number);
        clients.spawn(Client::new(primary.address(), &subjects, &ledger, random).work(end));
    }
    println!("{} clients, seed {}, for {length:.0?}", args.clients, args.seed);
    for (pause, event, choice) in Plan::new(args.seed, args.roles) {
        if Instant::now() + pause > end {
            break;
        }
        sleep(pause).await;
        let mut scene =
            Scene { primary: &mut primary, secondary: secondary.as_mut(), subjects: &subjects };
        scene.play(event, choice, &ledger).await?;
    }
    sleep_until(end).await;
    while let Some(ended) = clients.join_next().await {
        ended.wrap_err("a client broke off")?;
    }
    for place in [Some(&mut primary), secondary.as_mut()].into_iter().flatten() {
        place.drain(&ledger).await?;
        place.check_remains(&ledger);
    }
    check_shared_memory(&shared_memory, &ledger).await;
    report(&args, &ledger, folder)
}

/// Where events happen.
struct Scene<'a> {
    primary: &'a mut Place,
    secondary: Option<&'a mut Place>,
    subjects: &'a Arc<[Subject]>,
}

impl Scene<'_> {
    async fn play(
        &mut self,
        event: Event,
        choice: usize,
        ledger: &Arc<Ledger>,
    ) -> eyre::Result<()> {
        ledger.event(event);
        match (event, &mut self.secondary) {
            (Event::KillWorker, _) => self.primary.strike_worker(Signal::KILL, choice),
            (Event::TermWorker, _) => self.primary.strike_worker(Signal::TERM, choice),
            (Event::KillServer, _) => {
                self.primary.kill(ledger).await?;
                self.primary.restart().await?;
            }
            (Event::DrainServer, _) => {
                self.primary.drain(ledger).await?;
                self.primary.restart().await?;
            }
            (Event::KillSecondaryWorker, Some(secondary)) => {
                secondary.strike_worker(Signal::KILL, choice);
            }
            (Event::KillSecondary, Some(secondary)) => {
                secondary.kill(ledger).await?;
                self.outage(choice, ledger).await?;
            }
            (Event::DrainSecondary, Some(secondary)) => {
                secondary.drain(ledger).await?;
                self.outage(choice, ledger).await?;
            }
            (Event::KillSecondaryWorker | Event::KillSecondary | Event::DrainSecondary, None) => {}
        }
        Ok(())
    }

    /// While the secondary is away the primary proves committee changes; then it comes back.
    async fn outage(&mut self, choice: usize, ledger: &Arc<Ledger>) -> eyre::Result<()> {
        let address = self.primary.address();
        let random = Random::new(0, 0);
        Client::new(address, self.subjects, ledger, random).settle(&self.subjects[0]).await;
        ledger.outcome("a committee change while the secondary was away");
        sleep(Duration::from_millis(choice as u64 % OUTAGE_MILLIS)).await;
        match &mut self.secondary {
            Some(secondary) => secondary.restart().await,
            None => Ok(()),
        }
    }
}

/// Other programs use shared memory too, and for a moment theirs is open nowhere: what counts is what stays.
async fn check_shared_memory(before: &BTreeSet<OsString>, ledger: &Ledger) {
    let deadline = Instant::now() + SHARED_MEMORY_PATIENCE;
    loop {
        let left = proc::left_in_shared_memory(before);
        if left.is_empty() {
            return;
        }
        if Instant::now() > deadline {
            let mut history = History::default();
            history.note(ledger, format!("new, and open nowhere: {left:?}"));
            return ledger.violation("files are left in shared memory", &history);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

fn report(
    args: &ChaosArgs,
    ledger: &Ledger,
    folder: tempfile::TempDir,
) -> eyre::Result<Vec<Verdict>> {
    let told = ledger.lock();
    for (title, counts) in
        [("events", &told.events), ("clients", &told.acts), ("outcomes", &told.outcomes)]
    {
        println!("{title}");
        for (what, count) in counts {
            println!("  {count:>7} {what}");
        }
    }
    let (longest, drain) = (told.longest.as_secs_f64(), told.longest_drain.as_secs_f64());
    println!(
        "{} requests proven, the longest took {longest:.1} s with all attempts",
        told.requests
    );
    println!("the longest drain took {drain:.1} s");
    let count = told.violations.len();
    let verdicts = vec![
        Verdict::new(
            "every request gets its answer, once and right, and nothing is left",
            format!("{count} violations"),
            count == 0,
        ),
        Verdict::new(
            "something was proven and something happened",
            format!("{} requests, {} events", told.requests, told.events.values().sum::<usize>()),
            told.requests > 0 && !told.events.is_empty(),
        ),
    ];
    for verdict in &verdicts {
        println!("{verdict}");
    }
    if count > 0 {
        println!("the servers' logs stay in {}", folder.keep().display());
    }
    let Some(file) = &args.json else { return Ok(verdicts) };
    let figures = json!({
        "minutes": args.minutes,
        "seed": args.seed,
        "clients": args.clients,
        "roles": args.roles,
        "events": told.events,
        "acts": told.acts,
        "outcomes": told.outcomes,
        "proven": told.requests,
        "longest_seconds": longest,
        "longest_drain_seconds": drain,
        "violations": told.violations,
        "verdicts": verdicts.iter().map(Verdict::json).collect::<Vec<_>>(),
    });
    fs::write(file, format!("{figures:#}\n"))
        .wrap_err_with(|| format!("cannot write {}", file.display()))?;
    Ok(verdicts)
}
