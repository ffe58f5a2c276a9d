//! A circuit is in its folder whole or not at all, and official or not.

use std::fs;

use proof_server::circuits::{CircuitId, Install, InstallError, Installer, Snark, Source};

use crate::support::{
    KEY, OTHER_KEY, Place, files, from, installed_names, names, official, write_files,
};

const OFFICIAL: &str = "v6.1.0-groth16";
const DEVELOPMENT: &str = "v6.1.0-groth16-dev";

fn folder(place: &Place, key: &[u8]) -> Install {
    from(Source::Directory(place.folder(&files(Snark::Groth16, key))))
}

#[test]
fn a_folder_with_the_official_key_is_an_official_circuit_without_what_no_prover_reads() {
    for snark in Snark::ALL {
        let place = Place::new();
        let source = place.folder(&files(snark, KEY));
        let circuit =
            place.install(&Install { snark, ..from(Source::Directory(source.clone())) }).unwrap();
        assert_eq!(circuit.id, CircuitId { snark, development: false });
        assert_eq!(circuit.verifying_key, KEY);
        assert_eq!(circuit.hash, official().groth16);
        assert_eq!(circuit.bytes, 305_000 + 20 + KEY.len() as u64);
        assert_eq!(circuit.source, source.display().to_string());
        assert_eq!(names(&circuit.directory), installed_names(snark));
        assert_eq!(place.names(), [format!("v6.1.0-{snark}")]);
        for (name, content) in files(snark, KEY).iter().filter(|(name, _)| !name.contains("json")) {
            assert_eq!(fs::read(circuit.directory.join(name)).unwrap(), *content, "{name}");
        }
        assert_eq!(place.open().best(snark).unwrap(), &circuit);
    }
}

#[test]
fn another_key_is_refused_unless_it_is_for_development() {
    let place = Place::new();
    let wanted = folder(&place, OTHER_KEY);
    let error = place.install(&wanted).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("groth16_vk.bin has SHA-256 ")
            && text.contains(&official().groth16.to_string())
            && text.ends_with(
                "could forge proofs. Where that is you, as in a test, add --development"
            ),
        "{text}"
    );
    assert!(place.names().is_empty());
    let circuit = place.install(&Install { development: true, ..wanted }).unwrap();
    assert!(circuit.id.development);
    assert_eq!(place.names(), [DEVELOPMENT]);
}

#[test]
fn an_official_circuit_is_official_even_if_it_may_be_for_development() {
    let place = Place::new();
    let circuit = place.install(&Install { development: true, ..folder(&place, KEY) }).unwrap();
    assert!(!circuit.id.development);
    assert_eq!(place.names(), [OFFICIAL]);
}

#[test]
fn a_circuit_without_one_of_its_files_is_not_installed() {
    let needed = ["groth16_vk.bin", "groth16_pk.bin", "groth16_circuit.bin"];
    for missing in needed {
        let place = Place::new();
        let mut some = files(Snark::Groth16, KEY);
        some.retain(|(name, _)| name != missing);
        let error = place.install(&from(Source::Directory(place.folder(&some)))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("has no {missing}: give all files")), "{text}");
        assert!(place.names().is_empty());
    }
    let place = Place::new();
    let mut some = files(Snark::Groth16, KEY);
    some.retain(|(name, _)| needed.contains(&name.as_str()));
    place.install(&from(Source::Directory(place.folder(&some)))).unwrap();
}

