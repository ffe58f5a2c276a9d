//! Reading what nodes and provers wrote, and writing proofs: bounded, whole or not at all.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use lc_core::{
    ChainSpec,
    alloy_primitives::{B256, Bytes},
    host::{
        ConfigError, Network,
        block_header::{BlockHeaderError, read_block_header},
        chain_spec_from_config_yaml,
        eth_get_proof::{EthGetProof, EthGetProofError},
    },
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate, ObjectError,
        file::{read_bootstrap, read_finality_update, read_updates},
    },
    statement::AccountProof,
};
use proof_server::types::{FrameError, Proof, ProofFileError};

use crate::store::disk::{self, Disk, RealDisk};

/// Largest file to read, 256 MiB: a proof file is at most some 64 MiB (the frame that brought it), a node's
/// answer a few. Beyond it somebody gave the wrong file, or one that never ends.
const MAX_FILE: u64 = 256 << 20;
/// Largest verifying key of a circuit to read, 1 MiB, as the verifier does: SP1's are 492 bytes and 34 kB.
const MAX_CIRCUIT_KEY: u64 = 1 << 20;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is far larger than anything that is asked for.
    #[error("{path} has more than {} MiB: give the file that a node or `light-client prove` wrote", MAX_FILE >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is there already and holds something else.
    #[error("{path} is there and is no proof file: give another path for the proof")]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// It is not the light-client object that it should be.
    #[error("{path}")]
    Object {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ObjectError,
    },
    /// It is not an answer to `eth_getProof`.
    #[error("{path}")]
    AccountProof {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: EthGetProofError,
    },
    /// It is not an execution block's header.
    #[error("{path}")]
    BlockHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BlockHeaderError,
    },
    /// It is not a proof.
    #[error("{path}")]
    Proof {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ProofFileError,
    },
    /// It is not a circuit's verifying key, by its size.
    #[error(
        "{path} {fault}: give the groth16_vk.bin or plonk_vk.bin that was written when the circuit was set up"
    )]
    CircuitKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A proof that cannot be encoded.
    #[error("the proof cannot be written as a file")]
    Encode(#[source] FrameError),
    /// It is no chain's `config.yaml`, or the network needs one more word.
    #[error("network {network}")]
    Network {
        /// The name or path given.
        network: String,
        /// What is wrong with it.
        #[source]
        source: ConfigError,
    },
    /// Neither a built-in network nor a file.
    #[error(
        "no network or file {0}: it is mainnet, sepolia, hoodi, minimal or the path of a config.yaml"
    )]
    NoNetwork(String),
}

/// The bytes of a file of reasonable size.
///
/// # Errors
/// [`FileError::Read`], [`FileError::TooLarge`].
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    read_up_to(MAX_FILE, path)?.ok_or_else(|| FileError::TooLarge { path: path.to_owned() })
}

