//! An archive of gigabytes over a connection that breaks.
//!
//! What came is kept in a file beside the circuits, with what the server said of the version that it is of. The next
//! request asks for the rest of that version, and a server that has another one sends it from its start.

use std::{
    io::{self, Read, Write},
    net::IpAddr,
    thread,
};

use ureq::{
    Agent, Body, Error,
    http::{HeaderName, Response, Uri, header},
};

use super::{InstallError, source::redacted, space};
use crate::circuits::{
    Event, Report, Step,
    pour::{PourError, pour},
    snark::MAX_FILE,
};

mod answer;
mod part;
mod patience;

pub(super) use part::Part;
pub use patience::Patience;

use answer::{Answer, Asked, Head, Version, answer};

/// Redirects that are followed: mirrors and content networks need one or two.
const MAX_REDIRECTS: u32 = 5;

/// Bytes to have free for what is unpacked, for each byte of the archive. Its large files are keys, which gzip
/// leaves almost as long as they are; the rest of what it holds is not unpacked.
const UNPACKED_PER_BYTE: u64 = 2;

/// Why an attempt did not bring the whole archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadFault {
    /// No answer.
    #[error(
        "no answer came; what came before is kept, so run this again later, or give --from FILE"
    )]
    Request(#[source] Box<Error>),
    /// It is not shown that the server is who it is.
    #[error(
        "the server's certificate is not trusted: where a proxy opens encrypted connections, fetch the file another way and give --from FILE"
    )]
    Untrusted(#[source] rustls::Error),
    /// The answer stopped.
    #[error("the connection broke; what came is kept, so run this again later to go on")]
    Body(#[source] io::Error),
    /// The server has no such file, or does not give it.
    #[error("the server answered with status {0}: check the address, or give --from FILE")]
    Status(u16),
    /// Another part of the file came than was asked for.
    #[error(
        "the server answered with `{answered}` when asked for the bytes from {from}: give another address"
    )]
    Range {
        /// The first byte that was asked for.
        from: u64,
        /// `Content-Range`.
        answered: String,
    },
    /// No archive of a circuit has so many bytes.
    #[error("the server has more than {MAX_FILE} bytes there: check the address")]
    TooLong,
    /// The server has too little.
    #[error(
        "the answer ended after {came} of {announced} bytes; they are kept, so run this again later to go on"
    )]
    Short {
        /// Bytes that there are now.
        came: u64,
        /// Bytes of the file.
        announced: u64,
    },
}

/// How an attempt failed.
enum Failed {
    /// Another one may go better.
    Again(DownloadFault),
    /// It will not.
    Fault(DownloadFault),
    /// The fault is here.
    Here(InstallError),
}

impl From<InstallError> for Failed {
    fn from(error: InstallError) -> Self {
        Self::Here(error)
    }
}

/// Brings the whole of what is at `url` into `part`.
pub(super) fn download(
    url: &str,
    part: &Part,
    patience: Patience,
    report: &mut Report<'_>,
) -> Result<(), InstallError> {
    let agent = agent(url, &patience);
    // New bytes are what counts: a server that always starts over and breaks off brings none.
    let mut most = part.length();
    let mut failures = 0;
    loop {
        let (fault, pause) = match attempt(&agent, url, part, report) {
            Ok(()) => return Ok(()),
            Err(Failed::Here(error)) => return Err(error),
            Err(Failed::Fault(fault)) => (fault, None),
            Err(Failed::Again(fault)) => {
                let length = part.length();
                failures = if length > most { 0 } else { failures + 1 };
                most = most.max(length);
                (fault, patience.pause(failures))
            }
        };
        let Some(pause) = pause else {
            return Err(InstallError::Download { url: redacted(url), source: fault });
        };
        let note = crate::error_chain(&fault);
        report(Event::Note(&format!("{note}; trying again in {:.1} s", pause.as_secs_f64())));
        thread::sleep(pause);
    }
}

