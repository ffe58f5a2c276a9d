//! What a proof says, decoded: for the decision about it, for people and for programs.

use std::fmt::Display;

use lc_core::{
    ProgramId,
    alloy_primitives::{B256, hex},
    alloy_sol_types::SolValue,
    statement::{Account, CommitteeChange, Inclusion},
};
use serde_json::{Value, json};

/// The public values of one proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Of [`ProgramId::CommitteeChange`].
    CommitteeChange(CommitteeChange),
    /// Of [`ProgramId::Inclusion`].
    Inclusion(Inclusion),
}

/// Bytes that are not the public values of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {length} bytes of public values are not those of {program}: the proof is of another release or damaged, ask for it again"
)]
pub struct PublicValuesError {
    /// The program whose values they should be.
    pub program: ProgramId,
    /// How many bytes there are.
    pub length: usize,
}

impl Statement {
    /// Decodes `abi.encode` of the program's struct. Strict: a statement has one encoding.
    ///
    /// # Errors
    /// [`PublicValuesError`] for any other bytes.
    pub fn decode(program: ProgramId, public_values: &[u8]) -> Result<Self, PublicValuesError> {
        let statement = match program {
            ProgramId::CommitteeChange => {
                CommitteeChange::abi_decode_validate(public_values).map(Self::CommitteeChange)
            }
            ProgramId::Inclusion => {
                Inclusion::abi_decode_validate(public_values).map(Self::Inclusion)
            }
        };
        let length = public_values.len();
        // The decoder follows offsets wherever they lead and ignores what is between and behind.
        statement
            .ok()
            .filter(|statement| statement.encode() == public_values)
            .ok_or(PublicValuesError { program, length })
    }

    /// `abi.encode` of the struct: what the program commits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::CommitteeChange(change) => change.abi_encode(),
            Self::Inclusion(inclusion) => inclusion.abi_encode(),
        }
    }

    /// The program that proves such a statement.
    #[must_use]
    pub const fn program(&self) -> ProgramId {
        match self {
            Self::CommitteeChange(_) => ProgramId::CommitteeChange,
            Self::Inclusion(_) => ProgramId::Inclusion,
        }
    }

    /// Every public value by its Solidity name, accounts left out, as text.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let fields = match self {
            Self::CommitteeChange(change) => change_fields(change).to_vec(),
            Self::Inclusion(inclusion) => inclusion_fields(inclusion).to_vec(),
        };
        fields.into_iter().map(|(name, value)| (name, value.text())).collect()
    }

    /// The accounts of an inclusion statement, else none.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        match self {
            Self::CommitteeChange(_) => &[],
            Self::Inclusion(inclusion) => &inclusion.accounts,
        }
    }

    /// All public values under their Solidity names: `uint64` as numbers, `uint256` as decimal strings (a
    /// JSON number loses digits), bytes as hex.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fields = match self {
            Self::CommitteeChange(change) => change_fields(change).to_vec(),
            Self::Inclusion(inclusion) => inclusion_fields(inclusion).to_vec(),
        };
        let mut json: serde_json::Map<_, _> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value.json())).collect();
        if let Self::Inclusion(inclusion) = self {
            let accounts = inclusion.accounts.iter().map(account_json).collect();
            json.insert("accounts".to_owned(), Value::Array(accounts));
        }
        Value::Object(json)
    }
}

/// One word of a statement.
#[derive(Clone, Copy)]
enum Field {
    Word(B256),
    Number(u64),
}

impl Field {
    fn text(self) -> String {
        match self {
            Self::Word(word) => word.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Word(word) => hex_json(word),
            Self::Number(number) => number.into(),
        }
    }
}

fn change_fields(change: &CommitteeChange) -> [(&'static str, Field); 11] {
    [
        ("chain", Field::Word(change.chain)),
        ("signerPeriod", Field::Number(change.signerPeriod)),
        ("signerCommittee", Field::Word(change.signerCommittee)),
        ("newPeriod", Field::Number(change.newPeriod)),
        ("newCommittee", Field::Word(change.newCommittee)),
        ("minParticipation", Field::Number(change.minParticipation)),
        ("finalizedSlot", Field::Number(change.finalizedSlot)),
        ("finalizedRoot", Field::Word(change.finalizedRoot)),
        ("executionNumber", Field::Number(change.executionNumber)),
        ("executionHash", Field::Word(change.executionHash)),
        ("executionStateRoot", Field::Word(change.executionStateRoot)),
    ]
}

fn inclusion_fields(inclusion: &Inclusion) -> [(&'static str, Field); 10] {
    [
        ("chain", Field::Word(inclusion.chain)),
        ("signerPeriod", Field::Number(inclusion.signerPeriod)),
        ("signerCommittee", Field::Word(inclusion.signerCommittee)),
        ("participation", Field::Number(inclusion.participation)),
        ("attestedSlot", Field::Number(inclusion.attestedSlot)),
        ("finalizedSlot", Field::Number(inclusion.finalizedSlot)),
        ("finalizedRoot", Field::Word(inclusion.finalizedRoot)),
        ("executionNumber", Field::Number(inclusion.executionNumber)),
        ("executionHash", Field::Word(inclusion.executionHash)),
        ("executionStateRoot", Field::Word(inclusion.executionStateRoot)),
    ]
}

fn account_json(account: &Account) -> Value {
    let slot = |slot: &lc_core::statement::Slot| json!({ "key": hex_json(slot.key), "value": slot.value.to_string() });
    json!({
        "account": hex_json(account.account),
        "exists": account.exists,
        "nonce": account.nonce,
        "balance": account.balance.to_string(),
        "storageRoot": hex_json(account.storageRoot),
        "codeHash": hex_json(account.codeHash),
        "slots": account.slots.iter().map(slot).collect::<Vec<_>>(),
    })
}

fn hex_json(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode_prefixed(bytes).into()
}

impl Display for Statement {
    /// One value a line, names left, accounts and slots below.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in self.fields() {
            writeln!(f, "{name:<18} {value}")?;
        }
        f.write_str(&accounts_table(self.accounts()))
    }
}

