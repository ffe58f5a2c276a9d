//! The folder for temporary files, where SP1 writes its executor and starts it.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use rustix::fs::StatVfsMountFlags;

/// No program can be started from the folder for temporary files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is mounted noexec, and SP1 starts its executor from there: mount it exec (a container's `--tmpfs /tmp:exec`), or set TMPDIR to a folder where programs may start",
    .folder.display()
)]
pub struct NotExecutable {
    /// The folder.
    pub folder: PathBuf,
}

/// Whether programs may be started from the folder for temporary files. Where it cannot be told, they may.
///
/// # Errors
///
/// [`NotExecutable`].
pub fn check() -> Result<(), NotExecutable> {
    let folder = env::temp_dir();
    match is_noexec(&folder) {
        Ok(true) => Err(NotExecutable { folder }),
        _ => Ok(()),
    }
}

fn is_noexec(folder: &Path) -> io::Result<bool> {
    Ok(rustix::fs::statvfs(folder)?.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_apart_by_their_mount() {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let mut noexec = mounts.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (folder, options) = (fields.next()?, fields.nth(1)?);
            // Another mount may lie over one that is listed first, and some folders are not for everybody.
            let is_last =
                mounts.lines().filter(|line| line.split(' ').nth(1) == Some(folder)).count() == 1;
            (is_last && options.split(',').any(|option| option == "noexec")).then_some(folder)
        });
        match noexec.find(|folder| is_noexec(Path::new(folder)).is_ok()) {
            Some(folder) => assert!(is_noexec(Path::new(folder)).unwrap(), "{folder}"),
            None => println!("SKIPPED: nothing is mounted noexec here"),
        }
        assert!(!is_noexec(env::current_exe().unwrap().parent().unwrap()).unwrap());
        assert!(is_noexec(Path::new("/no such folder")).is_err());
    }

    #[test]
    fn the_remedy_is_named() {
        let text = NotExecutable { folder: "/tmp".into() }.to_string();
        assert!(text.contains("/tmp is mounted noexec") && text.contains("TMPDIR"), "{text}");
    }
}
