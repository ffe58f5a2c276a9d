//! What is found of an installed circuit, and how it is told that it is damaged.

use std::{fs, path::PathBuf};

use proof_server::circuits::{Circuit, CircuitError, Install, Snark, Source};

use crate::support::{KEY, OTHER_KEY, Place, files, from};

/// A folder with these circuits for Groth16.
fn with(keys: &[&[u8]]) -> Place {
    let place = Place::new();
    for key in keys {
        let source = Source::Directory(place.folder(&files(Snark::Groth16, key)));
        place.install(&Install { development: *key != KEY, ..from(source) }).unwrap();
    }
    place
}

fn circuit(place: &Place) -> Circuit {
    place.open().best(Snark::Groth16).unwrap().clone()
}

fn fault(place: &Place) -> String {
    place.open().best(Snark::Groth16).unwrap_err().to_string()
}

#[test]
fn the_official_circuit_is_taken_and_the_other_one_only_without_it() {
    assert_eq!(circuit(&with(&[OTHER_KEY, KEY])).verifying_key, KEY);
    let place = with(&[OTHER_KEY]);
    assert_eq!(circuit(&place).verifying_key, OTHER_KEY);
    assert!(circuit(&place).id.development);
}

#[test]
fn a_circuit_that_is_not_installed_is_named_with_the_command_that_installs_it() {
    let place = with(&[KEY]);
    let circuits = place.open();
    let error = circuits.best(Snark::Plonk).unwrap_err();
    assert!(matches!(error, CircuitError::Missing { .. }));
    assert_eq!(
        error.to_string(),
        "the official plonk circuit is not installed: run `proof-server circuits install --mode plonk`"
    );
    let found: Vec<String> = circuits
        .all()
        .filter(|(_, circuit)| circuit.is_ok())
        .map(|(id, _)| id.to_string())
        .collect();
    assert_eq!(found, ["v6.1.0-groth16"]);
}

#[test]
fn every_damage_that_can_be_seen_at_once_is_named_with_its_file_and_remedy() {
    type Damage = fn(PathBuf);
    let cut: Damage = |dir| fs::write(dir.join("groth16_pk.bin"), b"short").unwrap();
    let lost: Damage = |dir| fs::remove_file(dir.join("groth16_circuit.bin")).unwrap();
    let key: Damage = |dir| fs::write(dir.join("groth16_vk.bin"), b"the OFFICIAL key").unwrap();
    let manifest: Damage = |dir| fs::write(dir.join("circuit.json"), b"{}").unwrap();
    let unfinished: Damage = |dir| fs::remove_file(dir.join("circuit.json")).unwrap();
    let endless: Damage = |dir| fs::write(dir.join("circuit.json"), vec![b' '; 2 << 20]).unwrap();
    for (damage, says) in [
        (cut, "groth16_pk.bin has 5 bytes where 300000 were installed"),
        (lost, "groth16_circuit.bin is missing"),
        (key, "groth16_vk.bin has SHA-256 "),
        (manifest, "circuit.json is not what this release writes (missing field"),
        (unfinished, "circuit.json is missing"),
        (endless, "circuit.json has more than 1048576 bytes"),
    ] {
        let place = with(&[KEY]);
        damage(circuit(&place).directory);
        let text = fault(&place);
        assert!(text.contains(says), "{text}");
        assert!(
            text.ends_with(": run `proof-server circuits install --mode groth16 --replace`"),
            "{text}"
        );
    }
}

#[test]
fn a_circuit_in_the_others_folder_is_not_used() {
    let place = with(&[OTHER_KEY]);
    let directory = place.path().join("v6.1.0-groth16");
    fs::rename(place.path().join("v6.1.0-groth16-dev"), &directory).unwrap();
    assert!(fault(&place).contains("circuit.json is of another circuit"), "{}", fault(&place));
    // With a manifest that lies as well.
    let manifest = directory.join("circuit.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"development\": true", "\"development\": false")).unwrap();
    assert!(
        fault(&place).contains("which is not the official key's: who made it could forge proofs")
    );

    let place = with(&[KEY]);
    let directory = place.path().join("v6.1.0-groth16-dev");
    fs::rename(place.path().join("v6.1.0-groth16"), &directory).unwrap();
    let manifest = directory.join("circuit.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"development\": false", "\"development\": true")).unwrap();
    let text = fault(&place);
    assert!(
        text.contains("is the official key, in the directory of a development circuit: run `proof-server circuits install --mode groth16 --development --from SOURCE --replace`"),
        "{text}"
    );
}

#[test]
fn a_check_reads_every_byte_and_names_each_file_that_changed() {
    let place = with(&[KEY]);
    let circuit = circuit(&place);
    let mut files = Vec::new();
    let found = circuit.check(&mut |event| {
        if let proof_server::circuits::Event::Progress { doing: "checking", file, done, total } =
            event
            && Some(done) == total
        {
            files.push(file.to_owned());
        }
    });
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(files.len(), 4);
    for name in ["groth16_pk.bin", "groth16_circuit.bin"] {
        let path = circuit.directory.join(name);
        let mut content = fs::read(&path).unwrap();
        content[1234] ^= 1;
        fs::write(&path, content).unwrap();
    }
    // Sizes are as they were, so only a check sees it.
    assert!(place.open().best(Snark::Groth16).is_ok());
    let found: Vec<String> = circuit.check(&mut |_| {}).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    for text in found {
        assert!(
            text.contains("_pk.bin has SHA-256 ") || text.contains("_circuit.bin has SHA-256 ")
        );
        assert!(text.ends_with("run `proof-server circuits install --mode groth16 --replace`"));
    }
}

#[test]
fn a_damaged_official_circuit_is_told_even_if_the_other_one_is_missing() {
    let place = with(&[KEY]);
    fs::remove_file(place.path().join("v6.1.0-groth16/circuit.json")).unwrap();
    assert!(fault(&place).contains("v6.1.0-groth16/circuit.json is missing"));
    let place = with(&[OTHER_KEY]);
    fs::remove_file(place.path().join("v6.1.0-groth16-dev/circuit.json")).unwrap();
    assert!(fault(&place).contains("v6.1.0-groth16-dev/circuit.json is missing"));
}
