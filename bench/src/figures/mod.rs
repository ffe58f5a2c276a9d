//! Figures of a document: its samples grouped by what was proven, each group's metrics sorted.
//!
//! Reports and comparisons start from here, so that both mean the same by a median, a failure and a cost.

mod group;
mod metric;
mod replay;
mod sorted;

pub(crate) use group::{Failed, Group, Key, groups, is_failure};
pub(crate) use metric::{GPU_BUSY, Metric, Unit};
pub(crate) use replay::{offered, servers};
pub(crate) use sorted::Sorted;