fn agent(url: &str, patience: &Patience) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        // No redirect leads from encryption to plain text.
        .https_only(url.starts_with("https:"))
        .max_redirects(MAX_REDIRECTS)
        .user_agent(concat!("proof-server/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence));
    if is_here(url) {
        // No proxy of the environment's leads back to this machine.
        config = config.proxy(None);
    }
    config.build().into()
}

fn is_here(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// One request for what is missing.
fn attempt(agent: &Agent, url: &str, part: &Part, report: &mut Report<'_>) -> Result<(), Failed> {
    let asked = part.resume(url);
    let mut request = agent.get(url);
    if let Some(version) = asked.version.as_ref().filter(|_| asked.from > 0) {
        request = request
            .header(header::RANGE, format!("bytes={}-", asked.from))
            .header(header::IF_RANGE, version.text());
    }
    let response = request.call().map_err(failed)?;
    let head = head(&response);
    let (from, total) = match answer(&asked, &head) {
        Answer::Complete => return Ok(()),
        Answer::Rest { total } => (asked.from, Some(total)),
        Answer::Whole { total, version } => {
            part.start_over(url, total, version)?;
            (0, total)
        }
        Answer::StartOver(fault) => {
            part.remove()?;
            return Err(Failed::Again(fault));
        }
        Answer::Again(fault) => return Err(Failed::Again(fault)),
        Answer::GiveUp(fault) => return Err(Failed::Fault(fault)),
    };
    if let Some(total) = total {
        let needed = (total - from).saturating_add(total.saturating_mul(UNPACKED_PER_BYTE));
        space::check(part.directory(), needed)?;
    }
    append(response, part, from, total, report)
}

/// Writes what comes behind what there is.
fn append(
    response: Response<Body>,
    part: &Part,
    from: u64,
    total: Option<u64>,
    report: &mut Report<'_>,
) -> Result<(), Failed> {
    let mut file = part.append(from)?;
    let most = total.unwrap_or(MAX_FILE) - from;
    let mut left = most;

    let step = Step { doing: "downloading", file: part.name(), start: from, total };
    // One more than there may be: that it comes is the fault.
    let mut body = response.into_body().into_reader().take(most.saturating_add(1));
    let poured = pour(&mut body, &step, report, |piece| {
        left = left.saturating_sub(piece.len() as u64);
        file.write_all(piece)
    });
    let came = match poured {
        Ok(came) => came,
        Err(PourError::Read(error)) => return Err(Failed::Again(DownloadFault::Body(error))),
        Err(PourError::Write(error)) => {
            return Err(InstallError::write(part.path(), left, error).into());
        }
    };
    match total {
        _ if came > most => {
            part.remove()?;
            Err(Failed::Fault(DownloadFault::TooLong))
        }
        Some(announced) if came < most => {
            Err(Failed::Again(DownloadFault::Short { came: from + came, announced }))
        }
        _ => Ok(()),
    }
}

/// What the answer says before its content.
fn head(response: &Response<Body>) -> Head {
    let text = |name: HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    Head {
        status: response.status().as_u16(),
        length: response.body().content_length(),
        range: text(header::CONTENT_RANGE),
        version: Version::of(text(header::ETAG), text(header::LAST_MODIFIED)),
    }
}

/// Whether another attempt is of use, by what failed.
fn failed(error: Error) -> Failed {
    let tls = match &error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref().and_then(|error| error.downcast_ref()),
        _ => None,
    };
    if let Some(error @ rustls::Error::InvalidCertificate(_)) = tls {
        return Failed::Fault(DownloadFault::Untrusted(error.clone()));
    }
    let again = matches!(
        error,
        Error::Io(_)
            | Error::Timeout(_)
            | Error::HostNotFound
            | Error::ConnectionFailed
            | Error::ConnectProxyFailed(_)
            | Error::Protocol(_)
    );
    let fault = DownloadFault::Request(Box::new(error));
    if again { Failed::Again(fault) } else { Failed::Fault(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_without_the_proxy() {
        for url in
            ["http://127.0.0.1:80/a", "http://localhost/a", "http://[::1]:8/", "http://LocalHost"]
        {
            assert!(is_here(url), "{url}");
        }
        for url in ["http://10.0.0.1/a", "https://localhost.example/a", "no url at all"] {
            assert!(!is_here(url), "{url}");
        }
    }
}