/// The bytes of a file; none if there are more than `limit`.
fn read_up_to(limit: u64, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let fault = |source| FileError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(fault)?.take(limit + 1).read_to_end(&mut bytes).map_err(fault)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The bootstrap in a file: SSZ, or the beacon API's JSON.
///
/// # Errors
/// [`FileError`] names the file.
pub fn bootstrap(spec: &ChainSpec, path: &Path) -> Result<LightClientBootstrap, FileError> {
    object(path, |bytes| read_bootstrap(spec, bytes))
}

/// The updates in some files, in order: each one SSZ object, the beacon API's SSZ stream, or its JSON.
///
/// # Errors
/// [`FileError`] names the file.
pub fn updates(spec: &ChainSpec, paths: &[PathBuf]) -> Result<Vec<LightClientUpdate>, FileError> {
    let mut updates = Vec::new();
    for path in paths {
        updates.extend(object(path, |bytes| read_updates(spec, bytes))?);
    }
    Ok(updates)
}

/// The finality update in a file: SSZ, or the beacon API's JSON.
///
/// # Errors
/// [`FileError`] names the file.
pub fn finality_update(
    spec: &ChainSpec,
    path: &Path,
) -> Result<LightClientFinalityUpdate, FileError> {
    object(path, |bytes| read_finality_update(spec, bytes))
}

/// The answers to `eth_getProof` in some files, one in each.
///
/// # Errors
/// [`FileError`] names the file.
pub fn account_proofs(paths: &[PathBuf]) -> Result<Vec<AccountProof>, FileError> {
    let read = |path: &PathBuf| {
        let answer = EthGetProof::from_json(&read(path)?);
        let answer =
            answer.map_err(|source| FileError::AccountProof { path: path.clone(), source })?;
        Ok(answer.account_proof())
    };
    paths.iter().map(read).collect()
}

/// The RLP of the execution block's header in a file: that RLP, its hex, or the answer to `debug_getRawHeader` or
/// `eth_getBlockByHash`.
///
/// # Errors
/// [`FileError`] names the file.
pub fn execution_header(path: &Path) -> Result<Bytes, FileError> {
    read_block_header(&read(path)?)
        .map_err(|source| FileError::BlockHeader { path: path.to_owned(), source })
}

/// The verifying key of a circuit in a file, as gnark writes it. Only its size is checked: a file that is something
/// else verifies no proof.
///
/// # Errors
/// [`FileError`] names the file.
pub fn circuit_key(path: &Path) -> Result<Vec<u8>, FileError> {
    let fault = |fault| FileError::CircuitKey { path: path.to_owned(), fault };
    let key = read_up_to(MAX_CIRCUIT_KEY, path)?;
    let key = key.ok_or_else(|| fault("has more than 1 MiB and is no verifying key"))?;
    if key.is_empty() { Err(fault("is empty")) } else { Ok(key) }
}

/// The proof in a file. Nothing is verified.
///
/// # Errors
/// [`FileError`] names the file.
pub fn proof(path: &Path) -> Result<Proof, FileError> {
    Proof::from_file(&read(path)?)
        .map_err(|source| FileError::Proof { path: path.to_owned(), source })
}

/// Writes a proof file, whole or not at all, in the place of what was there.
///
/// # Errors
/// [`FileError::Write`], [`FileError::Encode`].
pub fn write_proof(path: &Path, proof: &Proof) -> Result<(), FileError> {
    let bytes = proof.to_file().map_err(FileError::Encode)?;
    disk::replace(&RealDisk, path, &bytes).map_err(|source| write_fault(path, source))
}

/// Whether [`write_proof`] has a place to write to: better to hear it before an hour of proving. Only an
/// older proof is ever replaced, so that a slip does not cost a store or a node's answer.
///
/// # Errors
/// [`FileError::Write`], [`FileError::InTheWay`].
pub fn check_writable(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Err(write_fault(path, io::ErrorKind::IsADirectory.into()));
    }
    // A device or pipe is no file, and would be replaced by one.
    if path.exists() && !(path.is_file() && proof(path).is_ok()) {
        return Err(FileError::InTheWay { path: path.to_owned() });
    }
    let probe = || {
        let temporary = disk::temporary(path)?;
        RealDisk.write(&temporary, &[])?;
        RealDisk.remove(&temporary)
    };
    probe().map_err(|source| write_fault(path, source))
}

/// The constants of a chain, by the name of a built-in network or the path of a `config.yaml`.
///
/// # Errors
/// [`FileError`] says what is missing.
pub fn chain(network: &str, genesis_validators_root: Option<B256>) -> Result<ChainSpec, FileError> {
    let fault = |source| FileError::Network { network: network.to_owned(), source };
    if let Ok(network) = network.parse::<Network>() {
        return network.chain_spec(genesis_validators_root).map_err(fault);
    }
    let path = Path::new(network);
    if !path.exists() {
        return Err(FileError::NoNetwork(network.to_owned()));
    }
    let yaml = String::from_utf8_lossy(&read(path)?).into_owned();
    let root =
        genesis_validators_root.ok_or_else(|| fault(ConfigError::NoGenesisValidatorsRoot))?;
    chain_spec_from_config_yaml(&yaml, root).map_err(fault)
}

fn object<T>(
    path: &Path,
    decode: impl FnOnce(&[u8]) -> Result<T, ObjectError>,
) -> Result<T, FileError> {
    decode(&read(path)?).map_err(|source| FileError::Object { path: path.to_owned(), source })
}

