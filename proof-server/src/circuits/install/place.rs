//! A finished directory under its name, in one step.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::{InstallError, error::io_error};
use crate::circuits::exists;

/// Renames a directory. What had its new name before has the old one then, where the staging directory's drop
/// removes it.
pub(super) fn put(staging: &Path, place: &Path) -> Result<(), InstallError> {
    let renamed = if exists(place) { exchange(staging, place) } else { fs::rename(staging, place) };
    renamed.map_err(io_error("write", place))
}

/// In one step, so that there is never none; in three where the file system cannot, as over NFS.
fn exchange(staging: &Path, place: &Path) -> io::Result<()> {
    match renameat_with(CWD, staging, CWD, place, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => exchange_by_steps(staging, place),
        done => Ok(done?),
    }
}

fn exchange_by_steps(staging: &Path, place: &Path) -> io::Result<()> {
    let aside = staging.with_extension("old");
    fs::rename(place, &aside)?;
    fs::rename(staging, place)?;
    fs::rename(&aside, staging)
}

/// A name is on the disk once its directory is.
pub(super) fn sync_directory(path: &Path) -> Result<(), InstallError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(io_error("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_directories_change_places_in_one_step_or_in_three() {
        for exchange in [exchange, exchange_by_steps] {
            let folder = tempfile::tempdir().unwrap();
            let [new, old] = ["new", "old"].map(|name| folder.path().join(name));
            for (path, file) in [(&new, "a"), (&old, "b")] {
                fs::create_dir(path).unwrap();
                fs::write(path.join(file), []).unwrap();
            }
            exchange(&new, &old).unwrap();
            assert!(old.join("a").exists() && new.join("b").exists());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
    }
}
