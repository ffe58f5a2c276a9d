//! What a replay says of servers and of the load that they were under.

use std::collections::BTreeMap;

use super::{Sorted, group::seconds, is_failure};
use crate::document::{Document, Load, ReplayRun};

/// One server of a replay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerFigures<'a> {
    pub(crate) address: &'a str,
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    /// From the intended start to the answer, of proofs.
    pub(crate) total: Sorted,
    pub(crate) per_second: Option<f64>,
}

/// Every server that the document lists, in its order; also one that answered nothing.
pub(crate) fn servers<'a>(document: &Document, run: &'a ReplayRun) -> Vec<ServerFigures<'a>> {
    let mut found: BTreeMap<&str, (usize, Vec<f64>)> = BTreeMap::new();
    for sample in &run.samples {
        let (requests, totals) = found.entry(&sample.server).or_default();
        *requests += 1;
        if is_failure(sample).is_none() {
            totals.push(seconds(sample.total_us));
        }
    }
    let duration = document.duration_seconds.get();
    let figures = |address: &'a str| {
        let (requests, totals) = found.remove(address).unwrap_or_default();
        ServerFigures {
            address,
            requests,
            failed: requests - totals.len(),
            per_second: (duration > 0.0).then(|| totals.len() as f64 / duration),
            total: Sorted::new(totals),
        }
    };
    run.servers.iter().map(|server| server.address.as_str()).map(figures).collect()
}

/// The load as a number, and what it counts.
pub(crate) fn offered(load: Load) -> (f64, &'static str) {
    match load {
        Load::Open { requests_per_second } => (requests_per_second.get(), "requests a second"),
        Load::Closed { clients } => (f64::from(clients), "clients"),
    }
}