fn write_fault(path: &Path, source: io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::{fs, slice::from_ref};

    use super::*;
    use crate::{
        statement::Statement,
        testing::{chain as minimal, change, finality_update as finality, proof_of, update},
    };

    #[test]
    fn a_proof_is_written_whole_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("change.proof");
        let written = proof_of(&Statement::CommitteeChange(change()));
        check_writable(&path).unwrap();
        assert!(!path.exists());
        write_proof(&path, &written).unwrap();
        check_writable(&path).expect("an older proof may be replaced");
        assert_eq!(proof(&path).unwrap(), written);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_before_proving() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("none/x.proof")] {
            let error = check_writable(&path).unwrap_err();
            assert!(error.to_string().starts_with("cannot write "), "{error}");
        }
    }

    #[test]
    fn nothing_but_a_proof_is_ever_replaced_by_a_proof() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        fs::write(&path, b"lcstore").unwrap();
        for path in [path.as_path(), Path::new("/dev/null")] {
            let error = check_writable(path).unwrap_err();
            assert!(matches!(error, FileError::InTheWay { .. }), "{error}");
        }
    }

    #[test]
    fn a_file_at_fault_is_named_with_its_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let missing = read(&path).unwrap_err();
        assert!(
            missing.to_string().contains("cannot read") && missing.to_string().contains("file")
        );
        fs::write(&path, "<html>").unwrap();
        let errors = [
            bootstrap(&minimal(), &path).unwrap_err(),
            updates(&minimal(), from_ref(&path)).unwrap_err(),
            finality_update(&minimal(), &path).unwrap_err(),
            account_proofs(from_ref(&path)).unwrap_err(),
            proof(&path).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.to_string(), path.display().to_string());
            assert!(std::error::Error::source(&error).is_some(), "{error:?}");
        }
    }

    #[test]
    fn a_circuits_key_is_read_as_it_is_unless_its_size_tells_that_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("groth16_vk.bin");
        let refused = || circuit_key(&path).unwrap_err();
        assert!(matches!(refused(), FileError::Read { .. }));
        fs::write(&path, vec![7; 1 << 20]).unwrap();
        assert_eq!(circuit_key(&path).unwrap(), vec![7; 1 << 20]);
        fs::write(&path, vec![7; (1 << 20) + 1]).unwrap();
        assert!(refused().to_string().contains("has more than 1 MiB"), "{}", refused());
        fs::write(&path, []).unwrap();
        let text = refused().to_string();
        assert!(text.contains("is empty: give the groth16_vk.bin or plonk_vk.bin"), "{text}");
    }

    #[test]
    fn updates_of_several_files_are_taken_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (5..8)
            .map(|period| {
                let path = folder.path().join(period.to_string());
                fs::write(&path, update(period).to_ssz(&minimal())).unwrap();
                path
            })
            .collect();
        let read = updates(&minimal(), &paths).unwrap();
        assert_eq!(read, [update(5), update(6), update(7)]);
        fs::write(&paths[0], finality(5).to_ssz(&minimal())).unwrap();
        assert_eq!(finality_update(&minimal(), &paths[0]).unwrap(), finality(5));
    }

    #[test]
    fn a_chain_is_found_by_name_or_by_file() {
        assert!(chain("mainnet", None).is_ok());
        let text = |error: FileError| std::error::Error::source(&error).map(ToString::to_string);
        let error = text(chain("minimal", None).unwrap_err());
        assert!(error.is_some_and(|error| error.contains("genesis validators root")));
        let error = chain("goerli", None).unwrap_err().to_string();
        assert!(error.contains("goerli") && error.contains("hoodi"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(
            &path,
            "PRESET_BASE: minimal\nALTAIR_FORK_VERSION: 0x01000001\nALTAIR_FORK_EPOCH: 0\n",
        )
        .unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(chain(name, Some(B256::ZERO)).unwrap().forks.len(), 1);
        assert!(matches!(chain(name, None), Err(FileError::Network { .. })));
    }
}
