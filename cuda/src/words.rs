//! What the GPU server prints: passed on to the log, and read for what ended it.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tracing::info;

/// Lines that are kept for whoever asks why.
const KEPT: usize = 12;

/// Longest line that is kept, in bytes: a proof's public values can be printed on one.
const LONGEST: usize = 400;

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The GPU has too little free memory.
    Memory,
    /// CUDA says that the device or its driver failed.
    Device,
    /// SP1's server ended, or its prover panicked, for another reason.
    Server,
}

impl Fault {
    /// What text that the server wrote, or answered, is about.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["out of memory", "out of gpu memory", "outofmemory", "memory allocation"]) {
            Self::Memory
        } else if has(&["cudarusterror", "cuda error", "cudaerror", "no cuda-capable device"]) {
            Self::Device
        } else {
            Self::Server
        }
    }
}

/// Hears both of a process' outputs, each on a thread of its own.
#[derive(Debug)]
pub(crate) struct Words {
    last: Arc<Mutex<VecDeque<String>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Words {
    /// `panicked` is called once, at the first sign that a part of the server is gone: its other parts
    /// would wait for that one for ever.
    pub(crate) fn hear(
        outputs: impl IntoIterator<Item = Box<dyn Read + Send>>,
        device: u32,
        panicked: impl Fn() + Clone + Send + 'static,
    ) -> Self {
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let threads = outputs
            .into_iter()
            .map(|output| {
                let (last, panicked) = (Arc::clone(&last), panicked.clone());
                thread::spawn(move || listen(output, device, &last, &panicked))
            })
            .collect();
        Self { last, threads }
    }

    /// The last lines. After the process' end, all that it said is there.
    pub(crate) fn last(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Waits until everything was heard. Only for a process that ended.
    pub(crate) fn finish(&mut self) {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn listen(
    output: Box<dyn Read + Send>,
    device: u32,
    last: &Mutex<VecDeque<String>>,
    panicked: &dyn Fn(),
) {
    let mut output = BufReader::new(output);
    let mut told = false;
    loop {
        let mut line = Vec::new();
        // What follows on a line of megabytes comes as further lines.
        match output.by_ref().take(1 << 16).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let mut line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some((end, _)) = line.char_indices().find(|(at, _)| *at >= LONGEST) {
            line.truncate(end);
        }
        if line.is_empty() {
            continue;
        }
        info!(device, "sp1-gpu-server: {line}");
        let bad = line.contains("panicked at");
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(line);
        drop(last);
        if bad && !told {
            told = true;
            panicked();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn heard(text: &'static [u8]) -> (String, usize) {
        let panics = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&panics);
        let output: Box<dyn Read + Send> = Box::new(text);
        let mut words = Words::hear([output], 0, move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        words.finish();
        (words.last(), panics.load(Ordering::Relaxed))
    }

    #[test]
    fn the_last_lines_are_kept_and_no_others() {
        let (last, panics) = heard(b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n\n10\n11\n12");
        assert_eq!(last.lines().collect::<Vec<_>>()[..2], ["1", "2"]);
        assert_eq!((last.lines().count(), panics), (KEPT, 0));
        assert!(last.ends_with("12"));
    }

    #[test]
    fn a_panic_is_told_once_however_often_it_is_printed() {
        let (_, panics) =
            heard(b"thread 'a' panicked at x.rs:1:1:\nthread 'b' panicked at y.rs:1:1:\n");
        assert_eq!(panics, 1);
        assert_eq!(heard(b"nothing of the kind\n").1, 0);
    }

    #[test]
    fn a_line_of_any_length_and_of_any_bytes_is_kept_short() {
        static LONG: [u8; 1 << 17] = [b'x'; 1 << 17];
        assert!(heard(&LONG).0.lines().all(|line| line.len() == LONGEST));
        assert_eq!(heard(b"\xff\xfe\n").0, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn faults_are_told_apart_by_what_cuda_and_sp1_say() {
        for (text, fault) in [
            ("called `Result::unwrap()` on an `Err` value: OutOfMemory", Fault::Memory),
            ("out of GPU memory", Fault::Memory),
            ("CUDA_ERROR: out of memory", Fault::Memory),
            ("Other(CudaRustError: an illegal memory access was encountered)", Fault::Device),
            ("no CUDA-capable device is detected", Fault::Device),
            ("index out of bounds: the len is 3", Fault::Server),
            ("", Fault::Server),
        ] {
            assert_eq!(Fault::of(text), fault, "{text}");
        }
    }
}
