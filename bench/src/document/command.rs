//! Other programs that are asked for a fact: none may hold a benchmark up.

use std::{
    io::{self, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// For an answer of one line. A driver that hangs is the reason; git takes a second on a cold disk.
const DEADLINE: Duration = Duration::from_secs(10);

/// Of the answer that is kept, in bytes: hundreds of GPUs or files.
const MAX_ANSWER: u64 = 64 << 10;

/// How often a program that has closed its output is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// What the program printed; nothing where it failed or there is no such program.
///
/// Blocks for [`DEADLINE`] at most.
///
/// # Errors
///
/// The program did not end in time, and was killed, or the system has no process or pipe left.
pub(super) fn answer(command: &mut Command) -> io::Result<Option<String>> {
    answer_within(DEADLINE, command)
}

fn answer_within(limit: Duration, command: &mut Command) -> io::Result<Option<String>> {
    let until = Instant::now() + limit;
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let answer = read(&mut child, until);
    if answer.is_err() {
        // It may have ended by itself in this moment; it is awaited all the same.
        let _ = child.kill();
        child.wait()?;
    }
    let (text, succeeded) = answer?;
    Ok(succeeded.then_some(text))
}

/// All that the child prints, up to [`MAX_ANSWER`], and whether it succeeded.
fn read(child: &mut Child, until: Instant) -> io::Result<(String, bool)> {
    let mut pipe = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
    let (done, result) = sync_channel(1);
    // Not joined: a grandchild that keeps the pipe open would keep the thread.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.by_ref().take(MAX_ANSWER).read_to_end(&mut bytes);
        // The rest is read too: a full pipe would stop the child.
        let read = read.and_then(|_| io::copy(&mut pipe, &mut io::sink()));
        let _ = done.send(read.map(|_| bytes));
    });
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time");
    let bytes = match result.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(bytes) => bytes?,
        Err(RecvTimeoutError::Timeout) => return Err(late()),
        Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the reader died")),
    };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), status.success()));
        }
        if Instant::now() >= until {
            return Err(late());
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn an_answer_is_what_a_program_that_succeeds_prints() {
        assert_eq!(answer(&mut shell("echo yes")).unwrap().unwrap(), "yes\n");
        assert_eq!(answer(&mut shell("echo no; exit 1")).unwrap(), None);
        assert_eq!(answer(&mut Command::new("no-such-program-anywhere")).unwrap(), None);
    }

    #[test]
    fn a_long_answer_is_cut_and_its_program_ends() {
        let text = answer(&mut shell("yes | head -c 1000000")).unwrap().unwrap();
        assert_eq!(text.len() as u64, MAX_ANSWER);
    }

    #[test]
    fn a_program_that_hangs_is_killed_and_reported() {
        for script in ["exec sleep 60", "exec >&-; exec sleep 60"] {
            let asked = Instant::now();
            let error = answer_within(Duration::from_millis(200), &mut shell(script)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(asked.elapsed() < Duration::from_secs(20));
        }
    }
}
