//! From a recording's files to what a proof server can be asked, as a light client would ask it.

use std::collections::BTreeMap;

use lc_core::{
    ChainSpec,
    alloy_primitives::Bytes,
    host::{
        NativeCrypto, ProgramInput, block_header::read_block_header, chain_spec_from_config_yaml,
        eth_get_proof::EthGetProof,
    },
    objects::{
        LightClientFinalityUpdate, LightClientUpdate,
        file::{read_bootstrap, read_finality_update, read_updates},
    },
    statement::AccountProof,
};
use light_client::{
    Store,
    ask::{AskError, CommitteeChangeAsk, InclusionAsk},
    decide::advance,
    statement::Statement,
};

use super::{
    Meta, Request,
    error::{Fault, RecordingError},
    sums::Files,
};

/// The files that a period's folder has beside its accounts.
const FINALITY: [&str; 2] = ["finality-update.ssz", "finality-update.json"];
const EXECUTION_HEADER: &str = "execution-header.json";

/// Folders whose names begin so are a period's each.
pub(crate) const PERIOD: &str = "period-";
/// Where execution blocks' headers are that updates need, one a period.
const EXECUTION_HEADERS: &str = "execution-headers/";

/// What a recording says of itself, and its requests: committee changes first, by period, then inclusions.
pub(super) fn of(files: &Files) -> Result<(Meta, Vec<Request>), RecordingError> {
    let meta = files.need("meta.json")?;
    let meta = Meta::parse(meta).map_err(|error| files.fault("meta.json", Fault::Json(error)))?;
    let chain = chain(files, &meta)?;
    let first = read_bootstrap(&chain, files.need("bootstrap.ssz")?)
        .map_err(Fault::from)
        .and_then(|read| {
            Ok(Store::bootstrap("recorded", chain.clone(), meta.trusted_block_root, &read)?)
        })
        .map_err(|fault| files.fault("bootstrap.ssz", fault))?;
    let updates = match files.get("updates.ssz") {
        Some(bytes) => {
            read_updates(&chain, bytes).map_err(|error| files.fault("updates.ssz", error))?
        }
        // A recording of nothing but inclusions under the bootstrap's committee.
        None => Vec::new(),
    };
    let mut requests = Vec::new();
    let stores = committee_changes(files, &first, &updates, &mut requests)?;
    inclusions(files, &stores, &mut requests)?;
    if requests.is_empty() { Err(files.empty()) } else { Ok((meta, requests)) }
}

fn chain(files: &Files, meta: &Meta) -> Result<ChainSpec, RecordingError> {
    let yaml = String::from_utf8_lossy(files.need("config.yaml")?);
    let chain = chain_spec_from_config_yaml(&yaml, meta.genesis_validators_root)
        .map_err(|error| files.fault("config.yaml", error))?;
    let (found, wanted) = (chain.hash_tree_root::<NativeCrypto>(), meta.chain);
    if found == wanted {
        Ok(chain)
    } else {
        Err(files.fault("config.yaml", Fault::Chain { found, wanted }))
    }
}

/// One request an update, and one for all of them; the stores that they lead to, by period.
///
/// An update that was signed before its period had a final block brings a committee that is not final yet: a light
/// client asks for it together with the next one, and so is it done here.
fn committee_changes(
    files: &Files,
    first: &Store,
    updates: &[LightClientUpdate],
    requests: &mut Vec<Request>,
) -> Result<BTreeMap<u64, Store>, RecordingError> {
    let fault = |fault| files.fault("updates.ssz", fault);
    let mut stores = BTreeMap::from([(first.period, first.clone())]);
    let (mut store, mut from) = (first.clone(), 0);
    for to in 1..=updates.len() {
        match change(files, &store, &updates[from..to]) {
            Err(Fault::Ask(AskError::NotFinal { .. })) if to < updates.len() => {}
            step => {
                let (request, next) = step.map_err(fault)?;
                requests.push(request);
                stores.insert(next.period, next.clone());
                (store, from) = (next, to);
            }
        }
    }
    if requests.len() > 1 {
        requests.push(change(files, first, updates).map_err(fault)?.0);
    }
    Ok(stores)
}

