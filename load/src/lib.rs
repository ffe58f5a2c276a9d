//! What the load tools share with others that drive servers: processes to drive, what the system says of them, and
//! numbers to drive them by.

pub mod proc;
pub mod random;
pub mod server;
