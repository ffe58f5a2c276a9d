//! `light-client prove`.

use std::path::Path;

use lc_core::{alloy_primitives::Bytes, host::ProgramInput, statement::Account};
use light_client::{
    Store, StoreFile,
    ask::{CommitteeChangeAsk, InclusionAsk},
    files,
    prove::Delivery,
    statement::Statement,
    verify::{ProofChecker, built_in_checker},
};
use proof_server::{
    client::ClientOptions,
    types::{ProofMode, RequestName},
};
use serde_json::json;

use super::{
    args::{CommitteeChangeArgs, ExecutionHeaderArgs, InclusionArgs, ServerArgs},
    attempts::Attempts,
    fault::Fault,
    inspect::{circuit, description, trusted_json, verdict},
    report::{Report, bytes, counted, grouped, seconds},
};

pub(super) fn committee_change(args: &CommitteeChangeArgs) -> Result<(), Fault> {
    let report = Report::new();
    let (file, store) = StoreFile::open(&args.store.path)?;
    let updates = files::updates(&store.chain, &args.updates)?;
    let asked = CommitteeChangeAsk::new(&store, &updates, args.count.map(usize::from))?
        .with_execution_header(args.execution_header.read()?)?;
    let checker = built_in_checker(args.server.circuits.read()?)?;
    let attempts =
        attempts(report, &args.server, &args.store.path, &store, &*checker, &asked.input())?;
    let begun = || {
        if asked.skipped > 0 {
            let skipped = counted(asked.skipped as u64, "update");
            report.note("skipping", format_args!("{skipped} of periods before {}", store.period));
        }
        let (mode, updates) = (args.server.mode, counted(asked.periods(), "update"));
        let to = store.period + asked.periods();
        report.note(
            "asking",
            format_args!("{mode} proof from period {} to {to}, {updates}", store.period),
        );
    };
    let (next, statement, delivery) = attempts.until_answered(begun, |session, on_event| {
        session.committee_change(&*checker, &store, &asked, on_event)
    })?;
    save_proof(&args.server, &delivery)?;
    file.save(&next)?;

    if args.server.json {
        return print_json(&report, &delivery, &Statement::CommitteeChange(statement), Some(&next));
    }
    delivered(&report, &delivery)?;
    let size = store.chain.sync_committee_size;
    let or_more = if asked.periods() == 1 { "" } else { " or more, each update" };
    report
        .result("signed", format_args!("by {} of {size}{or_more}", statement.minParticipation))?;
    let (before, after) = (&store.finalized, &next.finalized);
    let (period, root) = (next.period, statement.newCommittee);
    report.result("committee", format_args!("{root}, signs in period {period}"))?;
    report.result("finalized", format_args!("{}, slot {}", after.root, after.slot))?;
    report.result(
        "store",
        format_args!(
            "period {} -> {period}, finalized slot {} -> {}",
            store.period, before.slot, after.slot
        ),
    )?;
    saved(&report, &args.server)
}

pub(super) fn inclusion(args: &InclusionArgs) -> Result<(), Fault> {
    let report = Report::new();
    let store = StoreFile::read(&args.store.path)?;
    let update = files::finality_update(&store.chain, &args.finality_update)?;
    let accounts = files::account_proofs(&args.account_proofs)?;
    let asked = InclusionAsk::new(&store, &update, accounts)?
        .with_execution_header(args.execution_header.read()?)?;
    let checker = built_in_checker(args.server.circuits.read()?)?;
    let attempts =
        attempts(report, &args.server, &args.store.path, &store, &*checker, &asked.input())?;
    let begun = || {
        let slots = asked.accounts().map(|(_, keys)| keys.len() as u64).sum();
        let accounts = counted(asked.accounts().len() as u64, "account");
        let (mode, block) = (args.server.mode, asked.finalized.execution_number);
        let slots = counted(slots, "slot");
        report.note(
            "asking",
            format_args!("{mode} proof of {accounts} and {slots} at block {block}"),
        );
    };
    let (inclusion, delivery) = attempts.until_answered(begun, |session, on_event| {
        session.inclusion(&*checker, &store, &asked, on_event)
    })?;
    save_proof(&args.server, &delivery)?;

    if args.server.json {
        return print_json(&report, &delivery, &Statement::Inclusion(inclusion), None);
    }
    delivered(&report, &delivery)?;
    let size = store.chain.sync_committee_size;
    let (root, hash) = (inclusion.finalizedRoot, inclusion.executionHash);
    report.result("signed", format_args!("by {} of {size}", inclusion.participation))?;
    report.result("finalized", format_args!("{root}, slot {}", inclusion.finalizedSlot))?;
    report.result("execution", format_args!("{hash}, block {}", inclusion.executionNumber))?;
    inclusion.accounts.iter().try_for_each(|account| print_account(&report, account))?;
    saved(&report, &args.server)
}

