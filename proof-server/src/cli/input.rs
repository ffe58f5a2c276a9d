//! From files, as nodes hand them out, to a request.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use lc_core::{
    ChainSpec,
    alloy_primitives::{B256, Bytes},
    host::{
        CommitteeChangeInput, InclusionInput, LightClientStore, Network, ProgramInput,
        block_header::read_block_header, chain_spec_from_config_yaml, eth_get_proof::EthGetProof,
    },
    objects::{
        LightClientBootstrap, LightClientUpdate, SyncCommittee,
        file::{read_bootstrap, read_finality_update, read_updates},
    },
};

use super::{Exit, Fault};

/// Largest file to read, 256 MiB. A node's largest answer, 128 updates as JSON, has some 15 MB; beyond
/// this somebody gave the wrong file, or one that never ends.
const MAX_FILE: u64 = 256 << 20;

/// Which chain.
#[derive(Debug, Args)]
pub(super) struct ChainArgs {
    /// mainnet, sepolia, hoodi, minimal, or the path of a consensus-spec config.yaml
    #[arg(long, value_name = "NAME|PATH")]
    pub(super) network: String,

    /// Root of the chain's genesis validators; needed with minimal and with a config.yaml
    #[arg(long, value_name = "HEX")]
    pub(super) genesis_validators_root: Option<B256>,
}

impl ChainArgs {
    pub(super) fn load(&self) -> Result<ChainSpec, Fault> {
        let (name, root) = (self.network.as_str(), self.genesis_validators_root);
        let no_root = || {
            let text = format!(
                "--network {name} does not say which chain: add --genesis-validators-root HEX, from /eth/v1/beacon/genesis"
            );
            Fault::new(Exit::Usage, text)
        };
        if let Ok(network) = name.parse::<Network>() {
            return network.chain_spec(root).map_err(|_| no_root());
        }
        let path = Path::new(name);
        if !path.exists() {
            let text = format!(
                "--network: `{name}` is neither mainnet, sepolia, hoodi or minimal nor a file: give one of them"
            );
            return Err(Fault::new(Exit::Usage, text));
        }
        let yaml = String::from_utf8(read(path)?).map_err(|_| {
            Fault::new(Exit::Data, format!("{name}: not text: give a consensus-spec config.yaml"))
        })?;
        let root = root.ok_or_else(no_root)?;
        chain_spec_from_config_yaml(&yaml, root)
            .map_err(|error| Fault::about(Exit::Data, name, &error))
    }
}

/// The committee that a bootstrap shows to be the current one, checked against the bootstrap's own header.
pub(super) struct Trusted {
    chain: ChainSpec,
    period: u64,
    committee: SyncCommittee,
}

impl Trusted {
    pub(super) fn load(chain: &ChainArgs, bootstrap: &Path) -> Result<Self, Fault> {
        let chain = chain.load()?;
        let data =
            |error: &dyn std::error::Error| Fault::about(Exit::Data, bootstrap.display(), error);
        let object: LightClientBootstrap =
            read_bootstrap(&chain, &read(bootstrap)?).map_err(|error| data(&error))?;
        let root = object.header.beacon.hash_tree_root::<lc_core::host::NativeCrypto>();
        LightClientStore::initialize(&chain, root, &object).map_err(|error| data(&error))?;
        let period = chain.period_at_slot(object.header.beacon.slot);
        Ok(Self { chain, period, committee: object.current_sync_committee })
    }

    /// The request for a committee change over the updates in `files`, whatever their order.
    pub(super) fn committee_change(
        &self,
        files: &[PathBuf],
        execution_header: Option<&Path>,
    ) -> Result<ProgramInput, Fault> {
        let execution_header = execution_header.map(read_execution_header).transpose()?;
        let change = self.change(&self.read_updates(files)?);
        Ok(ProgramInput::CommitteeChange(CommitteeChangeInput { execution_header, ..change }))
    }

