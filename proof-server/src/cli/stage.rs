//! `proof-server stage`: what a worker starts.

use proof_server::engine::cpu::stage;

use super::{Exit, Fault};

pub(super) fn run() -> Result<(), Fault> {
    stage::serve().map_err(|error| Fault::of(Exit::Software, &error))
}
