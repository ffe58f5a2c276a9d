//! Whether the disk has room.

use std::path::Path;

use super::{INCOMPLETE, InstallError};

/// The folder that a user knows, of a file or directory in it.
pub(super) fn folder_of(path: &Path) -> &Path {
    let incomplete = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(INCOMPLETE.as_bytes()))
    };
    path.ancestors().find(|path| path.is_dir() && !incomplete(path)).unwrap_or(path)
}

/// Bytes that this user may still write there; `None` where the file system does not say.
pub(super) fn free(directory: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Refuses before the disk is full what would fill it.
pub(super) fn check(directory: &Path, needed: u64) -> Result<(), InstallError> {
    fits(folder_of(directory), needed, free(directory))
}

fn fits(directory: &Path, needed: u64, free: Option<u64>) -> Result<(), InstallError> {
    match free {
        Some(free) if free < needed => {
            Err(InstallError::DiskFull { directory: directory.to_owned(), free, needed })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_too_small_is_named_with_what_it_has_and_what_is_needed() {
        let directory = Path::new("/data/circuits");
        let error = fits(directory, 6 << 30, Some(3 << 29)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/data/circuits has 1.5 GiB free, and 6.0 GiB are needed: make room, or give another disk's --circuits DIR"
        );
        fits(directory, 10, Some(9)).unwrap_err();
    }

    #[test]
    fn the_folder_that_is_named_is_the_users_own() {
        let folder = tempfile::tempdir().unwrap();
        let staging = folder.path().join(".incomplete-groth16-7");
        std::fs::create_dir(&staging).unwrap();
        for path in
            [folder.path(), &staging, &staging.join("groth16_pk.bin"), &folder.path().join("a")]
        {
            assert_eq!(folder_of(path), folder.path(), "{}", path.display());
        }
    }

    #[test]
    fn a_disk_with_just_enough_or_of_unknown_size_is_tried() {
        let directory = Path::new("/data/circuits");
        fits(directory, 10, Some(10)).unwrap();
        fits(directory, u64::MAX, None).unwrap();
        assert!(free(Path::new("/")).is_some());
        assert_eq!(free(Path::new("/no such directory")), None);
    }
}
