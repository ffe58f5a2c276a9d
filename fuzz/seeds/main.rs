//! Writes the fuzz targets' seed corpora, `corpus-seeds/TARGET/NAME`: a few inputs of each shape for the fuzzer to
//! start from. Deterministic; with `--check` compares with what is committed instead.
//!
//! A seed whose name begins with `no-` must be refused by its target, every other one accepted. So a seed
//! cannot rot when a format changes: it is noticed here.

mod formats;
mod messages;
mod objects;
mod statements;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use lc_fuzz::TARGETS;

/// Seeds by target and name.
#[derive(Debug, Default)]
pub(crate) struct Seeds(BTreeMap<(&'static str, String), Vec<u8>>);

impl Seeds {
    pub(crate) fn add(&mut self, target: &'static str, name: impl Into<String>, bytes: Vec<u8>) {
        let old = self.0.insert((target, name.into()), bytes);
        assert!(old.is_none(), "two seeds of {target} have one name");
    }

    /// Seeds that their target sees otherwise than their names say.
    fn misnamed(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|((target, name), bytes)| {
            let (_, check) = TARGETS.into_iter().find(|(name, _)| name == target)?;
            let accepted = check(bytes);
            let said = if accepted { "accepted" } else { "refused" };
            (accepted == name.starts_with("no-")).then(|| format!("{target}/{name} is {said}"))
        })
    }
}

fn main() -> ExitCode {
    let mut seeds = Seeds::default();
    objects::add(&mut seeds);
    formats::add(&mut seeds);
    messages::add(&mut seeds);
    statements::add(&mut seeds);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus-seeds");
    let mut faults: Vec<String> = seeds.misnamed().collect();
    if std::env::args().any(|argument| argument == "--check") {
        faults.extend(differences(&root, &seeds));
    } else if let Err(error) = write(&root, &seeds) {
        faults.push(format!("{}: {error}", root.display()));
    }
    for fault in &faults {
        eprintln!("seeds: {fault}");
    }
    if !faults.is_empty() {
        eprintln!("seeds: see fuzz/README.md");
        return ExitCode::FAILURE;
    }
    let bytes: usize = seeds.0.values().map(Vec::len).sum();
    println!("{} seeds of {} targets, {} kB", seeds.0.len(), TARGETS.len(), bytes / 1000);
    ExitCode::SUCCESS
}

fn write(root: &Path, seeds: &Seeds) -> std::io::Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    for ((target, name), bytes) in &seeds.0 {
        let folder = root.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

fn differences(root: &Path, seeds: &Seeds) -> Vec<String> {
    let made = seeds.0.iter().map(|((target, name), bytes)| (root.join(target).join(name), bytes));
    let made: BTreeMap<PathBuf, _> = made.collect();
    let is_other =
        |(path, bytes): &(&PathBuf, &&Vec<u8>)| fs::read(path).ok().as_ref() != Some(**bytes);
    let others = made.iter().filter(is_other).map(|(path, _)| path.clone());
    let folders =
        TARGETS.into_iter().filter_map(|(target, _)| fs::read_dir(root.join(target)).ok());
    let committed = folders.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let more = committed.filter(|path| !made.contains_key(path));
    let name = |path: PathBuf| format!("{} is not what is made now", path.display());
    others.chain(more).map(name).collect()
}
