//! What to make of a server's answer: decided on values, so that every odd server is a line of a table.

use serde::{Deserialize, Serialize};

use super::DownloadFault;
use crate::circuits::snark::MAX_FILE;

/// What tells one version of a file from another (RFC 9110, section 13.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Version {
    /// A strong entity tag.
    ETag(String),
    /// The date of the last change.
    LastModified(String),
}

impl Version {
    /// A weak tag stands for files that only mean the same: their bytes cannot be put together.
    pub(super) fn of(etag: Option<String>, last_modified: Option<String>) -> Option<Self> {
        let strong = etag.filter(|etag| etag.starts_with('"'));
        strong.map(Self::ETag).or_else(|| last_modified.map(Self::LastModified))
    }

    /// For `If-Range`.
    pub(super) fn text(&self) -> &str {
        let (Self::ETag(text) | Self::LastModified(text)) = self;
        text
    }
}

/// What was asked for: all, or the bytes from `from` of this version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Asked {
    pub(super) from: u64,
    pub(super) version: Option<Version>,
    /// Bytes of the file, if the server said so before.
    pub(super) total: Option<u64>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) length: Option<u64>,
    pub(super) range: Option<String>,
    pub(super) version: Option<Version>,
}

/// What to do.
#[derive(Debug)]
pub(super) enum Answer {
    /// Take the content as the file from its start.
    Whole { total: Option<u64>, version: Option<Version> },
    /// Take the content as what follows.
    Rest { total: u64 },
    /// Nothing is missing.
    Complete,
    /// Throw away what there is, and ask for all.
    StartOver(DownloadFault),
    /// Ask once more.
    Again(DownloadFault),
    /// Say so and end.
    GiveUp(DownloadFault),
}

pub(super) fn answer(asked: &Asked, head: &Head) -> Answer {
    match head.status {
        200 if head.length.is_some_and(|length| length > MAX_FILE) => {
            Answer::GiveUp(DownloadFault::TooLong)
        }
        200 => Answer::Whole { total: head.length, version: head.version.clone() },
        206 | 416 if asked.from > 0 => partial(asked, head),
        // Request timeout, too many requests, and whatever is wrong on their side.
        status @ (408 | 429 | 500..=599) => Answer::Again(DownloadFault::Status(status)),
        status => Answer::GiveUp(DownloadFault::Status(status)),
    }
}

/// An answer to the request for a part.
fn partial(asked: &Asked, head: &Head) -> Answer {
    let range = head.range.as_deref();
    if head.status == 416 {
        let total = range.and_then(unsatisfied).or(asked.total);
        if total == Some(asked.from) {
            return Answer::Complete;
        }
    } else if let Some((first, total)) = range.and_then(satisfied) {
        let same_version = head.version.is_none() || head.version == asked.version;
        let same_length = asked.total.is_none_or(|before| before == total);
        if first == asked.from && same_version && same_length && total <= MAX_FILE {
            return Answer::Rest { total };
        }
    }
    let answered = range.unwrap_or("no Content-Range").chars().take(80).collect();
    Answer::StartOver(DownloadFault::Range { from: asked.from, answered })
}

/// First byte and length of the file in `bytes 3-9/10`.
fn satisfied(range: &str) -> Option<(u64, u64)> {
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last, total): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (first <= last && last < total).then_some((first, total))
}

