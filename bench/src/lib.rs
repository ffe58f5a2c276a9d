//! What proofs cost, and whether a change helped.
//!
//! Every run of a benchmark writes one [`document::Document`]: what ran where, and every sample. What people
//! read is made from documents.

pub mod document;
