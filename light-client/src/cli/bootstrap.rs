//! `light-client bootstrap`.

use std::path::Path;

use light_client::{Store, StoreFile, files};

use super::{args::BootstrapArgs, fault::Fault, inspect, report::Report};

pub(super) fn run(args: &BootstrapArgs) -> Result<(), Fault> {
    let chain = files::chain(&args.network, args.genesis_validators_root)?;
    let bootstrap = files::bootstrap(&chain, &args.bootstrap)?;
    let store = Store::bootstrap(name(&args.network), chain, args.checkpoint, &bootstrap)?;
    StoreFile::create(&args.store.path, &store)?;
    let report = Report::new();
    report.result("created", args.store.path.display())?;
    inspect::trusted(&report, &store)
}

/// What to call a network: its name, or that of its file without the folder, which is nobody else's business.
fn name(network: &str) -> String {
    let file = Path::new(network).file_name();
    file.map_or_else(|| network.to_owned(), |file| file.to_string_lossy().into_owned())
}
