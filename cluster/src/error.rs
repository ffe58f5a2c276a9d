//! Why there is no proof, out of what the SDK says.

use std::time::Duration;

use sp1_sdk::network::Error as NetworkError;
use tonic::{Code, Status};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Nobody answers.
    #[error("the cluster cannot be reached ({0}): look at it, and at the endpoint's address")]
    Unreachable(String),
    /// It does not know who asks.
    #[error("the cluster refuses the credentials ({0}): give others")]
    Credentials(String),
    /// It refuses the request.
    #[error("the cluster refuses the request: {0}")]
    Refused(String),
    /// It could not run the program on the input, which ran here.
    #[error("the cluster could not run the program: its SP1 may be of another version")]
    Unexecutable,
    /// It gave the request up.
    #[error("the cluster gave the request up ({0}): its log says why; send it again")]
    GivenUp(&'static str),
    /// It took too long.
    #[error("the cluster did not prove it within {} s: give it more provers, or allow more time", .0.as_secs())]
    Late(Duration),
    /// What came is no such proof.
    #[error("the cluster answered with {0}")]
    Answer(String),
    /// Something else.
    #[error("the cluster's client failed: {0}")]
    Other(String),
}

impl ClusterError {
    /// Whether the same request may do better later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::GivenUp(_) | Self::Late(_))
    }

    /// What the SDK's error means. `limit` is what the request was allowed.
    pub(crate) fn of(error: &anyhow::Error, limit: Duration) -> Self {
        if let Some(error) = error.downcast_ref::<NetworkError>() {
            return match error {
                NetworkError::SimulationFailed | NetworkError::RequestUnexecutable { .. } => {
                    Self::Unexecutable
                }
                NetworkError::RequestUnfulfillable { .. } => Self::GivenUp("unfulfillable"),
                NetworkError::RequestReverted { .. } => Self::GivenUp("reverted"),
                NetworkError::RequestExpired { .. } => Self::GivenUp("expired"),
                NetworkError::RequestAuctionTimedOut { .. } => {
                    Self::GivenUp("no prover bid for it")
                }
                NetworkError::RequestTimedOut { .. } => Self::Late(limit),
                NetworkError::RpcError(status) => Self::of_status(status),
                NetworkError::Other(error) => Self::of(error, limit),
            };
        }
        error
            .chain()
            .find_map(|cause| cause.downcast_ref::<Status>())
            .map_or_else(|| Self::of_text(&format!("{error:#}")), Self::of_status)
    }

    fn of_status(status: &Status) -> Self {
        let said = format!("{}: {}", status.code(), status.message());
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => {
                Self::Unreachable(said)
            }
            Code::Unauthenticated | Code::PermissionDenied => Self::Credentials(said),
            Code::Internal | Code::Unknown | Code::DataLoss => Self::Other(said),
            _ => Self::Refused(said),
        }
    }

    fn of_text(text: &str) -> Self {
        let lower = text.to_lowercase();
        let network = ["transport error", "error sending request", "dns error", "connection"];
        if network.iter().any(|word| lower.contains(word)) {
            Self::Unreachable(text.to_owned())
        } else if lower.contains("deserialize") {
            Self::Answer(format!("what is no proof ({text})"))
        } else {
            Self::Other(text.to_owned())
        }
    }
}