/// The request for these updates, and the store after it.
fn change(
    files: &Files,
    store: &Store,
    updates: &[LightClientUpdate],
) -> Result<(Request, Store), Fault> {
    let (first, last) = (store.period, store.period + updates.len() as u64 - 1);
    let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
    let asked = CommitteeChangeAsk::new(store, updates, None)?
        .with_execution_header(update_header(files, last)?)?;
    let (request, statement) = checked(format!("committee-change/{range}"), asked.input())?;
    let Statement::CommitteeChange(change) = statement else {
        unreachable!("a committee change's values were decoded")
    };
    Ok((request, advance(store, &change, &asked)?))
}

/// The header of the execution block under the update of `period`, where it is needed.
fn update_header(files: &Files, period: u64) -> Result<Option<Bytes>, Fault> {
    let bytes = files.get(&format!("{EXECUTION_HEADERS}{period}.json"));
    Ok(bytes.map(read_block_header).transpose()?)
}

/// One request for each file of accounts, and one for all of a period.
fn inclusions(
    files: &Files,
    stores: &BTreeMap<u64, Store>,
    requests: &mut Vec<Request>,
) -> Result<(), RecordingError> {
    for (folder, names) in folders(files)? {
        let period =
            folder[PERIOD.len()..].parse().map_err(|_| files.fault(folder, Fault::Unknown))?;
        let store = stores.get(&period);
        let store = store.ok_or_else(|| files.fault(folder, Fault::NoCommittee(period)))?;
        let path = |name: &str| format!("{folder}/{name}");
        let finality = FINALITY.into_iter().find(|name| names.contains(name));
        let finality =
            path(finality.ok_or_else(|| files.fault(folder, Fault::Alone("finality-update.ssz")))?);
        let update = read_finality_update(&store.chain, files.get(&finality).unwrap_or_default())
            .map_err(|error| files.fault(&finality, error))?;
        let header = files.get(&path(EXECUTION_HEADER)).map(read_block_header).transpose();
        let header = header.map_err(|error| files.fault(&path(EXECUTION_HEADER), error))?;
        let mut all = Vec::new();
        for name in names.iter().filter(|name| is_account(name)) {
            let file = path(name);
            let account = EthGetProof::from_json(files.get(&file).unwrap_or_default())
                .map_err(|error| files.fault(&file, error))?
                .account_proof();
            let stem = name.trim_end_matches(".json");
            let request = inclusion(
                store,
                &update,
                vec![account.clone()],
                header.clone(),
                format!("inclusion/{period}/{stem}"),
            );
            requests.push(request.map_err(|fault| files.fault(&file, fault))?);
            all.push(account);
        }
        match all.len() {
            0 => return Err(files.fault(&finality, Fault::Alone("account's proof"))),
            1 => {}
            _ => {
                let request = inclusion(store, &update, all, header, format!("inclusion/{period}"));
                requests.push(request.map_err(|fault| files.fault(folder, fault))?);
            }
        }
    }
    Ok(())
}

fn inclusion(
    store: &Store,
    update: &LightClientFinalityUpdate,
    accounts: Vec<AccountProof>,
    header: Option<Bytes>,
    name: String,
) -> Result<Request, Fault> {
    let asked = InclusionAsk::new(store, update, accounts)?.with_execution_header(header)?;
    Ok(checked(name, asked.input())?.0)
}

/// Each period's folder with its files' names.
fn folders(files: &Files) -> Result<BTreeMap<&str, Vec<&str>>, RecordingError> {
    let mut folders = BTreeMap::<_, Vec<_>>::new();
    for name in files.names() {
        match name.split_once('/') {
            Some((folder, file)) if folder.starts_with(PERIOD) && !file.contains('/') => {
                folders.entry(folder).or_default().push(file);
            }
            Some(_) if !name.starts_with(EXECUTION_HEADERS) => {
                return Err(files.fault(name, Fault::Unknown));
            }
            _ => {}
        }
    }
    Ok(folders)
}

fn is_account(name: &str) -> bool {
    name.ends_with(".json") && !FINALITY.contains(&name) && name != EXECUTION_HEADER
}

/// The request, with what its own native check gives.
fn checked(name: String, input: ProgramInput) -> Result<(Request, Statement), Fault> {
    let public_values = input.check()?.public_values;
    let statement = Statement::decode(input.program(), &public_values);
    let statement = statement.map_err(|error| Fault::Json(error.to_string()))?;
    Ok((Request { name, input, public_values }, statement))
}
