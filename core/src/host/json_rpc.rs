//! What execution nodes answer over JSON-RPC: the bare result or the envelope around it, read field by field. An error
//! names the field by its path.

use alloy_primitives::{U256, hex};
use serde_json::Value;

/// Most characters of a wrong value that an error repeats.
const SHOWN: usize = 60;

/// Why text is not the answer that was wanted. Each method's own error says it in its words.
#[derive(Debug)]
pub(super) enum AnswerError {
    /// It is not JSON.
    NotJson(String),
    /// The node refused, with this message.
    NodeError(String),
    /// A value is missing or not what its field holds.
    Field { path: String, seen: String, wanted: &'static str },
}

/// Parses an answer.
pub(super) fn parse(json: &[u8]) -> Result<Value, AnswerError> {
    serde_json::from_slice(json).map_err(|error| AnswerError::NotJson(error.to_string()))
}

/// The result in an answer, or all of it where it has no envelope.
pub(super) fn result(answer: &Value) -> Result<Field<'_>, AnswerError> {
    let top = Field { path: String::new(), value: Some(answer) };
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        return Err(AnswerError::NodeError(shown(node_message(error))));
    }
    if answer.get("jsonrpc").or(answer.get("result")).is_some() {
        top.get("result")
    } else {
        Ok(top)
    }
}

/// What an error object says, or all of it where it says nothing.
fn node_message(error: &Value) -> String {
    error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned)
}

/// One line of at most [`SHOWN`] characters.
fn shown(text: String) -> String {
    let mut line: String = text.chars().take(SHOWN).filter(|c| !c.is_control()).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// A value in the answer, with its place.
#[derive(Debug)]
pub(super) struct Field<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl<'a> Field<'a> {
    pub(super) fn wrong(&self, wanted: &'static str) -> AnswerError {
        AnswerError::Field {
            path: if self.path.is_empty() { "all of it".to_owned() } else { self.path.clone() },
            seen: self.value.map_or_else(|| "missing".to_owned(), |value| shown(value.to_string())),
            wanted,
        }
    }

    /// The field called `key`, there or not.
    pub(super) fn get(&self, key: &str) -> Result<Self, AnswerError> {
        let object =
            self.value.and_then(Value::as_object).ok_or_else(|| self.wrong("an object"))?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Ok(Field { path: format!("{}{dot}{key}", self.path), value: object.get(key) })
    }

    /// Whether it is missing. Some nodes write null for what they do not have.
    pub(super) fn is_absent(&self) -> bool {
        self.value.is_none_or(Value::is_null)
    }

    /// Whether it is text.
    pub(super) fn is_text(&self) -> bool {
        self.value.is_some_and(Value::is_string)
    }

    pub(super) fn elements(&self) -> Result<Vec<Self>, AnswerError> {
        let array = self.value.and_then(Value::as_array).ok_or_else(|| self.wrong("an array"))?;
        let element =
            |(index, value)| Field { path: format!("{}[{index}]", self.path), value: Some(value) };
        Ok(array.iter().enumerate().map(element).collect())
    }

    /// The digits after `0x`.
    fn digits(&self) -> Option<&'a str> {
        self.value?.as_str()?.strip_prefix("0x")
    }

    /// Bytes in hex. None if it is something else.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        self.digits().and_then(|digits| hex::decode(digits).ok())
    }

    pub(super) fn fixed_bytes<const N: usize>(
        &self,
        wanted: &'static str,
    ) -> Result<[u8; N], AnswerError> {
        self.bytes().and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| self.wrong(wanted))
    }

    /// A number of at most 256 bits. Zeros in front are let pass: keys are padded with them.
    pub(super) fn quantity(&self) -> Result<U256, AnswerError> {
        let plain = |digits: &&str| {
            (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        self.digits()
            .filter(plain)
            .and_then(|digits| U256::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.wrong("a number of at most 32 bytes in hex"))
    }
}
