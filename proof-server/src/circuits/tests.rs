//! What needs no files; the rest is in `tests/circuits`.

use super::*;

fn from(pairs: &[(&str, &str)]) -> Option<PathBuf> {
    directory_from(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, dir)| dir.into()))
}

#[test]
fn circuits_are_where_the_data_of_this_user_are() {
    let home = ("HOME", "/home/me");
    let ours = PathBuf::from("/home/me/.local/share/proof-server/circuits");
    assert_eq!(from(&[home]), Some(ours.clone()));
    assert_eq!(
        from(&[home, ("XDG_DATA_HOME", "/data")]),
        Some(PathBuf::from("/data/proof-server/circuits"))
    );
    for unset in ["", "data", "./data"] {
        assert_eq!(from(&[home, ("XDG_DATA_HOME", unset)]), Some(ours.clone()));
    }
}

#[test]
fn without_a_home_there_is_no_place_for_circuits() {
    assert_eq!(from(&[]), None);
    assert_eq!(from(&[("HOME", "")]), None);
}

#[test]
fn an_official_circuit_and_one_for_development_never_share_a_name() {
    let names = CircuitId::ALL.map(|id| id.to_string());
    assert_eq!(names, ["v6.1.0-groth16", "v6.1.0-plonk", "v6.1.0-groth16-dev", "v6.1.0-plonk-dev"]);
}

#[test]
fn the_official_keys_are_those_of_sp1_and_nothing_else_is_official() {
    let official = Official::SP1;
    let groth16 = "4388a21c687fdd5f218d7e3d13190cac4c5355818d3605fd5fb811df468ee696";
    assert_eq!(official.key(Snark::Groth16).to_string(), groth16);
    assert!(official.is(Snark::Plonk, official.plonk));
    assert!(!official.is(Snark::Plonk, official.groth16));
    assert!(!official.is(Snark::Groth16, FileHash::of(b"")));
    assert_eq!(
        Snark::Plonk.official_url(),
        "https://sp1-circuits.s3-us-east-2.amazonaws.com/v6.1.0-plonk.tar.gz"
    );
}

const ID: CircuitId = CircuitId { snark: Snark::Plonk, development: true };

fn manifest(names: &[&str]) -> Manifest {
    let sha256 = FileHash::of(b"");
    let files = names.iter().map(|name| FileEntry { name: (*name).into(), bytes: 0, sha256 });
    Manifest::new(ID, sha256, files.collect(), "here".into())
}

fn refused(json: &[u8], id: CircuitId) -> String {
    Manifest::parse(json, id).unwrap_err()
}

#[test]
fn a_manifest_reads_back_as_its_own_circuit_only() {
    let needed = manifest(&ID.snark.needed_files());
    let json = needed.to_json().unwrap();
    assert_eq!(Manifest::parse(&json, ID), Ok(needed));
    for id in CircuitId::ALL.into_iter().filter(|id| *id != ID) {
        let text = refused(&json, id);
        assert_eq!(text, "is of another circuit: v6.1.0, plonk, development true");
    }
    let text = String::from_utf8(json).unwrap();
    let other = text.replace("v6.1.0", "v5.0.0");
    assert!(refused(other.as_bytes(), ID).contains("is of another circuit: v5.0.0"));
    for broken in [&text[..text.len() - 3], &text.replacen('{', "{\"new\": 1,", 1), "[]", ""] {
        let why = refused(broken.as_bytes(), ID);
        assert!(why.starts_with("is not what this release writes ("), "{why}");
    }
}

#[test]
fn a_manifest_names_the_files_of_its_circuit_once_and_no_others() {
    let needed = ID.snark.needed_files();
    let says = |names: &[&str]| refused(&manifest(names).to_json().unwrap(), ID);
    assert_eq!(says(&needed[..2]), "does not have plonk_circuit.bin");
    for strange in ["../plonk_vk.bin", "/etc/passwd", "plonk_vk.bin", "groth16_vk.bin", ""] {
        let text = says(&[&needed[..], &[strange]].concat());
        assert_eq!(text, format!("has {strange:?}, which is none of its files, or twice"));
    }
}
