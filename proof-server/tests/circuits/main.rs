//! What is promised of SNARK circuits, tried with small files and a server on this machine. One file a subject;
//! `support` has what they share.

#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod archive;
mod command_line;
mod download;
mod install;
mod installed;
mod support;
mod web;