/// Length of the file in `bytes */10`.
fn unsatisfied(range: &str) -> Option<u64> {
    range.strip_prefix("bytes */")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Option<Version> {
        Some(Version::ETag(text.to_owned()))
    }

    /// Five bytes of ten are there.
    fn asked() -> Asked {
        Asked { from: 5, version: tag("\"a\""), total: Some(10) }
    }

    fn head(status: u16, range: &str) -> Head {
        Head { status, length: Some(5), range: Some(range.to_owned()), version: tag("\"a\"") }
    }

    #[test]
    fn the_rest_is_taken_only_if_it_is_the_rest_of_the_same_file() {
        let good = head(206, "bytes 5-9/10");
        assert!(matches!(answer(&asked(), &good), Answer::Rest { total: 10 }));
        let unnamed = Head { version: None, ..good.clone() };
        assert!(matches!(answer(&asked(), &unnamed), Answer::Rest { total: 10 }));
        let shorter = head(206, "bytes 5-6/10");
        assert!(matches!(answer(&asked(), &shorter), Answer::Rest { total: 10 }));
        for range in [
            "bytes 4-9/10",
            "bytes 6-9/10",
            "bytes 5-9/11",
            "bytes 5-10/10",
            "bytes 9-5/10",
            "bytes 5-9/*",
            "bytes */10",
            "5-9/10",
            "bytes 5-18446744073709551616/10",
            "",
        ] {
            let Answer::StartOver(fault) = answer(&asked(), &head(206, range)) else {
                panic!("{range}");
            };
            let text = fault.to_string();
            assert!(text.contains(&format!("answered with `{range}`")), "{text}");
        }
        let other = Head { version: tag("\"b\""), ..good.clone() };
        assert!(matches!(answer(&asked(), &other), Answer::StartOver(_)));
        let none = Head { range: None, ..good };
        assert!(matches!(answer(&asked(), &none), Answer::StartOver(_)));
    }

    #[test]
    fn a_whole_file_is_taken_from_its_start_whatever_was_asked_for() {
        for asked in [asked(), Asked::default()] {
            let answer = answer(&asked, &Head { status: 200, length: Some(7), ..Head::default() });
            assert!(
                matches!(answer, Answer::Whole { total: Some(7), version: None }),
                "{answer:?}"
            );
        }
        let long = Head { status: 200, length: Some(MAX_FILE + 1), ..Head::default() };
        assert!(matches!(answer(&asked(), &long), Answer::GiveUp(DownloadFault::TooLong)));
    }

    #[test]
    fn nothing_is_missing_if_the_file_ends_where_the_request_began() {
        let whole = Asked { from: 10, ..asked() };
        assert!(matches!(answer(&whole, &head(416, "bytes */10")), Answer::Complete));
        let silent = Head { range: None, ..head(416, "") };
        assert!(matches!(answer(&whole, &silent), Answer::Complete));
        assert!(matches!(answer(&whole, &head(416, "bytes */9")), Answer::StartOver(_)));
        assert!(matches!(answer(&asked(), &silent), Answer::StartOver(_)));
    }

    #[test]
    fn servers_in_trouble_are_asked_again_and_others_are_not() {
        for status in [408, 429, 500, 502, 503, 504] {
            let answer = answer(&asked(), &Head { status, ..Head::default() });
            assert!(matches!(answer, Answer::Again(DownloadFault::Status(_))), "{answer:?}");
        }
        for status in [204, 301, 400, 401, 403, 404, 410] {
            let answer = answer(&asked(), &Head { status, ..Head::default() });
            assert!(matches!(answer, Answer::GiveUp(DownloadFault::Status(_))), "{answer:?}");
        }
        // A part that nobody asked for.
        for status in [206, 416] {
            let answer = answer(&Asked::default(), &head(status, "bytes 0-9/10"));
            assert!(matches!(answer, Answer::GiveUp(DownloadFault::Status(_))), "{answer:?}");
        }
    }

    #[test]
    fn only_what_names_the_very_bytes_is_a_version() {
        let date = || Some("Fri, 27 Nov 2026 12:00:00 GMT".to_owned());
        let of = |etag: &str, date| Version::of(Some(etag.to_owned()), date);
        assert_eq!(of("\"a\"", date()), tag("\"a\""));
        assert_eq!(of("W/\"a\"", date()), date().map(Version::LastModified));
        assert_eq!(of("W/\"a\"", None), None);
        assert_eq!(Version::of(None, None), None);
    }
}
