use std::fs;

use tempfile::TempDir;

use super::*;
use crate::testing::store;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    (folder, path)
}

#[test]
fn a_store_reads_back_as_it_was_saved_and_replaced() {
    let (_folder, path) = folder();
    let mut store = store();
    let file = StoreFile::create(&path, &store).unwrap();
    assert_eq!(StoreFile::read(&path).unwrap(), store);
    store.period += 1;
    (store.mock, store.development) = (true, false);
    file.save(&store).unwrap();
    assert_eq!(StoreFile::read(&path).unwrap(), store);
    (store.mock, store.development) = (false, true);
    file.save(&store).unwrap();
    drop(file);
    assert_eq!(StoreFile::open(&path).unwrap().1, store);
}

/// If this fails, releases cannot read each other's stores: raise `VERSION`, and then change the hash.
#[test]
fn the_layout_is_the_one_of_its_version() {
    assert_eq!(VERSION, 2);
    let hash = NativeCrypto::keccak256(&encode(&store()));
    let wanted = "0x145418af77f9b99d15b44623d0754a3c4a00858f622f6d416c9304e852d23179";
    assert_eq!(hash.to_string(), wanted);
}

fn with_checksum(content: &[u8]) -> Vec<u8> {
    [content, NativeCrypto::keccak256(content).as_slice()].concat()
}

/// The store as releases wrote it that knew no SNARKs.
fn version_1(store: &Store) -> Vec<u8> {
    let file = encode(store);
    let mut content = file[..file.len() - CHECKSUM - 1].to_vec();
    content[MAGIC.len()] = WITHOUT_DEVELOPMENT;
    with_checksum(&content)
}

#[test]
fn a_store_of_the_release_before_snarks_is_read_and_written_anew() {
    let (_folder, path) = folder();
    let old = version_1(&store());
    let wanted = "0xf1551d54d31fd343e0f96fe927419598aa7c08b5d6a959b151d4d742009f24ca";
    assert_eq!(NativeCrypto::keccak256(&old).to_string(), wanted);
    fs::write(&path, old).unwrap();
    let (file, read) = StoreFile::open(&path).unwrap();
    assert_eq!(read, store());
    file.save(&read).unwrap();
    assert_eq!(fs::read(&path).unwrap(), encode(&store()));

    let mock = Store { mock: true, ..store() };
    assert_eq!(decode(&path, &version_1(&mock)).unwrap(), mock, "the mark stays");
}

#[test]
fn an_older_store_cannot_have_a_mark_that_its_release_did_not_know() {
    let marked = encode(&Store { development: true, ..store() });
    let mut content = marked[..marked.len() - CHECKSUM].to_vec();
    content[MAGIC.len()] = WITHOUT_DEVELOPMENT;
    let error = decode(Path::new("store"), &with_checksum(&content)).unwrap_err().to_string();
    assert!(error.contains("another layout"), "{error}");
}

#[test]
fn a_store_of_a_release_to_come_is_refused_with_the_versions_that_are_read() {
    let mut file = encode(&store());
    for version in [0, VERSION + 1] {
        file[MAGIC.len()] = version;
        let error = decode(Path::new("store"), &file).unwrap_err().to_string();
        let says = format!("has version {version}, this light-client reads 1 to 2");
        assert!(error.contains(&says), "{error}");
    }
}

#[test]
fn a_store_is_never_made_over_another_file() {
    let (_folder, path) = folder();
    fs::write(&path, "precious").unwrap();
    let error = StoreFile::create(&path, &store()).unwrap_err();
    assert!(matches!(error, StoreFileError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn only_one_at_a_time_may_change_a_store_and_anybody_may_read_it() {
    let (_folder, path) = folder();
    let held = StoreFile::create(&path, &store()).unwrap();
    let error = StoreFile::open(&path).unwrap_err();
    assert!(error.to_string().starts_with("another light-client is using"), "{error}");
    StoreFile::read(&path).unwrap();
    drop(held);
    StoreFile::open(&path).unwrap();
}

#[test]
fn a_store_behind_a_link_is_the_same_store() {
    let (_folder, path) = folder();
    drop(StoreFile::create(&path, &store()).unwrap());
    let link = path.with_file_name("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let (held, mut read) = StoreFile::open(&link).unwrap();
    assert!(matches!(StoreFile::open(&path), Err(StoreFileError::Locked { .. })));
    read.period += 1;
    held.save(&read).unwrap();
    assert!(link.is_symlink());
    assert_eq!(StoreFile::read(&path).unwrap(), read);
}

#[test]
fn what_a_crash_left_beside_the_store_is_removed() {
    let (_folder, path) = folder();
    drop(StoreFile::create(&path, &store()).unwrap());
    let left = path.with_file_name("store.lc-tmp");
    fs::write(&left, b"half a sto").unwrap();
    assert_eq!(StoreFile::open(&path).unwrap().1, store());
    assert!(!left.exists());
}

#[test]
fn a_missing_store_is_not_answered_with_new_files() {
    let (folder, path) = folder();
    let error = StoreFile::open(&path).unwrap_err();
    assert!(error.to_string().contains("`light-client bootstrap`"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let error = StoreFile::read(folder.path()).unwrap_err();
    assert!(matches!(error, StoreFileError::Io { doing: "read", .. }), "{error}");
}

#[test]
fn a_store_with_any_byte_changed_or_cut_is_refused() {
    let bytes = encode(&store());
    let path = Path::new("store");
    assert_eq!(decode(path, &bytes).unwrap(), store());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let error = decode(path, &changed).unwrap_err();
        match at {
            0..7 => assert!(matches!(error, StoreFileError::NotAStore { .. }), "{error}"),
            7 => assert!(matches!(error, StoreFileError::Version { seen: 18, .. }), "{error}"),
            _ => assert!(error.to_string().contains("checksum is wrong"), "{error}"),
        }
        assert!(decode(path, &bytes[..at]).is_err(), "cut at {at}");
    }
    let longer = [bytes, vec![0]].concat();
    assert!(matches!(decode(path, &longer), Err(StoreFileError::Damaged { .. })));
}

#[test]
fn a_store_with_a_right_checksum_over_a_wrong_content_is_refused() {
    let good = encode(&store());
    let content = &good[..good.len() - CHECKSUM];
    let longer = with_checksum(&[content, &[0]].concat());
    let cut = with_checksum(&content[..content.len() - 1]);
    let bare = with_checksum(&content[..8]);
    for (bytes, says) in [(longer, "layout"), (cut, "layout"), (bare, "layout")] {
        let error = decode(Path::new("store"), &bytes).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("bootstrap anew"), "{error}");
    }
    let mut other_chain = store();
    other_chain.chain.sync_committee_size = 64;
    let error = decode(Path::new("store"), &encode(&other_chain)).unwrap_err().to_string();
    assert!(error.contains("its committee is not of its chain"), "{error}");
    other_chain.chain.sync_committee_size = 0;
    let error = decode(Path::new("store"), &encode(&other_chain)).unwrap_err().to_string();
    assert!(error.contains("its chain constants make no chain"), "{error}");
}
