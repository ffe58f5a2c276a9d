//! What the server promises, tried on the real binary with the mock engine in real worker processes.
//! One file a subject; `support` has what they share.

#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod command_line;
#[cfg(feature = "cuda")]
mod cuda;
mod execute;
mod handshake;
mod limits;
mod operators;
#[cfg(feature = "otel")]
mod otel;
mod peers;
mod queue;
mod requests;
mod roles;
mod sharing;
mod shutdown;
mod support;
mod tls;
mod workers;
