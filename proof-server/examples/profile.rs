//! What the programs spend where, on recorded input: `make profile` builds them with their symbols and runs this on the
//! emulator. Cycles and calls are SP1's; nothing is proven.
#![allow(clippy::unwrap_used, reason = "a failure shows by panicking")]

#[path = "../tests/inputs/mod.rs"]
mod inputs;

use std::{env, fs, path::PathBuf};

use lc_core::ProgramId;
use lc_emulator::{Memory, Program};
use proof_server::guest_input::guest_input;

/// Far above what any recording takes.
const LIMIT: u64 = 1 << 32;

fn main() {
    let mut args = env::args().skip(1);
    let folder = args.next().expect("usage: profile FOLDER-OF-ELFS [WORD-OF-A-RECORDING'S-NAME]");
    let wanted = args.next();
    let [change, inclusion] = ProgramId::ALL.map(|program| {
        Program::from_elf(&fs::read(PathBuf::from(&folder).join(format!("{program}.elf"))).unwrap())
            .unwrap()
    });
    for (name, input) in inputs::recorded() {
        let checked = input.check().unwrap();
        let program = match checked.program {
            ProgramId::CommitteeChange => &change,
            ProgramId::Inclusion => &inclusion,
        };
        let bytes = guest_input(checked.program, &checked.witness);
        let run = program.run(&bytes, Memory::Random { seed: 1 }, LIMIT).unwrap();
        assert_eq!(run.public_values, checked.public_values, "{name}");
        println!(
            "{}, {name}: {} cycles, {} words touched, {} in the image, {} of input",
            checked.program,
            run.cycles,
            run.touched_words,
            run.image_words,
            bytes.len() / 8
        );
        if wanted.as_ref().is_some_and(|wanted| name.contains(wanted)) {
            println!("{}", run.profile);
        }
    }
}
