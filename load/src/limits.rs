//! Room for a thousand connections in one process.

use eyre::{WrapErr, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises this process's limit of open descriptors to what it may have, for itself and for the server that it
/// starts, and fails where that is less than `wanted`.
pub(crate) fn raise_descriptors(wanted: usize) -> eyre::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).wrap_err("cannot raise the limit of open descriptors")?;
    let most = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        most >= wanted as u64,
        "{wanted} descriptors are needed, {most} may be open: ask for fewer clients, or raise `ulimit -Hn`"
    );
    Ok(())
}
