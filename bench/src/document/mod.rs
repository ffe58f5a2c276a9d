//! One JSON document a run: what ran where, and every sample. `docs/bench.md` has the format as a table.
//!
//! Fill in a [`Document`] and [`Document::write`] it; what could not be read back is not written:
//!
//! ```
//! use std::{collections::BTreeMap, path::Path, time::Duration};
//!
//! use bench::document::*;
//! use proof_server::types::ProofMode;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let recording = folder.path().join("update-first.ssz");
//! # std::fs::write(&recording, "an update")?;
//! # let elf = recording.clone();
//! # let out = folder.path().join("run.json");
//! let sample = ProveSample {
//!     program: "committee-change".to_owned(), // a name in `programs`
//!     recording: "update-first".to_owned(),   // a name in `fixtures`
//!     mode: ProofMode::Core,
//!     index: 0,
//!     cold: true,
//!     total_seconds: Duration::from_secs(34).into(),
//!     outcome: ProveOutcome::Proved(Proved {
//!         verify_seconds: Duration::from_millis(80).into(),
//!         proof_bytes: 1_590_000,
//!         cycles: Some(97_817),
//!         gas: Some(258_890),
//!         shards: Some(1),
//!     }),
//!     phases: vec![Phase { name: "core".to_owned(), seconds: Duration::from_secs(33).into() }],
//!     peak_memory_bytes: Some(2_000_000_000),
//!     memory: vec![],
//!     gpu: None,
//! };
//! let document = Document {
//!     schema: Schema,
//!     started_unix_seconds: unix_seconds(),
//!     duration_seconds: Duration::from_secs(40).into(),
//!     note: None,
//!     tool_version: env!("CARGO_PKG_VERSION").to_owned(),
//!     git: Git::detect(Path::new("."), None)?,
//!     hardware: Hardware::detect()?,
//!     settings: BTreeMap::from([("engine".to_owned(), "cpu".to_owned())]),
//!     sp1_version: "6.10.0".to_owned(),
//!     programs: vec![Program {
//!         name: "committee-change".to_owned(),
//!         elf_sha256: Hash::of(&std::fs::read(elf)?).0.into(),
//!         vkey: "0x00c9d433c10a860d7b70664577517305d4f400e465abe5b997fdd89c66032fbd".parse()?,
//!     }],
//!     fixtures: vec![Fixture::hash("update-first", &recording)?],
//!     price_dollars_per_hour: None,
//!     run: Run::Prove(ProveRun { samples: vec![sample] }),
//! };
//! document.write(&out)?;
//! assert_eq!(Document::read(&out)?, document);
//! # Ok(())
//! # }
//! ```

mod check;
mod command;
mod file;
mod fixture;
mod git;
mod hardware;
mod number;
mod run;
mod text;

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use proof_server::types::{ElfHash, VkeyHash};
use serde::{Deserialize, Serialize};

pub use check::{Fault, MAX_NAME_CHARS, MAX_TEXT_CHARS};
pub use file::{DocumentError, MAX_DOCUMENT_BYTES};
pub use fixture::{Fixture, FixtureError};
pub use git::{Git, GitError};
pub use hardware::{Gpu, Hardware, HardwareError};
pub use number::{NotMeasured, Quantity};
pub use run::{
    Failure, GpuUse, Load, MemoryPoint, Phase, ProveOutcome, ProveRun, ProveSample, Proved,
    ReplayOutcome, ReplayRun, ReplaySample, ResourcePoint, Run, Server,
};
pub use text::{Hash, NotAHash, SCHEMA, Schema};

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The format's name and version, [`SCHEMA`].
    pub schema: Schema,
    /// When the run began: seconds since 1970, UTC.
    pub started_unix_seconds: u64,
    /// How long it took, from its first sample's start to its last one's end.
    pub duration_seconds: Quantity,
    /// What people should know of it, shown above all else: "made up", "beside a build".
    pub note: Option<String>,
    /// Of the program that wrote this.
    pub tool_version: String,
    /// The source that was measured; absent outside a checkout.
    pub git: Option<Git>,
    /// The machine that ran the benchmark.
    pub hardware: Hardware,
    /// What was asked for: flags and features that change what is measured.
    pub settings: BTreeMap<String, String>,
    /// Of the proving system.
    pub sp1_version: String,
    /// Every program that samples name.
    pub programs: Vec<Program>,
    /// Every recording that samples name.
    pub fixtures: Vec<Fixture>,
    /// What all machines of the run cost together, in US dollars.
    pub price_dollars_per_hour: Option<Quantity>,
    /// The samples.
    pub run: Run,
}

/// A program that was proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// `committee-change` or `inclusion`.
    pub name: String,
    /// SHA-256 of its ELF.
    #[serde(with = "text::as_text")]
    pub elf_sha256: ElfHash,
    /// What verifiers pin, with `0x`.
    #[serde(with = "text::as_text")]
    pub vkey: VkeyHash,
}

/// The date, for [`Document::started_unix_seconds`]; 0 on a clock before 1970.
#[must_use]
pub fn unix_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a document says on which day it was made")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
