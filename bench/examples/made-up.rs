//! Writes made-up documents into a folder, to look at a report without measuring for hours: `made-up FOLDER`.

#[path = "../tests/support/made_up.rs"]
mod made_up;

use std::{path::PathBuf, process::ExitCode};

use bench::document::{Document, DocumentError, ProveRun, Run};
use proof_server::types::ProofMode::{Compressed, Core, Groth16};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("made-up: name a folder for the documents");
        return ExitCode::FAILURE;
    };
    match documents().iter().try_for_each(|(name, document)| document.write(&folder.join(name))) {
        Ok(()) => ExitCode::SUCCESS,
        Err::<(), DocumentError>(error) => {
            eprintln!("made-up: {error}");
            ExitCode::FAILURE
        }
    }
}

fn documents() -> Vec<(String, Document)> {
    let mut documents = vec![
        ("modes.json".to_owned(), made_up::prove(2, &[Core, Compressed, Groth16], 12, 1.0)),
        ("errors.json".to_owned(), made_up::with_errors()),
        ("empty.json".to_owned(), made_up::document(5, Run::Prove(ProveRun::default()))),
        ("hostile.json".to_owned(), made_up::hostile()),
    ];
    for (commit, slower) in [1.5, 1.4, 1.42, 1.1, 1.0].into_iter().enumerate() {
        let run = made_up::prove(commit as u64, &[Core, Compressed], 7, slower);
        documents.push((format!("history-{commit}.json"), run));
    }
    for (place, rate) in [0.5, 1.0, 2.0, 2.8, 3.6].into_iter().enumerate() {
        documents.push((format!("replay-{place}.json"), made_up::replay(6, rate, 600)));
    }
    documents
}
