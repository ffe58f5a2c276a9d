//! The GPU server's socket: whose it is, and messages over it.
//!
//! SP1 gives it a fixed name in `/tmp`, one a GPU. Anything can be there: the server of another prover,
//! one that a killed worker left, or a file that somebody put there.

use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The variable by which a GPU server says which process started it.
pub(crate) const OWNER: &str = "LC_CUDA_OWNER";

/// Time for a killed server to let go of its GPU.
const RELEASE: Duration = Duration::from_secs(20);

/// Another process has the GPU's socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken(pub(crate) Option<u32>);

pub(crate) fn path(device: u32) -> PathBuf {
    sp1_cuda::client::socket_path(device)
}

/// The process that listens at the other end. The standard library's way to ask is not stable yet, so
/// this takes tokio's, which wants a runtime.
pub(crate) fn peer(stream: &UnixStream) -> io::Result<u32> {
    let stream = stream.try_clone()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // The mode is the open file's, which both handles share: it is put back below.
    stream.set_nonblocking(true)?;
    let asked = stream.try_clone()?;
    let peer = runtime.block_on(async {
        tokio::net::UnixStream::from_std(asked)?.peer_cred().map(|peer| peer.pid())
    });
    stream.set_nonblocking(false)?;
    let pid = peer?.and_then(|pid| u32::try_from(pid).ok());
    pid.ok_or_else(|| io::Error::other("the kernel does not say who listens"))
}

/// Makes sure that nobody listens at `path`. A server whose owner is gone is ended: it holds the GPU's
/// memory for nobody.
pub(crate) fn free(path: &Path) -> Result<(), Taken> {
    let begun = Instant::now();
    loop {
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Taken(None));
            }
            // Nothing, or what an ended server left: the next one removes that.
            Err(_) => return Ok(()),
        };
        let Ok(pid) = peer(&stream) else { return Err(Taken(None)) };
        if !is_left_over(pid) || begun.elapsed() > RELEASE {
            return Err(Taken(Some(pid)));
        }
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a process of this crate started it and is gone.
fn is_left_over(pid: u32) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let mut variables = environment.split(|byte| *byte == 0);
    let prefix = format!("{OWNER}=");
    let Some(owner) = variables.find_map(|variable| variable.strip_prefix(prefix.as_bytes()))
    else {
        return false;
    };
    let owner = String::from_utf8_lossy(owner);
    !Path::new(&format!("/proc/{owner}")).exists()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn nothing_a_dead_socket_and_a_file_are_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        free(&path).unwrap();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        free(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        free(&path).unwrap();
    }

    #[test]
    fn a_living_server_of_somebody_else_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(free(&path), Err(Taken(Some(std::process::id()))));
    }

    #[test]
    fn a_process_that_this_crate_did_not_start_is_no_left_over() {
        assert!(!is_left_over(std::process::id()));
        assert!(!is_left_over(u32::MAX));
    }
}
