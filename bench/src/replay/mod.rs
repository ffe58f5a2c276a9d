//! Recorded updates, replayed against running proof servers: what do their clients see?

mod args;
mod client;
mod hosts;
mod judge;
mod monitor;
mod paper;
mod plan;
mod progress;
mod sample;
mod stop;
mod summary;
mod tls;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use eyre::{WrapErr, bail, ensure};
use lc_core::ProgramId;
use proof_server::{
    client::{Client, ClientOptions},
    types::ServerHello,
};

pub use args::ReplayArgs;
pub use stop::Stop;

use self::{
    client::{Row, Shared, Worker},
    judge::Judge,
    monitor::Monitor,
    paper::Paper,
    plan::Course,
    progress::Progress,
    sample::{Reservoir, Sample},
    summary::{Left, Summary},
};
use crate::recording::{Recording, Request};

/// Rows that wait to be taken in, each with a proof of some megabytes: a client waits where there are more.
const ROWS: usize = 16;

/// How often the one who collects looks up.
const TICK: Duration = Duration::from_millis(200);

/// How long a balancer may hold a connection back: longer than `timeout queue` in `deploy/haproxy.cfg`, so that it is
/// the balancer that gives up.
const BALANCER_PATIENCE: Duration = Duration::from_secs(16 * 60);

/// How long a stopped run waits for the servers to say that they gave the open requests up.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Measured, and all that was looked at is right.
    Good,
    /// No proof came, or one that is wrong.
    Bad,
    /// Somebody stopped it.
    Stopped,
}

/// Makes a run and writes its document; what came of it, in lines. Blocking.
///
/// # Errors
/// Where there is nothing to measure: a recording or a server that is not there or does not fit, a document that
/// cannot be written. What happens to a request is a row, no error.
pub fn run(args: &ReplayArgs, stop: &Stop) -> eyre::Result<(String, Ended)> {
    let recordings = load(args)?;
    let requests = requests(args, &recordings)?;
    ensure!(
        args.clients as usize >= args.servers.len(),
        "{} clients for {} servers: each server needs one, raise --clients",
        args.clients,
        args.servers.len()
    );
    let judge = Judge::new(&args.circuits)?;
    let mut options = ClientOptions::new(concat!("bench ", env!("CARGO_PKG_VERSION")));
    options.tls = args.tls.load()?;
    if args.balanced {
        options.hello_timeout = Some(BALANCER_PATIENCE);
    }
    let servers = greet(&args.servers, &options)?;
    judge.check_servers(&servers, args.mode, args.sample_verify > 0)?;
    let paper = Paper::prepare(args.out.as_deref())?;

    let course = Course::new(args.pace(), args.limit(), args.seed);
    ensure!(
        course.total() != Some(0),
        "no request is due in that time: raise --rate or --duration"
    );
    let shared = Arc::new(Shared {
        servers: args.servers.clone(),
        options,
        mode: args.mode,
        balanced: args.balanced,
        seed: args.seed,
        requests,
        retries: args.retries,
        began: Instant::now(),
        course: Mutex::new(course),
        begun: AtomicUsize::new(0),
        stop: stop.clone(),
        cancellers: (0..args.clients).map(|_| Mutex::new(None)).collect(),
    });
    // Through a balancer each question would go to another host, and take a prover from those that are measured.
    let watch = |address: &String| {
        let start = || Monitor::start(address.clone(), shared.options.clone(), shared.began);
        (!args.balanced).then(start).flatten()
    };
    let monitors: Vec<_> = shared.servers.iter().map(watch).collect();
    let (mut samples, proofs, stopped) = measure(&shared, args)?;
    let ended = monitors.into_iter().map(|monitor| monitor.map(|it| it.stop(STOP_PATIENCE)));
    let resources: Vec<_> = ended.map(Option::unwrap_or_default).collect();
    let took = samples.iter().map(|sample| sample.end).max().unwrap_or_default();
    verify(&judge, proofs, &mut samples);

    let summary = Summary { samples: &samples, servers: &args.servers, took, stopped };
    let mut text = summary.text();
    if let Some(out) = &args.out {
        let document =
            paper.document(args, &recordings, &shared.requests, &servers, resources, &summary);
        if let Err(error) = document.write(out) {
            // What was measured is not lost where it cannot be written.
            eprint!("{text}");
            return Err(error.into());
        }
        text += &format!("written: {}\n", out.display());
    }
    let ended = match stopped {
        Some(_) => Ended::Stopped,
        None if summary.is_good() => Ended::Good,
        None => Ended::Bad,
    };
    Ok((text, ended))
}

