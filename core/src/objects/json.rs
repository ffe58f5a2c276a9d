//! JSON as the beacon API writes it: integers in quotes, bytes as `0x` hex. [`Json`] reads it and names what
//! is wrong by its path; [`Node`] writes it in a fixed order, so the same object gives the same bytes.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::{
    alloy_primitives::{B256, U256},
    objects::ObjectError,
};

/// A value and where it was found.
#[derive(Debug)]
pub(super) struct Json<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Json<'a> {
    /// The whole document, or a part of it called `path`.
    pub(super) const fn new(value: &'a Value, path: String) -> Self {
        Self { value, path }
    }

    /// The field called `name`, which must be there.
    pub(super) fn field(&self, name: &str) -> Result<Self, ObjectError> {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        let fields = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        match fields.get(name) {
            Some(value) => Ok(Self { value, path }),
            None => Err(ObjectError::Field {
                path,
                found: "missing".to_owned(),
                wanted: "the field".to_owned(),
            }),
        }
    }

    /// Refuses fields that this fork's object does not have: they belong to a fork we would read wrongly.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), ObjectError> {
        let fields = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        match fields.keys().find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(ObjectError::Field {
                path: self.path.clone(),
                found: format!("an object with `{}`", shorten(unknown)),
                wanted: format!("only {}", names.join(", ")),
            }),
        }
    }

    /// The elements of an array of exactly `len`.
    pub(super) fn list(&self, len: usize) -> Result<Vec<Self>, ObjectError> {
        match self.value {
            Value::Array(values) if values.len() == len => {
                let at = |(i, value)| Self { value, path: format!("{}[{i}]", self.path) };
                Ok(values.iter().enumerate().map(at).collect())
            }
            _ => Err(self.wrong(&format!("an array of {len}"))),
        }
    }

    /// A `uint64` in quotes: decimal digits and nothing else.
    pub(super) fn uint64(&self) -> Result<u64, ObjectError> {
        let wrong = || self.wrong("a 64-bit integer in quotes");
        self.digits().and_then(|digits| digits.parse().ok()).ok_or_else(wrong)
    }

    /// A `uint256` in quotes.
    pub(super) fn uint256(&self) -> Result<U256, ObjectError> {
        let wrong = || self.wrong("a 256-bit integer in quotes");
        self.digits().and_then(|digits| U256::from_str_radix(digits, 10).ok()).ok_or_else(wrong)
    }

    /// `N` bytes in hex.
    pub(super) fn fixed<const N: usize>(&self) -> Result<[u8; N], ObjectError> {
        let bytes = self.bytes_where(|len| len == N, &format!("0x and {N} bytes in hex"))?;
        Ok(bytes.try_into().expect("the length was checked"))
    }

    /// `len` bytes in hex.
    pub(super) fn bytes(&self, len: usize) -> Result<Vec<u8>, ObjectError> {
        self.bytes_where(|found| found == len, &format!("0x and {len} bytes in hex"))
    }

    /// At most `limit` bytes in hex.
    pub(super) fn bytes_up_to(&self, limit: usize) -> Result<Vec<u8>, ObjectError> {
        self.bytes_where(|found| found <= limit, &format!("0x and at most {limit} bytes in hex"))
    }

    /// A Merkle branch of exactly `depth` nodes.
    pub(super) fn branch(&self, depth: usize) -> Result<Vec<B256>, ObjectError> {
        self.list(depth)?.iter().map(|node| node.fixed::<32>().map(B256::from)).collect()
    }

    fn digits(&self) -> Option<&'a str> {
        let digits = self.value.as_str()?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (canonical && decimal).then_some(digits)
    }

    fn bytes_where(
        &self,
        fits: impl Fn(usize) -> bool,
        wanted: &str,
    ) -> Result<Vec<u8>, ObjectError> {
        let digits = self.value.as_str().and_then(|text| text.strip_prefix("0x"));
        // The length first: what is too long is not decoded.
        let digits = digits.filter(|digits| digits.len() % 2 == 0 && fits(digits.len() / 2));
        digits.and_then(|digits| hex::decode(digits).ok()).ok_or_else(|| self.wrong(wanted))
    }

    fn wrong(&self, wanted: &str) -> ObjectError {
        let path = match self.path.as_str() {
            "" => "the document".to_owned(),
            path => path.to_owned(),
        };
        ObjectError::Field { path, found: describe(self.value), wanted: wanted.to_owned() }
    }
}

/// What a value is, in a few words.
fn describe(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::Object(_) => "an object".to_owned(),
        other => shorten(&other.to_string()),
    }
}

/// Longest excerpt in a message, in characters: a node's error message fits, a public key does not.
const EXCERPT: usize = 64;

/// At most [`EXCERPT`] characters of `text`.
pub(super) fn shorten(text: &str) -> String {
    let short: String = text.chars().take(EXCERPT).collect();
    if short.len() < text.len() {
        format!("{short}… ({} characters)", text.chars().count())
    } else {
        short
    }
}

/// JSON to write.
#[derive(Debug)]
pub(super) enum Node {
    /// A string: a quoted integer or hex.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object, in this order.
    Object(Vec<(&'static str, Node)>),
}

impl Node {
    /// An integer in quotes.
    pub(super) fn quoted(value: impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    /// Bytes as `0x` hex.
    pub(super) fn hex(bytes: impl AsRef<[u8]>) -> Self {
        Self::Text(format!("0x{}", hex::encode(bytes)))
    }

    /// Each as `0x` hex.
    pub(super) fn hex_list<T: AsRef<[u8]>>(items: &[T]) -> Self {
        Self::List(items.iter().map(Self::hex).collect())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
