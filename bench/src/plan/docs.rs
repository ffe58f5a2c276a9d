//! `docs/scale-out.md` shows tables, each below the command that makes it.

use std::{fs, path::PathBuf};

use clap::Parser;

use super::PlanArgs;

const REMAKE: &str = "PROOF_SERVER_BLESS=1 cargo test --release -p proof-server-bench --no-default-features --lib plan::docs";

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    plan: PlanArgs,
}

/// The document with every table made anew.
fn remade(text: &str) -> (String, usize) {
    let (mut out, mut rest, mut count) = (String::new(), text, 0);
    // A block of shell that is one `bench plan` command, and the table after it.
    while let Some(at) = rest.find("```sh\nbench plan ") {
        let line = rest[at..].lines().nth(1).expect("found");
        let (before, after) = rest.split_at(at);
        let end = after[6..].find("```\n").expect("a block ends") + 6 + 4;
        let words = after[6..end - 4].replace("\\\n", " ");
        let command = Command::try_parse_from(words.split_whitespace().skip(1));
        let table = super::run(&command.unwrap_or_else(|error| panic!("{line}: {error}")).plan);
        let old: usize = after[end..]
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.len() + 1)
            .sum();
        out += before;
        out += &after[..end];
        out += "\n";
        out += &table.unwrap_or_else(|error| panic!("{line}: {error}"));
        rest = &after[end + 1 + old..];
        count += 1;
    }
    (out + rest, count)
}

#[test]
fn the_tables_are_what_their_commands_make() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/scale-out.md");
    let text = fs::read_to_string(&path).unwrap();
    let (wanted, count) = remade(&text);
    assert!(count >= 3, "docs/scale-out.md has {count} plans");
    if std::env::var_os("PROOF_SERVER_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    } else {
        assert!(text == wanted, "docs/scale-out.md is not what its commands make: {REMAKE}");
    }
}

#[test]
fn a_table_that_was_changed_by_hand_is_found() {
    let command = "```sh\nbench plan --service a=1s --latency-p99 2s --rate 1\n```\n\n";
    let (made, count) = remade(&format!("before\n{command}| old |\n\nafter\n"));
    assert!(count == 1 && made.starts_with("before\n") && made.ends_with("|\n\nafter\n"), "{made}");
    assert!(!made.contains("old"));
    assert_eq!(remade(&made).0, made);
    assert_ne!(remade(&made.replace("1.00", "1.01")).0, made.replace("1.00", "1.01"));
}