fn load(args: &ReplayArgs) -> eyre::Result<Vec<Recording>> {
    let recordings = args.recordings.iter().map(|folder| Recording::load(folder));
    let recordings = recordings.collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> = recordings.iter().map(|recording| &recording.name).collect();
    ensure!(
        names.len() == recordings.len(),
        "two of the recordings have the same name: rename a folder, so that rows can be told apart"
    );
    Ok(recordings)
}

/// The recordings' requests of the wanted program, by the recording's name and their own.
fn requests(args: &ReplayArgs, recordings: &[Recording]) -> eyre::Result<Vec<Request>> {
    let wanted = args.program.map(ProgramId::from);
    let named = |recording: &Recording, request: &Request| {
        let name = format!("{}/{}", recording.name, request.name);
        Request { name, ..request.clone() }
    };
    let requests: Vec<_> = recordings
        .iter()
        .flat_map(|recording| {
            recording.requests.iter().map(move |request| named(recording, request))
        })
        .filter(|request| wanted.is_none_or(|wanted| wanted == request.program()))
        .collect();
    if let (true, Some(wanted)) = (requests.is_empty(), wanted) {
        bail!("the recordings have no request for {wanted}: leave --program out, or give others");
    }
    Ok(requests)
}

/// What each server says of itself. One that is not there is an error now, not a row later.
fn greet(
    addresses: &[String],
    options: &ClientOptions,
) -> eyre::Result<Vec<(String, ServerHello)>> {
    let known: BTreeSet<_> = addresses.iter().collect();
    ensure!(known.len() == addresses.len(), "a server is named twice: name each once in --server");
    let greet = |address: &String| {
        let client = Client::connect(address, options).wrap_err_with(|| address.clone())?;
        Ok((address.clone(), client.hello().clone()))
    };
    addresses.iter().map(greet).collect()
}

type Measured = (Vec<Sample>, Vec<(usize, proof_server::types::Proof)>, Option<Left>);

/// Lets the clients work and takes in what they say.
fn measure(shared: &Arc<Shared>, args: &ReplayArgs) -> eyre::Result<Measured> {
    let (sender, rows) = sync_channel(ROWS);
    let mut threads = Vec::new();
    for number in 0..args.clients as usize {
        let (worker, sender) = (Worker::new(number, Arc::clone(shared)), sender.clone());
        let thread = thread::Builder::new().name(format!("client-{number}"));
        threads.push(
            thread
                .spawn(move || worker.work(&sender))
                .wrap_err("the system has no thread left: lower --clients")?,
        );
    }
    drop(sender);
    let (samples, proofs) = collect(shared, args, &rows);
    // Closes the way of those that still have something to say: nobody takes it.
    drop(rows);
    let stopped = shared.stop.is_set().then(|| {
        let begun = shared.begun.load(Ordering::Relaxed);
        let due = shared.course().due(shared.now());
        Left { waiting: due.saturating_sub(begun), given_up: begun - samples.len() }
    });
    // Of a stopped run, one that waits for a silent server is left to the end of the process.
    for thread in threads.into_iter().filter(|thread| stopped.is_none() || thread.is_finished()) {
        ensure!(thread.join().is_ok(), "a client panicked: this is a fault of the bench");
    }
    Ok((samples, proofs, stopped))
}

/// Every row until the last client is done, or a stopped run's patience is over.
fn collect(
    shared: &Shared,
    args: &ReplayArgs,
    rows: &Receiver<Row>,
) -> (Vec<Sample>, Vec<(usize, proof_server::types::Proof)>) {
    let mut progress = Progress::new(shared.course().total());
    let mut reservoir = Reservoir::new(args.sample_verify as usize, args.seed);
    let (mut samples, mut give_up) = (Vec::new(), None);
    loop {
        match rows.recv_timeout(TICK) {
            Ok(row) => {
                let (sample, proof) = Sample::of(row);
                progress.one(sample.outcome.is_ok());
                if let Some(proof) = proof {
                    reservoir.offer(sample.number, proof);
                }
                samples.push(sample);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        progress.tick();
        if shared.stop.is_set() {
            let give_up = *give_up.get_or_insert_with(|| Instant::now() + STOP_PATIENCE);
            if Instant::now() >= give_up {
                break;
            }
            shared.stop.wake();
            shared.cancel_all();
        }
    }
    progress.end();
    (samples, reservoir.into_kept())
}

/// Verifies the kept proofs and notes it in their requests' samples.
fn verify(judge: &Judge, proofs: Vec<(usize, proof_server::types::Proof)>, samples: &mut [Sample]) {
    for (number, proof) in proofs {
        let verdict = judge.judge(&proof);
        let sample = samples.iter_mut().find(|sample| sample.number == number);
        let sample = sample.expect("proofs are of samples");
        if let Err(why) = &verdict {
            eprintln!("the proof of request {number} does not hold: {why}");
        }
        if let Ok(proved) = &mut sample.outcome {
            proved.verified = Some(verdict.is_ok());
        }
    }
}
