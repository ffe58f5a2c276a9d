//! Where a circuit comes from.

use std::{fmt, path::PathBuf};

use ureq::http::Uri;

use crate::circuits::Snark;

/// Where a circuit comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with its files.
    Directory(PathBuf),
    /// A `.tar.gz` with its files.
    Archive(PathBuf),
    /// The same, on a server: `http://` or `https://`.
    Url(String),
}

/// Text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No address.
    #[error("`{0}` is no address: give http://HOST/FILE or https://HOST/FILE")]
    Url(String),
    /// No file.
    #[error(
        "there is no `{0}`: give a folder, a .tar.gz file, or an address with http:// or https://"
    )]
    NotFound(String),
}

impl Source {
    /// Reads what a user gave.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it is neither an address nor there.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.contains("://") {
            let bad = || SourceError::Url(redacted(text));
            let uri: Uri = text.parse().map_err(|_| bad())?;
            let known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
            return if known { Ok(Self::Url(text.to_owned())) } else { Err(bad()) };
        }
        let path = PathBuf::from(text);
        match path.metadata() {
            Ok(found) if found.is_dir() => Ok(Self::Directory(path)),
            Ok(_) => Ok(Self::Archive(path)),
            Err(_) => Err(SourceError::NotFound(text.to_owned())),
        }
    }

    /// What SP1 publishes.
    #[must_use]
    pub fn official(snark: Snark) -> Self {
        Self::Url(snark.official_url())
    }
}

impl fmt::Display for Source {
    /// Without what may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) | Self::Archive(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address without user, password and query, where signatures are.
pub(super) fn redacted(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_folders_and_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tar.gz");
        std::fs::write(&file, []).unwrap();
        let text = |path: &std::path::Path| path.display().to_string();
        let url = "https://host/a.tar.gz?signature=s";
        assert_eq!(Source::parse(url), Ok(Source::Url(url.to_owned())));
        assert_eq!(
            Source::parse(&text(folder.path())),
            Ok(Source::Directory(folder.path().to_owned()))
        );
        assert_eq!(Source::parse(&text(&file)), Ok(Source::Archive(file)));
    }

    #[test]
    fn what_is_no_source_is_refused_with_what_to_give() {
        for text in ["ftp://host/a", "https://", "http:// /", "://"] {
            assert_eq!(Source::parse(text), Err(SourceError::Url(text.to_owned())), "{text}");
        }
        let error = Source::parse("/no/such").unwrap_err();
        assert!(error.to_string().starts_with("there is no `/no/such`: give a folder"), "{error}");
    }

    #[test]
    fn no_password_and_no_signature_is_shown() {
        let source = Source::Url("https://me:secret@host:8/a@b.tar.gz?token=secret#x".to_owned());
        assert_eq!(source.to_string(), "https://host:8/a@b.tar.gz");
        assert_eq!(format!("{source:?}"), "https://host:8/a@b.tar.gz");
        assert_eq!(redacted("http://me:secret@host"), "http://host");
    }
}
