//! The source that was measured.

use std::{io, path::Path, process::Command};

use serde::{Deserialize, Serialize};

use super::command;

/// A revision, and whether the source was that revision's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// 40 hex digits, or 64.
    pub revision: String,
    /// Whether a file that git follows differed from the revision.
    pub dirty: bool,
    /// When it was committed: seconds since 1970. Reports order revisions by it.
    pub committed_unix_seconds: Option<u64>,
}

/// The revision could not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// `git` hung.
    #[error("`git` gave no answer: run it by hand, or name the revision yourself")]
    Command(#[source] io::Error),
    /// What was named is no revision.
    #[error(
        "{0:?} is no revision: give 40 or 64 hex digits, with `-dirty` after them for a changed source"
    )]
    Revision(String),
}

impl Git {
    /// The revision of the checkout that `folder` lies in; `None` outside a checkout and where there is no `git`.
    ///
    /// `told` is for a copy of the source without its history, as on a machine rented for a day: the
    /// revision in full, with `-dirty` after it for a changed source. Then `git` is not asked.
    ///
    /// # Errors
    ///
    /// [`GitError`] if `git` hangs, or `told` is no revision.
    pub fn detect(folder: &Path, told: Option<&str>) -> Result<Option<Self>, GitError> {
        if let Some(told) = told {
            return Self::parse(told).map(Some);
        }
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder).args(arguments);
            command::answer(&mut command).map_err(GitError::Command)
        };
        let Some(head) = git(&["log", "-1", "--format=%H %ct"])? else { return Ok(None) };
        // A file that git does not follow changes nothing unless one that it follows names it.
        let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
        Ok(Self::from_answers(&head, &changes.unwrap_or_default()))
    }

    /// From what `git` printed. Pure.
    fn from_answers(head: &str, changes: &str) -> Option<Self> {
        let (revision, committed) = head.trim().split_once(' ')?;
        Some(Self {
            revision: is_revision(revision).then(|| revision.to_owned())?,
            dirty: !changes.trim().is_empty(),
            committed_unix_seconds: committed.parse().ok(),
        })
    }

    fn parse(told: &str) -> Result<Self, GitError> {
        let (revision, dirty) = match told.strip_suffix("-dirty") {
            Some(revision) => (revision, true),
            None => (told, false),
        };
        if !is_revision(revision) {
            return Err(GitError::Revision(told.chars().take(80).collect()));
        }
        Ok(Self { revision: revision.to_owned(), dirty, committed_unix_seconds: None })
    }

    /// As people are shown it: ten digits, and `+` where the source was changed.
    #[must_use]
    pub fn short(&self) -> String {
        let digits: String = self.revision.chars().take(10).collect();
        format!("{digits}{}", if self.dirty { "+" } else { "" })
    }
}

/// Whether it is the full name of a commit, by SHA-1 or SHA-256. Pure.
pub(super) fn is_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "dcf277079d1f3e8ab6f1c9c1c0f5c4b0a3e7d215";

    fn git(folder: &Path, arguments: &[&str]) {
        let status = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=n", "-c", "user.email=e@localhost"])
            .args(arguments)
            .status();
        assert!(status.unwrap().success(), "{arguments:?}");
    }

    #[test]
    fn a_checkout_tells_its_revision_and_a_changed_file_makes_it_dirty() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        git(here, &["init", "-q"]);
        std::fs::write(here.join("followed"), "1").unwrap();
        git(here, &["add", "."]);
        git(here, &["commit", "-q", "-m", "one"]);
        let clean = Git::detect(here, None).unwrap().unwrap();
        assert!(!clean.dirty && is_revision(&clean.revision));
        assert!(clean.committed_unix_seconds.is_some());

        std::fs::write(here.join("not-followed"), "1").unwrap();
        assert_eq!(Git::detect(here, None).unwrap().unwrap(), clean);
        std::fs::write(here.join("followed"), "2").unwrap();
        assert_eq!(Git::detect(here, None).unwrap(), Some(Git { dirty: true, ..clean }));
    }

    #[test]
    fn outside_a_checkout_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Git::detect(folder.path(), None).unwrap(), None);
    }

    #[test]
    fn a_revision_can_be_told_and_other_words_cannot() {
        let told = |text: &str| Git::detect(Path::new("/"), Some(text));
        let git = told(HEAD).unwrap().unwrap();
        assert_eq!((git.short().as_str(), git.dirty), ("dcf277079d", false));
        let git = told(&format!("{HEAD}-dirty")).unwrap().unwrap();
        assert_eq!((git.short().as_str(), git.dirty), ("dcf277079d+", true));
        for wrong in ["", "main", "dcf277079d", &HEAD.to_uppercase(), &format!("{HEAD}+")] {
            let error = told(wrong).unwrap_err();
            assert!(error.to_string().contains("is no revision: give 40"), "{error}");
        }
    }
}