    /// The request for an inclusion. `updates` lead from the bootstrap's committee to the signing one,
    /// where that is another; each is checked.
    pub(super) fn inclusion(
        &self,
        updates: &[PathBuf],
        finality_update: &Path,
        account_proofs: &[PathBuf],
        execution_header: Option<&Path>,
    ) -> Result<ProgramInput, Fault> {
        let update = read_finality_update(&self.chain, &read(finality_update)?)
            .map_err(|error| Fault::about(Exit::Data, finality_update.display(), &error))?;
        let wanted = self.chain.period_at_slot(update.signature_slot);
        let (signer_period, committee) = self.follow(updates, wanted)?;
        let account = |path: &PathBuf| {
            let proof = EthGetProof::from_json(&read(path)?);
            proof
                .map(|proof| proof.account_proof())
                .map_err(|error| Fault::about(Exit::Data, path.display(), &error))
        };
        Ok(ProgramInput::Inclusion(InclusionInput {
            chain: self.chain.clone(),
            signer_period,
            committee: committee.to_ssz().into(),
            finality_update: update.to_ssz(&self.chain).into(),
            accounts: account_proofs.iter().map(account).collect::<Result<_, _>>()?,
            execution_header: execution_header.map(read_execution_header).transpose()?,
        }))
    }

    /// The committee of `wanted`, as far as the updates lead there.
    fn follow(&self, files: &[PathBuf], wanted: u64) -> Result<(u64, SyncCommittee), Fault> {
        if files.is_empty() {
            if wanted != self.period {
                let text = format!(
                    "the finality update is signed in sync committee period {wanted}, the bootstrap is of period {}: add --updates for the periods between",
                    self.period
                );
                return Err(Fault::new(Exit::Data, text));
            }
            return Ok((self.period, self.committee.clone()));
        }
        let updates: Vec<LightClientUpdate> = self.read_updates(files)?;
        let needed = usize::try_from(wanted.saturating_sub(self.period))
            .unwrap_or(usize::MAX)
            .min(updates.len());
        let updates = &updates[..needed];
        let Some(last) = updates.last() else { return Ok((self.period, self.committee.clone())) };
        self.change(updates)
            .check_committees()
            .map_err(|error| Fault::about(Exit::Data, "--updates", &error))?;
        Ok((self.period + needed as u64, last.next_sync_committee.clone()))
    }

    fn read_updates(&self, files: &[PathBuf]) -> Result<Vec<LightClientUpdate>, Fault> {
        let mut updates = Vec::new();
        for path in files {
            let more = read_updates(&self.chain, &read(path)?)
                .map_err(|error| Fault::about(Exit::Data, path.display(), &error))?;
            updates.extend(more);
        }
        updates.sort_by_key(|update| update.attested_header.beacon.slot);
        Ok(updates)
    }

    fn change(&self, updates: &[LightClientUpdate]) -> CommitteeChangeInput {
        CommitteeChangeInput {
            chain: self.chain.clone(),
            signer_period: self.period,
            committee: self.committee.to_ssz().into(),
            updates: updates.iter().map(|update| update.to_ssz(&self.chain).into()).collect(),
            execution_header: None,
        }
    }
}

/// The RLP of an execution block's header, from a node's answer.
fn read_execution_header(path: &Path) -> Result<Bytes, Fault> {
    read_block_header(&read(path)?)
        .map_err(|error| Fault::about(Exit::Data, path.display(), &error))
}

/// A whole file, within reason.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(
        |error| Fault::about(Exit::NoInput, format_args!("cannot read {}", path.display()), &error),
    )?;
    if bytes.len() as u64 > MAX_FILE {
        let text = format!(
            "{} has more than {} MiB: give the file that a node wrote",
            path.display(),
            MAX_FILE >> 20
        );
        return Err(Fault::new(Exit::Data, text));
    }
    Ok(bytes)
}
