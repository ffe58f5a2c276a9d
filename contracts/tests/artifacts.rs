//! The committed bytecode is of the sources beside it. `make contracts-check` compiles them again; this needs no compiler.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use alloy_primitives::{B256, keccak256};
use serde_json::Value;

const ARTIFACTS: [&str; 5] =
    ["EthereumLightClient", "SP1Verifier", "SP1VerifierPlonk", "StandInVerifier", "SupplyMirror"];

/// As `build.mjs` does: what was exported for the recorded circuit lies beside the proofs.
fn read(path: &str) -> String {
    let path = path.replace("test/dev/", "../artifacts/snarks/");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// The source files of an artifact, and the hashes that the compiler saw.
fn sources(artifact: &str) -> BTreeMap<String, B256> {
    let artifact: Value = serde_json::from_str(&read(artifact)).unwrap();
    serde_json::from_value(artifact["sources"].clone()).unwrap()
}

#[test]
fn the_artifacts_are_of_these_sources() {
    let mut compiled = BTreeMap::new();
    for name in ARTIFACTS {
        let artifact = format!("artifacts/{name}.json");
        for (path, hash) in sources(&artifact) {
            assert_eq!(keccak256(read(&path)), hash, "{path} changed: run `make contracts`");
            compiled.insert(path, hash);
        }
    }
    for folder in ["src", "test"] {
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = format!("{folder}/{}", file.unwrap().file_name().into_string().unwrap());
            assert!(compiled.contains_key(&path), "{path} is in no artifact");
        }
    }
}

#[test]
fn the_artifacts_name_the_compiler_that_is_pinned() {
    let package: Value = serde_json::from_str(&read("package.json")).unwrap();
    let pinned = package["devDependencies"]["solc"].as_str().unwrap();
    for name in ARTIFACTS {
        let artifact: Value =
            serde_json::from_str(&read(&format!("artifacts/{name}.json"))).unwrap();
        let compiler = artifact["solc"].as_str().unwrap();
        assert!(compiler.starts_with(&format!("{pinned}+")), "{name} is of solc {compiler}");
    }
}
