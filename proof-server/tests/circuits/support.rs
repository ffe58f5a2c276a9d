//! Circuits that prove nothing, and a place to install them.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use proof_server::circuits::{
    Circuit, Circuits, FileHash, Install, InstallError, Installer, Official, Patience, Snark,
    Source,
};
use tar::{EntryType, Header};
use tempfile::TempDir;

/// The key that counts as official here.
pub(crate) const KEY: &[u8] = b"the official key";

/// A key that somebody made up.
pub(crate) const OTHER_KEY: &[u8] = b"a key of my own";

pub(crate) fn official() -> Official {
    let key = FileHash::of(KEY);
    Official { groth16: key, plonk: key }
}

/// Bytes that gzip cannot shorten, the same every time.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// All that SP1 has in an archive, with files that nobody installs.
pub(crate) fn files(snark: Snark, key: &[u8]) -> Files {
    let (name, contract) = match snark {
        Snark::Groth16 => ("groth16", "Groth16Verifier.sol"),
        Snark::Plonk => ("plonk", "PlonkVerifier.sol"),
    };
    vec![
        (contract.to_owned(), b"contract Verifier {}".to_vec()),
        (format!("{name}_circuit.bin"), noise(5000, 3)),
        (format!("{name}_pk.bin"), noise(300_000, 5)),
        (format!("{name}_vk.bin"), key.to_vec()),
        (format!("{name}_witness.json"), b"{}".to_vec()),
    ]
}

/// What is installed of them.
pub(crate) fn installed_names(snark: Snark) -> Vec<String> {
    let mut names: Vec<String> = files(snark, KEY).into_iter().map(|(name, _)| name).collect();
    names.retain(|name| !name.contains("witness"));
    names.push("circuit.json".to_owned());
    names.sort();
    names
}

pub(crate) fn write_files(folder: &Path, files: &Files) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

/// One entry of an archive, as it is: no library between the test and a bad name.
pub(crate) fn entry(name: &str, kind: EntryType, announced: u64, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(announced);
    header.set_mode(0o644);
    header.set_cksum();
    let padding = content.len().next_multiple_of(512) - content.len();
    [header.as_bytes(), content, &vec![0; padding]].concat()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An archive of these entries.
pub(crate) fn archive_of(entries: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[entries.concat(), vec![0; 1024]].concat())
}

/// The entries of an archive as `tar -C folder .` makes it.
pub(crate) fn entries(files: &Files) -> Vec<Vec<u8>> {
    let file = |(name, content): &(String, Vec<u8>)| {
        entry(&format!("./{name}"), EntryType::Regular, content.len() as u64, content)
    };
    let mut all = vec![entry("./", EntryType::Directory, 0, &[])];
    all.extend(files.iter().map(file));
    all
}

pub(crate) fn archive(files: &Files) -> Vec<u8> {
    archive_of(&entries(files))
}

/// A folder for circuits, and one for their sources.
pub(crate) struct Place {
    circuits: TempDir,
    sources: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { circuits: TempDir::new().unwrap(), sources: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.circuits.path()
    }

    /// A folder with these files.
    pub(crate) fn folder(&self, files: &Files) -> PathBuf {
        let folder = self.sources.path().join("folder");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        write_files(&folder, files);
        folder
    }

    /// A file with this content.
    pub(crate) fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.sources.path().join("archive.tar.gz");
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn installer(&self) -> Installer {
        Installer::lock(self.path(), official()).unwrap()
    }

    pub(crate) fn install(&self, what: &Install) -> Result<Circuit, InstallError> {
        self.installer().install(what, &mut |_| {})
    }

    pub(crate) fn open(&self) -> Circuits {
        Circuits::open(self.path(), &official())
    }

    /// What is in the folder, but for the lock.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = names(self.path());
        names.retain(|name| name != ".lock");
        names
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A Groth16 circuit from there, with no patience.
pub(crate) fn from(source: Source) -> Install {
    let patience = Patience {
        connect: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        retries: 2,
        pause: Duration::from_millis(1),
    };
    let snark = Snark::Groth16;
    Install { snark, source, sha256: None, development: false, replace: false, patience }
}
