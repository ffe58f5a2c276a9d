//! Public values for people and for programs.

use std::fmt::{Display, Write};

use lc_core::{
    ProgramId,
    alloy_sol_types::{Error, SolValue},
    statement::{Account, CommitteeChange, Inclusion},
};
use serde_json::{Map, Value};

/// Named values in the order of the Solidity struct, under its names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fields(Vec<(&'static str, Item)>);

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Number(u64),
    Flag(bool),
    /// Words as hex; integers of 256 bits in decimal, so that every JSON reader keeps them.
    Text(String),
    List(Vec<Fields>),
}

/// Decodes what `program` committed.
pub(super) fn decode(program: ProgramId, public_values: &[u8]) -> Result<Fields, Error> {
    match program {
        ProgramId::CommitteeChange => {
            CommitteeChange::abi_decode_validate(public_values).map(committee_change)
        }
        ProgramId::Inclusion => Inclusion::abi_decode_validate(public_values).map(inclusion),
    }
}

fn committee_change(s: CommitteeChange) -> Fields {
    Fields(vec![
        ("chain", text(s.chain)),
        ("signerPeriod", Item::Number(s.signerPeriod)),
        ("signerCommittee", text(s.signerCommittee)),
        ("newPeriod", Item::Number(s.newPeriod)),
        ("newCommittee", text(s.newCommittee)),
        ("minParticipation", Item::Number(s.minParticipation)),
        ("finalizedSlot", Item::Number(s.finalizedSlot)),
        ("finalizedRoot", text(s.finalizedRoot)),
        ("executionNumber", Item::Number(s.executionNumber)),
        ("executionHash", text(s.executionHash)),
        ("executionStateRoot", text(s.executionStateRoot)),
    ])
}

fn inclusion(s: Inclusion) -> Fields {
    Fields(vec![
        ("chain", text(s.chain)),
        ("signerPeriod", Item::Number(s.signerPeriod)),
        ("signerCommittee", text(s.signerCommittee)),
        ("participation", Item::Number(s.participation)),
        ("attestedSlot", Item::Number(s.attestedSlot)),
        ("finalizedSlot", Item::Number(s.finalizedSlot)),
        ("finalizedRoot", text(s.finalizedRoot)),
        ("executionNumber", Item::Number(s.executionNumber)),
        ("executionHash", text(s.executionHash)),
        ("executionStateRoot", text(s.executionStateRoot)),
        ("accounts", Item::List(s.accounts.into_iter().map(account).collect())),
    ])
}

fn account(account: Account) -> Fields {
    let slots = account
        .slots
        .into_iter()
        .map(|slot| Fields(vec![("key", text(slot.key)), ("value", text(slot.value))]));
    Fields(vec![
        ("account", text(account.account)),
        ("exists", Item::Flag(account.exists)),
        ("nonce", Item::Number(account.nonce)),
        ("balance", text(account.balance)),
        ("storageRoot", text(account.storageRoot)),
        ("codeHash", text(account.codeHash)),
        ("slots", Item::List(slots.collect())),
    ])
}

fn text(value: impl Display) -> Item {
    Item::Text(value.to_string())
}

impl Fields {
    pub(super) fn json(&self) -> Value {
        let field = |(name, item): &(&'static str, Item)| ((*name).to_owned(), item.json());
        Value::Object(self.0.iter().map(field).collect::<Map<_, _>>())
    }

    /// One line a field, `indent` spaces in front; lists as dashes.
    pub(super) fn lines(&self, indent: usize) -> String {
        let mut out = String::new();
        for (name, item) in &self.0 {
            let _ = match item {
                Item::Number(number) => writeln!(out, "{:indent$}{name}: {number}", ""),
                Item::Flag(flag) => writeln!(out, "{:indent$}{name}: {flag}", ""),
                Item::Text(text) => writeln!(out, "{:indent$}{name}: {text}", ""),
                Item::List(items) => {
                    let _ = writeln!(out, "{:indent$}{name}: {}", "", items.len());
                    for item in items {
                        let lines = item.lines(indent + 4);
                        let _ = write!(
                            out,
                            "{:dash$}- {}",
                            "",
                            &lines[indent + 4..],
                            dash = indent + 2
                        );
                    }
                    Ok(())
                }
            };
        }
        out
    }
}

impl Item {
    fn json(&self) -> Value {
        match self {
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => Value::Array(items.iter().map(Fields::json).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lc_core::{
        alloy_primitives::{Address, B256, U256},
        statement::Slot,
    };

    use super::*;

    fn statement() -> Inclusion {
        let slot = Slot { key: B256::repeat_byte(3), value: U256::MAX };
        let account = Account {
            account: Address::repeat_byte(2),
            exists: true,
            nonce: 5,
            balance: U256::from(7),
            storageRoot: B256::ZERO,
            codeHash: B256::ZERO,
            slots: vec![slot],
        };
        let word = B256::repeat_byte(1);
        Inclusion {
            chain: word,
            signerPeriod: 10,
            signerCommittee: word,
            participation: 400,
            attestedSlot: 12,
            finalizedSlot: 11,
            finalizedRoot: word,
            executionNumber: 13,
            executionHash: word,
            executionStateRoot: word,
            accounts: vec![account],
        }
    }

    #[test]
    fn an_inclusion_is_shown_field_by_field() {
        let fields = decode(ProgramId::Inclusion, &statement().abi_encode()).unwrap();
        let lines = fields.lines(2);
        assert!(lines.starts_with("  chain: 0x0101"), "{lines}");
        assert!(lines.contains("\n  accounts: 1\n    - account: 0x0202"), "{lines}");
        assert!(lines.contains("\n      exists: true\n"), "{lines}");
        assert!(lines.contains("\n        - key: 0x0303"), "{lines}");
        let json = fields.json();
        assert_eq!(json["accounts"][0]["slots"][0]["value"], U256::MAX.to_string());
        assert_eq!(json["participation"], 400);
    }

    #[test]
    fn bytes_that_are_no_public_values_are_refused() {
        let mut bytes = statement().abi_encode();
        bytes.pop();
        decode(ProgramId::Inclusion, &bytes).unwrap_err();
        decode(ProgramId::CommitteeChange, &[0; 31]).unwrap_err();
    }
}
