//! What tests over TCP begin with: a server process, and a store of the shipped recording.

#![allow(dead_code, reason = "each test uses its part")]

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use lc_core::host::NativeCrypto;
use light_client::{Store, files};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the shipped recording.
pub(crate) fn recording(file: &str) -> PathBuf {
    root().join("bench/recordings/simulated").join(file)
}

/// At the recording's bootstrap.
pub(crate) fn store() -> Store {
    let meta: serde_json::Value =
        serde_json::from_slice(&fs::read(recording("meta.json")).unwrap()).unwrap();
    let network = recording("config.yaml").display().to_string();
    let word = meta["genesisValidatorsRoot"].as_str().unwrap().parse().unwrap();
    let chain = files::chain(&network, Some(word)).unwrap();
    let bootstrap = files::bootstrap(&chain, &recording("bootstrap.ssz")).unwrap();
    let checkpoint = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    Store::bootstrap(&*network, chain, checkpoint, &bootstrap).unwrap()
}

/// The server that was built with these tests.
pub(crate) fn binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_light-client")).with_file_name("proof-server");
    assert!(binary.exists(), "no {}: build the whole workspace", binary.display());
    binary
}

/// A running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
}

impl Server {
    /// With this engine, and flags of `serve`.
    pub(crate) fn start(engine: &str, flags: &[impl AsRef<OsStr>]) -> Self {
        let mut process = Command::new(binary())
            .args(["serve", "--engine", engine, "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening ").unwrap().trim().to_owned();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