#[test]
fn an_empty_file_or_a_folder_in_its_place_is_no_file_of_a_circuit() {
    let place = Place::new();
    let wanted = folder(&place, KEY);
    let Source::Directory(source) = &wanted.source else { unreachable!() };
    let path = source.join("groth16_pk.bin");
    fs::write(&path, []).unwrap();
    let text = place.install(&wanted).unwrap_err().to_string();
    assert!(text.contains("groth16_pk.bin is no file of 1 to 68719476736 bytes"), "{text}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let text = place.install(&wanted).unwrap_err().to_string();
    assert!(text.contains("groth16_pk.bin is no file"), "{text}");
    assert!(place.names().is_empty());
}

#[test]
fn an_installed_circuit_is_replaced_only_on_request_and_only_by_a_whole_one() {
    let place = Place::new();
    let wanted = Install { development: true, ..folder(&place, OTHER_KEY) };
    place.install(&wanted).unwrap();
    let error = place.install(&wanted).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is installed already: add --replace to put another in its place")
    );

    let mut other = files(Snark::Groth16, b"a second key");
    let replace = Install { replace: true, ..wanted };
    let part = other.split_off(2);
    let source = Source::Directory(place.folder(&other));
    place.install(&Install { source, ..replace.clone() }).unwrap_err();
    let there = place.open();
    assert_eq!(there.best(Snark::Groth16).unwrap().verifying_key, OTHER_KEY);

    other.extend(part);
    let source = Source::Directory(place.folder(&other));
    let circuit = place.install(&Install { source, ..replace }).unwrap();
    assert_eq!(circuit.verifying_key, b"a second key");
    assert_eq!(place.names(), [DEVELOPMENT]);
}

#[test]
fn an_official_circuit_and_one_for_development_stand_side_by_side() {
    let place = Place::new();
    place.install(&folder(&place, KEY)).unwrap();
    place.install(&Install { development: true, ..folder(&place, OTHER_KEY) }).unwrap();
    assert_eq!(place.names(), [OFFICIAL, DEVELOPMENT]);
}

#[test]
fn a_second_installer_is_refused_while_the_first_one_works() {
    let place = Place::new();
    let first = place.installer();
    let error = Installer::lock(place.path(), official()).unwrap_err();
    assert!(matches!(error, InstallError::Busy(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("another process installs circuits in ") && text.ends_with("has ended")
    );
    drop(first);
    Installer::lock(place.path(), official()).unwrap();
}

#[test]
fn what_a_killed_installer_left_is_removed_and_nothing_else() {
    let place = Place::new();
    place.install(&folder(&place, KEY)).unwrap();
    let left = place.path().join(".incomplete-groth16-1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("groth16_pk.bin"), b"some").unwrap();
    let outside = place.folder(&files(Snark::Groth16, KEY));
    std::os::unix::fs::symlink(&outside, place.path().join(".incomplete-link")).unwrap();
    fs::write(place.path().join("note.txt"), b"mine").unwrap();
    drop(place.installer());
    assert_eq!(place.names(), ["note.txt", OFFICIAL]);
    assert!(outside.join("groth16_pk.bin").exists());
}

#[test]
fn what_somebody_built_is_adopted_without_its_scraps() {
    let place = Place::new();
    let installer = place.installer();
    let staging = installer.staging(Snark::Groth16).unwrap();
    write_files(staging.path(), &files(Snark::Groth16, OTHER_KEY));
    fs::create_dir(staging.path().join("scraps")).unwrap();
    let circuit = installer.adopt(staging, "built here", false, &mut |_| {}).unwrap();
    assert!(circuit.id.development);
    assert_eq!(circuit.source, "built here");
    assert_eq!(names(&circuit.directory), installed_names(Snark::Groth16));
    assert!(circuit.check(&mut |_| {}).is_empty());
    assert_eq!(place.names(), [DEVELOPMENT]);
}

#[test]
fn what_was_built_only_in_part_is_removed() {
    let place = Place::new();
    let installer = place.installer();
    let staging = installer.staging(Snark::Groth16).unwrap();
    write_files(staging.path(), &files(Snark::Plonk, OTHER_KEY));
    let error = installer.adopt(staging, "built here", false, &mut |_| {}).unwrap_err();
    assert!(error.to_string().starts_with("built here has no groth16_vk.bin"), "{error}");
    let staging = installer.staging(Snark::Groth16).unwrap();
    write_files(staging.path(), &files(Snark::Groth16, OTHER_KEY));
    // Nobody else gets the same directory to fill.
    installer.staging(Snark::Groth16).unwrap_err();
    drop(staging);
    assert!(place.names().is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Installer::lock(&file.path().join("circuits"), official()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("cannot make the folder ")
            && text.contains("/circuits: look at its permissions"),
        "{text}"
    );
}
