//! What proofs cost, and whether a change helped.
//!
//! Every run of a benchmark writes one [`document::Document`]: what ran where, and every sample. What people
//! read is made from documents. What is asked for in a run comes from a [`recording::Recording`].

pub mod document;
pub mod record;
pub mod recording;
pub mod replay;