/// Accounts and their slots, a label and a value on each line.
#[must_use]
pub fn accounts_table(accounts: &[Account]) -> String {
    let mut lines = Vec::new();
    for account in accounts {
        let address = account.account;
        if account.exists {
            lines.push(format!("account            {address}"));
            lines.push(format!("  nonce            {}", account.nonce));
            lines.push(format!("  balance          {} wei", account.balance));
            lines.push(format!("  storageRoot      {}", account.storageRoot));
            lines.push(format!("  codeHash         {}", account.codeHash));
        } else {
            lines.push(format!("account            {address} does not exist"));
        }
        for slot in &account.slots {
            let absent = if slot.value.is_zero() { " (absent)" } else { "" };
            lines.push(format!("  slot             {}", slot.key));
            lines.push(format!("    value          {:#066x}{absent}", slot.value));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use lc_core::alloy_primitives::U256;

    use super::*;
    use crate::testing::{change, inclusion};

    #[test]
    fn both_statements_read_back_from_their_own_bytes() {
        for statement in [Statement::CommitteeChange(change()), Statement::Inclusion(inclusion())] {
            let bytes = statement.encode();
            assert_eq!(Statement::decode(statement.program(), &bytes), Ok(statement));
        }
    }

    #[test]
    fn bytes_with_anything_added_cut_or_of_the_other_program_are_refused() {
        let statements = [Statement::CommitteeChange(change()), Statement::Inclusion(inclusion())];
        for (statement, other) in [(0, 1), (1, 0)].map(|(a, b)| (&statements[a], &statements[b])) {
            let (program, bytes) = (statement.program(), statement.encode());
            for length in 0..bytes.len() {
                assert!(Statement::decode(program, &bytes[..length]).is_err(), "cut at {length}");
            }
            let longer = [bytes.as_slice(), &[0; 32]].concat();
            assert!(Statement::decode(program, &longer).is_err());
            let error = Statement::decode(other.program(), &bytes).unwrap_err();
            assert!(error.to_string().contains("are not those of"), "{error}");
        }
    }

    #[test]
    fn a_second_encoding_of_the_same_statement_is_refused() {
        let mut bytes = Statement::Inclusion(inclusion()).encode();
        // The first word is the offset of the struct: with a gap behind it, it decodes to the same.
        bytes[31] = 64;
        bytes.splice(32..32, [0; 32]);
        assert!(Inclusion::abi_decode_validate(&bytes).is_ok(), "the decoder itself takes it");
        assert!(Statement::decode(ProgramId::Inclusion, &bytes).is_err());
        let mut bytes = Statement::CommitteeChange(change()).encode();
        // The high bytes of a uint64 word.
        bytes[32] = 1;
        assert!(Statement::decode(ProgramId::CommitteeChange, &bytes).is_err());
    }

    #[test]
    fn json_has_every_public_value_under_its_solidity_name() {
        let json = Statement::Inclusion(inclusion()).to_json();
        assert_eq!(json["participation"], 22);
        assert_eq!(json["executionStateRoot"], format!("0x{}", "03".repeat(32)));
        assert_eq!(json["accounts"][0]["balance"], U256::MAX.to_string());
        assert_eq!(json["accounts"][0]["slots"][1]["value"], "0");
        assert_eq!(json["accounts"][1]["exists"], false);
        let json = Statement::CommitteeChange(change()).to_json();
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(11));
    }

    #[test]
    fn the_table_shows_presence_and_absence_apart() {
        let text = Statement::Inclusion(inclusion()).to_string();
        assert!(text.contains("participation      22\n"), "{text}");
        assert!(text.contains("000005\n") && text.contains("(absent)"), "{text}");
        assert!(text.contains("does not exist"), "{text}");
        let widths: Vec<_> = text.lines().map(|line| line.find("0x")).collect();
        assert!(widths.iter().flatten().all(|&column| column == 19), "{text}");
    }
}
