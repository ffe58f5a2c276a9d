//! What proofs cost, and whether a change helped.
//!
//! Every run of a benchmark writes one [`document::Document`]: what ran where, and every sample. What people
//! read is made from documents: [`report`] makes tables and a page, [`compare`] says what became better or worse.
//! What is asked for in a run comes from a [`recording::Recording`]: [`record`](mod@record) makes new ones from nodes,
//! [`replay`] asks servers for their proofs, `prove` makes them with a server of its own.
//! [`plan`] measures nothing: it says how many servers a load takes.

pub mod compare;
pub mod document;
mod figures;
pub mod plan;
#[cfg(feature = "verify")]
pub mod prove;
pub mod record;
pub mod recording;
pub mod replay;
pub mod report;
