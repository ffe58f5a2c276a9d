//! `proof-server execute`: how an integrator tries an input.

use std::{path::PathBuf, time::Instant};

use clap::{Args, Subcommand};
use lc_core::{
    alloy_primitives::hex,
    host::{Checked, InputError, ProgramInput},
};
use proof_server::error_chain;
use serde_json::{Value, json};

use super::{
    Exit, Fault,
    input::{ChainArgs, Trusted},
    print,
    values::{self, Fields},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  proof-server execute committee-change --network mainnet --bootstrap bootstrap.ssz --updates updates.ssz
  proof-server execute inclusion --network mainnet --bootstrap bootstrap.json \\
      --finality-update finality.json --account-proof proof.json --json

Exit code 0: the input can be proven; 65: it is refused, and the reason says which check failed.";

const FILES: &str = "\
Each FILE is what a node handed out, told apart by content: one SSZ object, the beacon API's SSZ
stream, or its JSON answer. Where to get them:
  bootstrap        /eth/v1/beacon/light_client/bootstrap/BLOCK_ROOT
  updates          /eth/v1/beacon/light_client/updates?start_period=PERIOD&count=N
  finality update  /eth/v1/beacon/light_client/finality_update
  account proof    eth_getProof at the finality update's finalized execution block
  execution header debug_getRawHeader or eth_getBlockByHash of that block, of the last update's for a committee
                   change: needed from Gloas on, when light-client headers have its hash alone

The bootstrap is taken as trusted: compare its block root with a source you trust before you use what follows from it.";

#[derive(Debug, Args)]
pub(super) struct ExecuteArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The sync committee changed: updates of consecutive periods, from the bootstrap's on
    #[command(after_help = FILES)]
    CommitteeChange {
        #[command(flatten)]
        common: Common,
        /// LightClientUpdates, in one file or several
        #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
        updates: Vec<PathBuf>,
    },
    /// Accounts and storage slots are, or are not, in finalized state
    #[command(after_help = FILES)]
    Inclusion {
        #[command(flatten)]
        common: Common,
        /// A LightClientFinalityUpdate
        #[arg(long, value_name = "FILE")]
        finality_update: PathBuf,
        /// eth_getProof answers, one a file
        #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
        account_proof: Vec<PathBuf>,
        /// LightClientUpdates, where the finality update is signed in a later period than the bootstrap's
        #[arg(long, value_name = "FILE", num_args = 1..)]
        updates: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    chain: ChainArgs,
    /// A LightClientBootstrap
    #[arg(long, value_name = "FILE")]
    bootstrap: PathBuf,
    /// Header of the execution block under the finalized block; needed from Gloas on
    #[arg(long, value_name = "FILE")]
    execution_header: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What an execution came to.
struct Verdict {
    checked: Checked,
    values: Fields,
    native_seconds: f64,
    guest: Option<Guest>,
}

/// What the program did. Only a build with the executor has one.
struct Guest {
    cycles: u64,
    gas: u64,
    seconds: f64,
    syscalls: Value,
}

pub(super) fn run(args: &ExecuteArgs) -> Result<(), Fault> {
    let (common, input) = match &args.what {
        What::CommitteeChange { common, updates } => {
            let trusted = Trusted::load(&common.chain, &common.bootstrap)?;
            (common, trusted.committee_change(updates, common.execution_header.as_deref())?)
        }
        What::Inclusion { common, finality_update, account_proof, updates } => {
            let trusted = Trusted::load(&common.chain, &common.bootstrap)?;
            let header = common.execution_header.as_deref();
            (common, trusted.inclusion(updates, finality_update, account_proof, header)?)
        }
    };
    let verdict = judge(&input).map_err(|refusal| refusal.report(common.json, &input))?;
    print(&if common.json { verdict.json() } else { verdict.text() });
    Ok(())
}

/// Why an input has no verdict `valid`.
enum Refusal {
    Input(InputError),
    Fault(Fault),
}

impl Refusal {
    /// The one line on standard error, after the JSON object where that was asked for.
    fn report(self, as_json: bool, input: &ProgramInput) -> Fault {
        let error = match self {
            Self::Fault(fault) => return fault,
            Self::Input(error) => error,
        };
        if as_json {
            let check = proof_server::check_name(&error);
            let (program, reason) = (input.program().name(), error_chain(&error));
            let object = json!({ "verdict": "invalid", "program": program, "check": check, "reason": reason });
            print(&format!("{object:#}\n"));
        }
        Fault::of(Exit::Data, &error)
    }
}

fn judge(input: &ProgramInput) -> Result<Verdict, Refusal> {
    let began = Instant::now();
    let checked = input.check().map_err(Refusal::Input)?;
    let native_seconds = began.elapsed().as_secs_f64();
    let guest = run_guest(&checked).map_err(Refusal::Fault)?;
    let values = values::decode(checked.program, &checked.public_values)
        .map_err(|error| Refusal::Fault(Fault::of(Exit::Software, &error)))?;
    Ok(Verdict { checked, values, native_seconds, guest })
}

/// Runs the program in the executor and compares what it commits.
#[cfg(feature = "cpu")]
fn run_guest(checked: &Checked) -> Result<Option<Guest>, Fault> {
    use proof_server::execute::{GuestError, execute};
    let began = Instant::now();
    let run = execute(checked.program, &checked.witness).map_err(|error| {
        let exit = if matches!(error, GuestError::Refused { .. }) {
            Exit::Software
        } else {
            Exit::Unavailable
        };
        Fault::about(exit, format_args!("the program {} does not run", checked.program), &error)
    })?;
    if run.public_values != checked.public_values {
        let text = format!(
            "the program {} commits other public values than the native check finds: report this input",
            checked.program
        );
        return Err(Fault::new(Exit::Software, text));
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Some(Guest { cycles: run.cycles, gas: run.gas, seconds, syscalls: json!(run.syscalls) }))
}

#[cfg(not(feature = "cpu"))]
#[expect(clippy::unnecessary_wraps, reason = "a build with the executor can fail here")]
fn run_guest(_: &Checked) -> Result<Option<Guest>, Fault> {
    Ok(None)
}

impl Verdict {
    fn text(&self) -> String {
        let Checked { program, public_values, witness } = &self.checked;
        let guest = match &self.guest {
            Some(guest) => format!(
                "cycles: {}\ngas: {}\nguest: ran in {:.2} s and committed the same public values\n",
                guest.cycles, guest.gas, guest.seconds
            ),
            None => "guest: not run, this build has no executor\n".to_owned(),
        };
        format!(
            "verdict: valid\nprogram: {program}\npublic values ({} bytes):\n{}native check: {:.3} s\nwitness: {} bytes\n{guest}",
            public_values.len(),
            self.values.lines(2),
            self.native_seconds,
            witness.len(),
        )
    }

    fn json(&self) -> String {
        let Checked { program, public_values, witness } = &self.checked;
        let guest = self.guest.as_ref();
        let object = json!({
            "verdict": "valid",
            "program": program.name(),
            "publicValues": hex::encode_prefixed(public_values),
            "decoded": self.values.json(),
            "witnessBytes": witness.len(),
            "nativeSeconds": self.native_seconds,
            "guestSeconds": guest.map(|guest| guest.seconds),
            "cycles": guest.map(|guest| guest.cycles),
            "gas": guest.map(|guest| guest.gas),
            "syscalls": guest.map(|guest| guest.syscalls.clone()),
        });
        format!("{object:#}\n")
    }
}
