//! Replacing a file so that a crash at any point leaves the old content or the new, never a mixture.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The steps of replacing a file, one system call each, so that a test can end between any two.
pub(crate) trait Disk {
    /// Makes the file, or empties it, and writes `bytes`.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the file's content survives a loss of power.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Puts `from` in the place of `to`, at once.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the folder's names survive a loss of power.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file; one that is not there is as good.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all(bytes)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Replaces the content of `path`, or makes it. When this returns the new content survives a loss of
/// power; when it fails the old content is there, and what was half-written is removed if possible.
pub(crate) fn replace(disk: &impl Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path)?;
    let written = disk
        .write(&temporary, bytes)
        .and_then(|()| disk.sync_file(&temporary))
        .and_then(|()| disk.rename(&temporary, path));
    if let Err(error) = written {
        // The first failure is the one to report; a file that stays is overwritten by the next attempt.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    disk.sync_dir(folder(path))
}

/// Where the next content of `path` is written: beside it, because only within one file system is a
/// rename one step.
pub(crate) fn temporary(path: &Path) -> io::Result<PathBuf> {
    suffixed(path, ".lc-tmp")
}

/// `path` with `suffix` after its name.
pub(crate) fn suffixed(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
    let mut name = path.file_name().ok_or_else(no_name)?.to_owned();
    name.push(suffix);
    Ok(path.with_file_name(name))
}

/// The folder that `path` is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
pub(crate) mod model {
    //! A disk that crashes: it knows what would survive a loss of power at each step.

    use std::{
        cell::{Cell, RefCell},
        collections::BTreeMap,
    };

    use super::*;

    /// A file: what programs see, and what is certain to survive.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct Node {
        seen: Vec<u8>,
        synced: Vec<u8>,
    }

    /// Names and files. A name that is not synced may or may not survive.
    #[derive(Debug, Default)]
    pub(crate) struct CrashingDisk {
        nodes: RefCell<Vec<Node>>,
        seen: RefCell<BTreeMap<PathBuf, usize>>,
        synced: RefCell<BTreeMap<PathBuf, usize>>,
        steps_left: Cell<Option<usize>>,
    }

    impl CrashingDisk {
        /// From now on the step after `steps` fails, and so does every later one.
        pub(crate) fn crash_after(&self, steps: usize) {
            self.steps_left.set(Some(steps));
        }

        /// Every content that `path` can have after a loss of power now.
        pub(crate) fn after_power_loss(&self, path: &Path) -> Vec<Option<Vec<u8>>> {
            let mut contents = Vec::new();
            for names in [&self.seen, &self.synced] {
                match names.borrow().get(path) {
                    None => contents.push(None),
                    Some(&node) => {
                        let Node { seen, synced } = self.nodes.borrow()[node].clone();
                        if seen != synced {
                            // Any part of what was not synced may be there.
                            contents.push(Some(seen[..seen.len() / 2].to_vec()));
                        }
                        contents.extend([Some(seen), Some(synced)]);
                    }
                }
            }
            contents
        }

        fn step(&self) -> io::Result<()> {
            match self.steps_left.get() {
                Some(0) => return Err(io::Error::other("the machine is gone")),
                Some(steps) => self.steps_left.set(Some(steps - 1)),
                None => {}
            }
            Ok(())
        }

