//! Proofs for Ethereum light clients, made by a server and checked in milliseconds.
//!
//! Without features this crate is the protocol: the messages, the frames that carry them and a
//! blocking [`client`]. The feature `tls` adds encryption, `verify` checking SP1 proofs, `server` everything
//! between the socket and the worker process, `cpu` the prover itself and the executor.

#[cfg(feature = "verify")]
pub mod artifacts;
#[cfg(feature = "server")]
pub mod circuits;
pub mod client;
#[cfg(feature = "server")]
pub mod config;
#[cfg(any(feature = "server", feature = "verify"))]
pub mod engine;
#[cfg(feature = "cpu")]
pub mod execute;
#[cfg(feature = "cuda")]
pub mod gpu;
#[cfg(feature = "guest-input")]
pub mod guest_input;
#[cfg(feature = "server")]
mod http;
#[cfg(feature = "server")]
mod jobs;
#[cfg(feature = "server")]
mod metrics;
#[cfg(feature = "server")]
pub mod server;
pub mod tls;
pub mod types;
#[cfg(feature = "verify")]
pub mod verify;
#[cfg(feature = "server")]
pub mod worker;

/// An error and its causes on one line.
#[cfg(feature = "server")]
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// The name of the statement's check that an input failed, if it was one: the variant of
/// [`CheckError`](lc_core::sync_protocol::CheckError).
#[cfg(feature = "server")]
#[must_use]
pub fn check_name(error: &lc_core::host::InputError) -> Option<String> {
    let lc_core::host::InputError::Check { source, .. } = error else { return None };
    // `Debug` begins with the variant's name.
    Some(format!("{source:?}").chars().take_while(char::is_ascii_alphanumeric).collect())
}

/// The SP1 release that this one is built with: its proofs and keys are those of no other.
pub const SP1_VERSION: &str = "6.10.0";

#[cfg(all(test, feature = "server"))]
mod tests {
    use lc_core::{host::InputError, sync_protocol::CheckError};

    use super::check_name;

    #[test]
    fn checks_are_named_by_their_variants_with_or_without_fields() {
        let named = |source| check_name(&InputError::Check { what: String::new(), source });
        assert_eq!(named(CheckError::NoUpdates).as_deref(), Some("NoUpdates"));
        assert_eq!(
            named(CheckError::ExecutionBranch("attested")).as_deref(),
            Some("ExecutionBranch")
        );
        assert_eq!(check_name(&InputError::TooManyUpdates(500)), None);
    }
}

/// The date, for certificates and for people. Nothing that waits or measures may look at it: it jumps.
#[cfg(feature = "server")]
#[expect(clippy::disallowed_methods, reason = "a date is what is wanted")]
pub(crate) fn date() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
