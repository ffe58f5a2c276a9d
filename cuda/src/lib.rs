//! SP1's GPU server, and what it proves.
//!
//! SP1 keeps its GPU code in a program of its own, `sp1-gpu-server`: one process a GPU, a Unix socket,
//! one request at a time. SP1's client for it downloads that program by itself, waits for ever for a
//! server that died, and leaves its words on the terminal. So this crate has SP1's messages from
//! SP1 ([`sp1_cuda::api`]), and does the rest itself: [`GpuServer`] starts a program that is there,
//! makes sure that the socket is that program's, hears what it says, and knows why it is gone.

mod process;
mod server;
mod socket;
mod words;

pub use process::{Launch, StartError};
pub use server::{GpuError, GpuServer, KeyId};
pub use words::Fault;
