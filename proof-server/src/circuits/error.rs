//! Why an installed circuit cannot be used.

use std::{io, path::PathBuf};

use super::CircuitId;

/// Why a circuit cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// It is not installed.
    #[error("the {id:#} circuit is not installed: run `{install}`")]
    Missing {
        /// Which.
        id: CircuitId,
        /// The command that installs it.
        install: String,
    },
    /// Its files are not what was installed.
    #[error("{} {what}: run `{install}`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// The command that installs it anew.
        install: String,
    },
    /// Its files cannot be read.
    #[error("cannot read {}: let the user that runs this read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
