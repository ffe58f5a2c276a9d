//! `--account A --slot S --slot T --account B …`: slots belong to the account before them.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind};
use lc_core::alloy_primitives::{Address, B256, U256};

/// An account whose proof is wanted, and its slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub address: Address,
    /// Its storage slots' keys.
    pub slots: Vec<B256>,
}

/// The accounts in the order of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Accounts(pub(super) Vec<Account>);

impl Args for Accounts {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str, value: &'static str| {
            Arg::new(name).long(name).value_name(value).action(ArgAction::Append)
        };
        command
            .arg(
                flag("account", "0x…")
                    .value_parser(clap::value_parser!(Address))
                    .help("Record this account's proof at the newest final block; may be repeated"),
            )
            .arg(
                flag("slot", "0x…")
                    .value_parser(parse_slot)
                    .help("And this storage slot of the account before it; may be repeated"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Accounts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut accounts: Vec<(usize, Account)> = Vec::new();
        for (at, address) in values::<Address>(matches, "account") {
            if accounts.iter().any(|(_, other)| other.address == address) {
                return Err(fault(format!(
                    "--account {address} is there twice: give its slots after the first"
                )));
            }
            accounts.push((at, Account { address, slots: Vec::new() }));
        }
        for (at, slot) in values::<B256>(matches, "slot") {
            let account = accounts.iter_mut().rev().find(|(of, _)| *of < at);
            let (_, account) = account
                .ok_or_else(|| fault(format!("--slot {slot} has no --account before it")))?;
            if account.slots.contains(&slot) {
                return Err(fault(format!("--slot {slot} is there twice for {}", account.address)));
            }
            account.slots.push(slot);
        }
        Ok(Self(accounts.into_iter().map(|(_, account)| account).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Each value with its place on the command line.
fn values<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<(usize, T)> {
    let values = matches.get_many::<T>(name).unwrap_or_default().cloned();
    matches.indices_of(name).unwrap_or_default().zip(values).collect()
}

fn fault(text: String) -> Error {
    Error::raw(ErrorKind::ValueValidation, text + "\n")
}

/// A key as nodes take it: 32 bytes, or a number.
fn parse_slot(text: &str) -> Result<B256, String> {
    let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()));
    let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
    number.map(B256::from).ok_or_else(|| "give at most 32 bytes in hex, as 0x0".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        accounts: Accounts,
    }

    fn parse(line: &str) -> Result<Vec<Account>, String> {
        let words = ["record"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.accounts.0)
    }

    const A: &str = "0x00000000000000000000000000000000000000aa";
    const B: &str = "0x00000000000000000000000000000000000000bb";

    #[test]
    fn slots_belong_to_the_account_before_them() {
        let slot = |number: u8| B256::with_last_byte(number);
        let accounts =
            parse(&format!("--account {A} --slot 0x1 --slot 0x02 --account {B}")).unwrap();
        assert_eq!(accounts.len(), 2);
        assert_eq!(accounts[0].slots, [slot(1), slot(2)]);
        assert_eq!((accounts[1].address, accounts[1].slots.len()), (B.parse().unwrap(), 0));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn flags_that_make_no_question_are_refused() {
        for (line, says) in [
            ("--slot 0x1".to_owned(), "has no --account before it"),
            (format!("--slot 0x1 --account {A}"), "has no --account before it"),
            (
                format!("--account {A} --account {A}"),
                "is there twice: give its slots after the first",
            ),
            (format!("--account {A} --slot 0x1 --slot 0x01"), "is there twice for 0x"),
            (format!("--account {A} --slot 1"), "give at most 32 bytes in hex, as 0x0"),
            (format!("--account {A} --slot 0x{}", "1".repeat(65)), "give at most 32 bytes"),
            ("--account 0x12".to_owned(), "invalid"),
        ] {
            let error = parse(&line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
