//! A worker process, from the server's side.

use std::{
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncWriteExt,
    net::{UnixStream, unix::OwnedReadHalf, unix::OwnedWriteHalf},
    process::{Child, Command},
    time::{Instant, sleep_until, timeout},
};
use tracing::{info, warn};

use super::{
    decide::{Loss, oom_kills},
    message::{FromWorker, ToWorker},
};
use crate::metrics::WorkerPlace;
use crate::types::{
    EngineInfo, FrameError, FrameLimits,
    frame_async::{AsyncFrameReader, write_message_async},
};

/// How long the kernel may take to end a killed process. Freeing 20 GB takes it about a second.
const KILL_GRACE: Duration = Duration::from_secs(10);

/// How long a process that closed its socket may take to end before it counts as garbled.
const EXIT_GRACE: Duration = Duration::from_secs(2);

/// How to start a worker.
#[derive(Debug, Clone)]
pub(crate) struct WorkerCommand {
    /// Arguments behind the program's name. The program is the server's own file.
    pub(crate) args: Vec<String>,
    pub(crate) limits: FrameLimits,
    /// Time from start to `Ready`.
    pub(crate) start_timeout: Duration,
    /// A worker that is silent for longer is dead or hangs; it sends something every second.
    pub(crate) silence: Duration,
    /// Most resident memory of it and its children, in bytes.
    pub(crate) memory_limit: Option<u64>,
    /// How long it may take to give up what it has others do, before it is killed.
    pub(crate) parting: Duration,
}

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot start a worker process")]
    Spawn(#[source] io::Error),
    #[error("the worker did not get ready within {} s: raise --worker-start-timeout, or see its log above", .0.as_secs())]
    Slow(Duration),
    #[error("the worker ended before it was ready: {0}; its log above says why")]
    Lost(String),
    #[error("the worker began with `{0}` instead of `Ready`")]
    Unready(&'static str),
}

/// A running worker. Dropping it kills its whole process group.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    group: Pid,
    reader: AsyncFrameReader<OwnedReadHalf, FromWorker>,
    writer: OwnedWriteHalf,
    limits: FrameLimits,
    silence: Duration,
    memory_limit: Option<u64>,
    parting: Duration,
    place: Option<Arc<WorkerPlace>>,
    heard: Instant,
    resident_bytes: u64,
    oom_kills: Option<u64>,
}

impl Worker {
    /// Starts a worker and waits until it is ready.
    pub(crate) async fn start(
        command: &WorkerCommand,
    ) -> Result<(Self, Option<EngineInfo>), StartError> {
        let mut worker = Self::spawn(command).map_err(StartError::Spawn)?;
        let ready = timeout(command.start_timeout, worker.next()).await;
        match ready {
            Ok(Ok(FromWorker::Ready(engine))) => {
                info!(pid = worker.group.as_raw_nonzero().get(), "worker ready");
                Ok((worker, engine))
            }
            Ok(Ok(other)) => Err(StartError::Unready(other.name())),
            Ok(Err(loss)) => Err(StartError::Lost(loss.describe(worker.resident_bytes))),
            Err(_) => Err(StartError::Slow(command.start_timeout)),
        }
    }

    fn spawn(command: &WorkerCommand) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let theirs = theirs.into_std()?;
        theirs.set_nonblocking(false)?;
        // Whatever a library prints belongs into the log, not into the conversation.
        let log = io::stderr().as_fd().try_clone_to_owned()?;
        // The link and not its target: the same binary even where an upgrade replaced the file.
        let child = Command::new("/proc/self/exe")
            .arg0("proof-server")
            .args(&command.args)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(log))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .expect("a child that was not waited for has an id");
        let (reader, writer) = ours.into_split();
        Ok(Self {
            child,
            group,
            reader: AsyncFrameReader::new(reader, command.limits),
            writer,
            limits: command.limits,
            silence: command.silence,
            memory_limit: command.memory_limit,
            parting: command.parting,
            place: None,
            heard: Instant::now(),
            resident_bytes: 0,
            oom_kills: read_oom_kills(),
        })
    }

    /// Gives it a job.
    pub(crate) async fn send(&mut self, message: &ToWorker) -> Result<(), Loss> {
        match timeout(self.silence, write_message_async(&mut self.writer, message, &self.limits))
            .await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(Some(error)).await),
            Err(_) => Err(Loss::Silent(self.silence)),
        }
    }

    /// The next thing it says beyond that it is alive. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<FromWorker, Loss> {
        loop {
            let message = tokio::select! {
                biased;
                message = self.reader.next_message() => message,
                status = self.child.wait() => return Err(self.ended(status)),
                () = sleep_until(self.heard + self.silence) => return Err(Loss::Silent(self.silence)),
            };
            self.heard = Instant::now();
            match message {
                Ok(Some(FromWorker::Alive { resident_bytes })) => {
                    self.resident_bytes = resident_bytes;
                    if let Some(place) = &self.place {
                        place.set_resident(resident_bytes);
                    }
                    if let Some(limit_bytes) =
                        self.memory_limit.filter(|limit| resident_bytes > *limit)
                    {
                        return Err(Loss::OverMemory { limit_bytes });
                    }
                }
                Ok(Some(message)) => return Ok(message),
                Ok(None) => return Err(self.broken(None).await),
                Err(error) => return Err(self.broken(Some(error)).await),
            }
        }
    }

    /// From now on its memory is told there.
    pub(crate) fn report_to(&mut self, place: &Arc<WorkerPlace>) {
        place.set_resident(self.resident_bytes);
        self.place = Some(Arc::clone(place));
    }

    /// What it last said it had, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// Ends it and all its children, and waits until that is done.
    pub(crate) async fn kill(mut self) {
        if !self.parting.is_zero() {
            // It ends itself once its socket is closed.
            let _ = self.writer.shutdown().await;
            let _ = timeout(self.parting, self.child.wait()).await;
        }
        self.kill_group();
        if timeout(KILL_GRACE, self.child.wait()).await.is_err() {
            warn!(group = self.group.as_raw_nonzero().get(), "a killed worker is still there");
        }
    }

    /// The socket is of no use: usually because the process is gone, and that says more.
    async fn broken(&mut self, error: Option<FrameError>) -> Loss {
        match timeout(EXIT_GRACE, self.child.wait()).await {
            Ok(status) => self.ended(status),
            Err(_) => Loss::Garbled(
                error.map_or_else(|| "closed its socket".to_owned(), |error| format!("{error:?}")),
            ),
        }
    }

    fn ended(&self, status: io::Result<ExitStatus>) -> Loss {
        match status {
            Ok(status) => match status.signal() {
                Some(signal) => Loss::Killed { signal, oom: read_oom_kills() > self.oom_kills },
                None => Loss::Exited(status.code().unwrap_or(-1)),
            },
            Err(error) => Loss::Garbled(error.to_string()),
        }
    }

    /// Nobody else can get the number meanwhile: a group's number is taken while it has a member.
    fn kill_group(&self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill_group();
        if let Some(place) = &self.place {
            place.set_resident(0);
        }
    }
}

fn read_oom_kills() -> Option<u64> {
    fs::read_to_string("/proc/vmstat").ok().and_then(|text| oom_kills(&text))
}