impl ExecutionHeaderArgs {
    fn read(&self) -> Result<Option<Bytes>, Fault> {
        Ok(self.file.as_deref().map(files::execution_header).transpose()?)
    }
}

fn print_account(report: &Report, account: &Account) -> Result<(), Fault> {
    if account.exists {
        report.result("account", account.account)?;
        report.result("  nonce", account.nonce)?;
        report.result("  balance", format_args!("{} wei", account.balance))?;
        report.result("  storage", account.storageRoot)?;
        report.result("  code", account.codeHash)?;
    } else {
        report.result("account", format_args!("{} does not exist", account.account))?;
    }
    for slot in &account.slots {
        report.result("  slot", slot.key)?;
        if slot.value.is_zero() {
            report.result("    holds", "nothing: proven absent")?;
        } else {
            report.result("    holds", format_args!("{:#066x}", slot.value))?;
        }
    }
    Ok(())
}

fn print_json(
    report: &Report,
    delivery: &Delivery,
    statement: &Statement,
    next: Option<&Store>,
) -> Result<(), Fault> {
    let Delivery { proof, stats, waited, verified_in } = delivery;
    let mut json = description(proof, statement);
    json["verified"] = (!proof.engine.is_mock()).into();
    let seconds = |microseconds: u128| microseconds as f64 / 1e6;
    json["seconds"] = json!({
        "total": seconds(waited.as_micros()),
        "queue": seconds(stats.queue_us.into()),
        "prove": seconds(stats.prove_us.into()),
        "verify": seconds(verified_in.as_micros()),
    });
    json["cycles"] = stats.cycles.into();
    json["shards"] = stats.shards.into();
    json["peakWorkerBytes"] = stats.peak_worker_bytes.into();
    if let Some(store) = next {
        json["store"] = trusted_json(store);
    }
    report.text(format_args!("{json:#}\n"))
}

/// Everything that can be known to fail is known before a prover works.
fn attempts<'a>(
    report: Report,
    args: &'a ServerArgs,
    store_path: &Path,
    store: &Store,
    checker: &'a dyn ProofChecker,
    input: &ProgramInput,
) -> Result<Attempts<'a>, Fault> {
    if store.mock && !args.allow_mock {
        return Err(Fault::MockStore { path: store_path.display().to_string() });
    }
    if store.development && args.circuits.keys.is_empty() {
        return Err(Fault::DevelopmentStore { path: store_path.display().to_string() });
    }
    if let Some(out) = &args.out {
        files::check_writable(out)?;
    }
    let mut options = ClientOptions::new(concat!("light-client ", env!("CARGO_PKG_VERSION")));
    options.connect_timeout = args.connect_timeout;
    options.tls = args.tls.load()?;
    options.job = Some(job(checker, args.mode, input));
    Ok(Attempts { report, args, options, checker })
}

/// The job's name, as a server with the pinned keys has it.
fn job(checker: &dyn ProofChecker, mode: ProofMode, input: &ProgramInput) -> RequestName {
    let pins = checker.pins();
    let pin = pins.iter().find(|pin| pin.program == input.program());
    RequestName::of_prove(pin.map(|pin| pin.vkey), mode, input)
}

fn save_proof(args: &ServerArgs, delivery: &Delivery) -> Result<(), Fault> {
    let Some(out) = &args.out else { return Ok(()) };
    files::write_proof(out, &delivery.proof).map_err(|error| Fault::NotSaved {
        proof: delivery.proof.program,
        source: Box::new(error.into()),
    })
}

fn delivered(report: &Report, delivery: &Delivery) -> Result<(), Fault> {
    let Delivery { proof, stats, waited, verified_in } = delivery;
    let size = bytes(proof.bytes.len() as u64);
    let (cycles, shards) = (grouped(stats.cycles), counted(stats.shards.into(), "shard"));
    let peak = bytes(stats.peak_worker_bytes);
    report.result(
        "proven",
        format_args!(
            "in {}: {}, {size}, {cycles} cycles, {shards}, worker's peak {peak}",
            seconds(*waited),
            proof.mode
        ),
    )?;
    let how = format_args!("in {}, key {}", seconds(*verified_in), proof.vkey);
    report.result("verified", verdict(proof, how))?;
    circuit(report, proof)
}

fn saved(report: &Report, args: &ServerArgs) -> Result<(), Fault> {
    args.out.as_ref().map_or(Ok(()), |out| report.result("saved", out.display()))
}
