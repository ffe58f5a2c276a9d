//! The bench: recorded Ethereum updates, replayed against proof servers.

pub mod recording;