        fn node(&self, path: &Path) -> io::Result<usize> {
            self.seen.borrow().get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    impl Disk for CrashingDisk {
        fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
            let crashed = self.step();
            let mut nodes = self.nodes.borrow_mut();
            let mut seen = self.seen.borrow_mut();
            let node = *seen.entry(path.to_owned()).or_insert_with(|| {
                nodes.push(Node::default());
                nodes.len() - 1
            });
            // A crash in the middle of a write leaves a part of it.
            let written = if crashed.is_ok() { bytes.len() } else { bytes.len() / 3 };
            nodes[node].seen = bytes[..written].to_vec();
            crashed
        }

        fn sync_file(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            let node = self.node(path)?;
            let mut nodes = self.nodes.borrow_mut();
            nodes[node].synced = nodes[node].seen.clone();
            Ok(())
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step()?;
            let node = self.node(from)?;
            let mut seen = self.seen.borrow_mut();
            seen.remove(from);
            seen.insert(to.to_owned(), node);
            Ok(())
        }

        fn sync_dir(&self, _path: &Path) -> io::Result<()> {
            self.step()?;
            *self.synced.borrow_mut() = self.seen.borrow().clone();
            Ok(())
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            self.seen.borrow_mut().remove(path);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{model::CrashingDisk, *};

    const OLD: &[u8] = b"the old content";
    const NEW: &[u8] = b"the new one";
    /// Write, sync, rename, sync of the folder.
    const STEPS: usize = 4;

    #[test]
    fn a_loss_of_power_at_any_step_leaves_the_old_content_or_the_new() {
        let path = Path::new("folder/store");
        for steps in 0..=STEPS {
            let disk = CrashingDisk::default();
            replace(&disk, path, OLD).unwrap();
            disk.crash_after(steps);
            let replaced = replace(&disk, path, NEW);
            assert_eq!(replaced.is_ok(), steps == STEPS, "{steps} steps");
            for content in disk.after_power_loss(path) {
                let content = content.expect("the file is there");
                assert!(content == OLD || content == NEW, "{steps} steps: {content:?}");
                assert!(content == NEW || steps < STEPS, "done, and yet the old content is there");
            }
        }
    }

    #[test]
    fn a_loss_of_power_while_a_file_is_first_made_leaves_it_whole_or_not_there() {
        let path = Path::new("store");
        for steps in 0..=STEPS {
            let disk = CrashingDisk::default();
            disk.crash_after(steps);
            assert_eq!(replace(&disk, path, NEW).is_ok(), steps == STEPS, "{steps} steps");
            for content in disk.after_power_loss(path) {
                assert!(content.as_deref().is_none_or(|content| content == NEW), "{steps} steps");
            }
        }
    }

    /// The order of the steps is what the two tests above depend on: without the first sync they fail.
    #[test]
    fn the_model_loses_what_was_renamed_before_it_was_synced() {
        let disk = CrashingDisk::default();
        disk.write(Path::new("a"), NEW).unwrap();
        disk.rename(Path::new("a"), Path::new("b")).unwrap();
        disk.sync_dir(Path::new(".")).unwrap();
        let contents = disk.after_power_loss(Path::new("b"));
        assert!(contents.contains(&Some(Vec::new())), "{contents:?}");
    }

    #[test]
    fn a_failed_step_on_a_real_disk_leaves_the_old_content_and_no_temporary_file() {
        struct Failing(&'static str);
        impl Failing {
            fn at(&self, step: &str) -> io::Result<()> {
                if self.0 == step { Err(io::Error::other("injected")) } else { Ok(()) }
            }
        }
        impl Disk for Failing {
            fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
                let written = self.at("write");
                let bytes = if written.is_ok() { bytes } else { &bytes[..3] };
                RealDisk.write(path, bytes).and(written)
            }
            fn sync_file(&self, path: &Path) -> io::Result<()> {
                self.at("sync_file").and_then(|()| RealDisk.sync_file(path))
            }
            fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
                self.at("rename").and_then(|()| RealDisk.rename(from, to))
            }
            fn sync_dir(&self, path: &Path) -> io::Result<()> {
                RealDisk.sync_dir(path)
            }
            fn remove(&self, path: &Path) -> io::Result<()> {
                RealDisk.remove(path)
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        replace(&RealDisk, &path, OLD).unwrap();
        for step in ["write", "sync_file", "rename"] {
            assert!(replace(&Failing(step), &path, NEW).is_err(), "{step}");
            assert_eq!(fs::read(&path).unwrap(), OLD, "{step}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{step}");
        }
        replace(&RealDisk, &path, NEW).unwrap();
        assert_eq!(fs::read(&path).unwrap(), NEW);
    }

    #[test]
    fn a_path_without_a_name_is_refused_before_anything_is_written() {
        let error = replace(&RealDisk, Path::new("/"), NEW).unwrap_err();
        assert_eq!(error.to_string(), "the path has no file name");
        assert_eq!(folder(Path::new("store")), Path::new("."));
    }
}
