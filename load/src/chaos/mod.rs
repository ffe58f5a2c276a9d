//! x
use crate::verdict::Verdict;
use clap::Args;
/// x
#[derive(Debug, Clone, Args)]
pub(crate) struct ChaosArgs {}
pub(crate) async fn run(_: ChaosArgs) -> eyre::Result<Vec<Verdict>> {
    Ok(Vec::new())
}
