//! What the load tools share with others that drive servers: processes to drive, and numbers to drive them by.

pub mod random;
pub mod server;
