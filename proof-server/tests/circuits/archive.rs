//! Archives that anybody may have made: what is a circuit is unpacked, and the rest refused by name.

use proof_server::circuits::{FileHash, Install, InstallError, Snark, Source};
use tar::EntryType;

use crate::support::{
    KEY, Place, archive, archive_of, entries, entry, files, from, gzip, installed_names, names,
};

fn good() -> Vec<Vec<u8>> {
    entries(&files(Snark::Groth16, KEY))
}

fn install(place: &Place, content: &[u8]) -> Result<(), InstallError> {
    place.install(&from(Source::Archive(place.file(content)))).map(drop)
}

/// Why an archive is refused; nothing of it is left.
fn refused(content: &[u8]) -> String {
    let place = Place::new();
    let error = install(&place, content).unwrap_err();
    assert!(place.names().is_empty(), "{:?}", place.names());
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        text = format!("{text}: {source}");
    }
    text
}

#[test]
fn an_archive_is_unpacked_with_or_without_a_dot_in_front() {
    let plain: Vec<_> = files(Snark::Groth16, KEY)
        .iter()
        .map(|(name, content)| entry(name, EntryType::Regular, content.len() as u64, content))
        .collect();
    let odd = [
        good(),
        vec![
            entry("pax_global_header", EntryType::XGlobalHeader, 12, b"12 comment=x"),
            entry("./more/groth16_vk.bin", EntryType::Regular, 3, b"not"),
            entry("./groth16_vk.bin.sig", EntryType::Continuous, 0, b""),
        ],
    ];
    for archive in [archive_of(&plain), archive_of(&odd.concat()), gzip(&good().concat())] {
        let place = Place::new();
        install(&place, &archive).unwrap();
        let there = place.open();
        let circuit = there.best(Snark::Groth16).unwrap();
        assert_eq!(names(&circuit.directory), installed_names(Snark::Groth16));
        assert!(circuit.check(&mut |_| {}).is_empty());
    }
}

#[test]
fn an_entry_that_leads_out_or_is_no_plain_file_is_refused() {
    for (name, kind, says) in [
        ("../groth16_vk.bin", EntryType::Regular, "which leads out of it"),
        ("./a/../../b", EntryType::Regular, "which leads out of it"),
        ("/etc/cron.d/x", EntryType::Regular, "which leads out of it"),
        ("..", EntryType::Directory, "which leads out of it"),
        ("./groth16_pk.bin", EntryType::Symlink, "which is no plain file"),
        ("./other", EntryType::Symlink, "which is no plain file"),
        ("./groth16_pk.bin", EntryType::Link, "which is no plain file"),
        ("./fifo", EntryType::Fifo, "which is no plain file"),
        ("./disk", EntryType::Block, "which is no plain file"),
    ] {
        let all = [good(), vec![entry(name, kind, 0, &[])]].concat();
        let text = refused(&archive_of(&all));
        assert!(
            text.contains(&format!("has the entry {name:?}, {says}: give a .tar.gz")),
            "{text}"
        );
    }
}

#[test]
fn a_file_twice_empty_or_too_long_is_refused() {
    let regular = |name, announced, content| entry(name, EntryType::Regular, announced, content);
    for (odd, says) in [
        (regular("./groth16_vk.bin", 3, b"abc"), "has \"./groth16_vk.bin\" twice"),
        (regular("groth16_vk.bin", 3, b"abc"), "has \"groth16_vk.bin\" twice"),
        (regular("SP1VerifierGroth16.sol", 0, b""), "with 0 bytes, not 1 to 1048576"),
        (regular("SP1VerifierGroth16.sol", 1 << 21, b""), "with 2097152 bytes, not 1 to 1048576"),
        (regular("other", 1 << 40, b""), "with 1099511627776 bytes, not 1 to 68719476736"),
    ] {
        let text = refused(&archive_of(&[good(), vec![odd]].concat()));
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn an_archive_cannot_make_anybody_keep_more_than_a_header_in_memory() {
    // Two megabytes of zeros that say they are the next entry's name, or its attributes.
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let long = entry("./@", kind, 2 << 20, &vec![b'a'; 2 << 20]);
        let text = refused(&archive_of(&[vec![long], good()].concat()));
        assert!(text.ends_with("it announces more than a circuit has"), "{text}");
    }
    // A name that is only long is read, and is none of a circuit's.
    let long = entry("./@", EntryType::GNULongName, 200, &[b'a'; 200]);
    let named = entry("a", EntryType::Regular, 0, &[]);
    install(&Place::new(), &archive_of(&[vec![long, named], good()].concat())).unwrap();
}

#[test]
fn an_archive_that_does_not_end_is_refused() {
    let text = refused(&gzip(&[good().concat(), vec![0; 17 << 20]].concat()));
    assert!(text.ends_with("it announces more than a circuit has"), "{text}");
    let many = vec![entry("x", EntryType::Regular, 0, &[]); 1001];
    assert!(refused(&archive_of(&many)).contains("has more than 1000 entries"));
    install(&Place::new(), &gzip(&[good().concat(), vec![0; 1 << 20]].concat())).unwrap();
}

#[test]
fn an_archive_cut_short_anywhere_is_not_installed() {
    let whole = archive(&files(Snark::Groth16, KEY));
    for length in [0, 1, 9, 100, 40_000, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        let text = refused(&whole[..length]);
        assert!(
            text.contains("is no .tar.gz, or is damaged or cut short: fetch it again")
                || text.contains("has no groth16_vk.bin"),
            "{length}: {text}"
        );
    }
    // Whole as gzip, cut as tar.
    let tar = good().concat();
    let text = refused(&gzip(&tar[..tar.len() / 2]));
    assert!(text.contains("damaged or cut short"), "{text}");
}

#[test]
fn an_archive_with_a_changed_byte_is_not_installed() {
    let whole = archive(&files(Snark::Groth16, KEY));
    for at in [0, 1000, whole.len() / 2, whole.len() - 6] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(refused(&changed).contains("is no .tar.gz, or is damaged or cut short"), "{at}");
    }
    assert!(refused(b"not a gzip file").contains("is no .tar.gz"));
    assert!(refused(&gzip(&[7; 2000])).contains("is no .tar.gz"));
}

#[test]
fn an_archive_without_one_of_the_files_is_not_installed() {
    for missing in ["groth16_vk.bin", "groth16_pk.bin", "groth16_circuit.bin"] {
        let mut some = files(Snark::Groth16, KEY);
        some.retain(|(name, _)| name != missing);
        let text = refused(&archive(&some));
        assert!(
            text.contains(&format!("has no {missing}: give all files of the circuit")),
            "{text}"
        );
    }
    let text = refused(&archive(&files(Snark::Plonk, KEY)));
    assert!(text.contains("has no groth16_vk.bin"), "{text}");
}

#[test]
fn a_pinned_archive_is_installed_and_another_one_refused_with_both_hashes() {
    let content = archive(&files(Snark::Groth16, KEY));
    let place = Place::new();
    let pinned =
        |sha256| Install { sha256: Some(sha256), ..from(Source::Archive(place.file(&content))) };
    let (found, wanted) = (FileHash::of(&content), FileHash::of(b"another"));
    let error = place.install(&pinned(wanted)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("has SHA-256 {found}, {wanted} was asked for: fetch it again")),
        "{text}"
    );
    assert!(place.names().is_empty());
    place.install(&pinned(found)).unwrap();
}
