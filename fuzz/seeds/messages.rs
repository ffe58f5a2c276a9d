//! The messages that `proof-server/tests/golden` pins, as streams and files.

use std::{fs, path::Path};

use lc_fuzz::frame::{CLIENT, FILE, MESSAGE, SERVER, check};

use crate::Seeds;

const TARGET: &str = "frame";
/// Bytes of a piece, less one, in which streams arrive.
const PIECE: u8 = 6;

pub(crate) fn add(seeds: &mut Seeds) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proof-server/tests/golden");
    let mut streams = [(CLIENT, Vec::new()), (SERVER, Vec::new())];
    for (name, bytes) in golden(&folder) {
        for kind in [CLIENT, SERVER, FILE] {
            let seed = [&[kind, PIECE], &bytes[..]].concat();
            // Whose message it is, is in no file; a few could be both sides'.
            if check(&seed) {
                seeds.add(TARGET, format!("{name}-{kind}"), seed);
                let stream = streams.iter_mut().find(|(of, _)| *of == kind);
                stream.into_iter().for_each(|(_, stream)| stream.extend(&bytes));
            }
        }
    }
    for (kind, stream) in streams {
        let cut = stream[..stream.len() - 1].to_vec();
        seeds.add(TARGET, format!("conversation-{kind}"), [vec![kind, PIECE], stream].concat());
        seeds.add(
            TARGET,
            format!("no-conversation-{kind}-cut-short"),
            [vec![kind, PIECE], cut].concat(),
        );
    }
    // Bytes that count up become fields that all differ.
    let counting: Vec<u8> = (0..4096_u32).map(|i| (i * 7 % 251) as u8).collect();
    for (side, kinds) in [(0, 5), (1, 8)] {
        for kind in 0..kinds {
            let seed = [&[MESSAGE, PIECE, side], &counting[..8], &[kind], &counting].concat();
            if check(&seed) {
                seeds.add(TARGET, format!("message-{side}-{kind}"), seed);
            }
        }
    }
    seeds.add(TARGET, "no-protocol", [&[CLIENT, PIECE], &b"GET / HTTP/1.1\r\n"[..]].concat());
}

/// Name and content of each file, in the order of names.
fn golden(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "hex"))
        .map(|path| {
            let mut text = fs::read_to_string(&path).expect("a golden file is text");
            text.retain(|character| !character.is_whitespace());
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            (name, lc_core::alloy_primitives::hex::decode(text).expect("it is hexadecimal"))
        })
        .collect();
    files.sort();
    files
}
