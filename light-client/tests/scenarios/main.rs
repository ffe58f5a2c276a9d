//! The light client against a server that lies, fails, stalls or answers well, over real sockets: first
//! through the library, then as the command that users run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use light_client::{statement, store, verify};

mod command;
mod interrupt;
mod real_server;
mod recordings;
mod retry;
mod server;
mod session;
mod snark;

#[path = "../../src/testing.rs"]
#[allow(dead_code, reason = "shared with the unit tests, which use more of it")]
mod testing;
