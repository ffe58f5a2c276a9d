//! Strict RLP, read in place: each value has exactly one encoding here, so that two readers can
//! never disagree about the same bytes. Nothing recurses and nothing is allocated; a reader goes
//! down a nested list only by asking for it.
//!
//! Source: Ethereum yellow paper, appendix B.

use alloy_primitives::{B256, U256};

/// First byte of the strings that are longer than the single-byte form.
const SHORT_STRING: u8 = 0x80;
/// First byte after the short strings: `0xb8` + n - 1 announces a length of n bytes.
const LONG_STRING: u8 = 0xb8;
/// First byte of the lists.
const SHORT_LIST: u8 = 0xc0;
/// First byte after the short lists.
const LONG_LIST: u8 = 0xf8;
/// Longest payload, in bytes, that the short forms hold; a longer one must use the long form.
const MAX_SHORT_LENGTH: u64 = 55;

/// Why bytes are not the RLP that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RlpError {
    /// The bytes end before the header or the payload does.
    #[error("RLP needs {wanted} more bytes and has {seen}: the data was cut, fetch it again")]
    Truncated {
        /// Bytes that the header announces, or the header itself takes.
        wanted: u64,
        /// Bytes that are there.
        seen: u64,
    },
    /// Bytes follow the one item.
    #[error("{extra} bytes follow the RLP item: remove them")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
    /// A byte below 0x80 is its own encoding, yet has a header.
    #[error("byte {byte:#04x} has an RLP header: encode it as itself")]
    NonCanonicalByte {
        /// The byte.
        byte: u8,
    },
    /// The long form was used for 55 bytes or fewer, or its length starts with a zero.
    #[error("RLP length {length} is not in its shortest form: encode it canonically")]
    NonCanonicalLength {
        /// The length as announced.
        length: u64,
    },
    /// A string stands where a list was wanted.
    #[error("an RLP string of {length} bytes stands where a list was wanted")]
    ExpectedList {
        /// Bytes of the string.
        length: usize,
    },
    /// A list stands where a string was wanted.
    #[error("an RLP list of {length} bytes stands where a string was wanted")]
    ExpectedString {
        /// Bytes of the list's payload.
        length: usize,
    },
    /// A list has fewer items than its type.
    #[error("the RLP list has {seen} items, wanted {wanted}")]
    TooFewItems {
        /// Items there.
        seen: usize,
        /// Items wanted.
        wanted: usize,
    },
    /// A list has more items than its type.
    #[error("the RLP list has more than {wanted} items")]
    TooManyItems {
        /// Items wanted.
        wanted: usize,
    },
    /// An integer starts with a zero byte; zero itself is the empty string.
    #[error("an RLP integer starts with a zero byte: encode it without")]
    LeadingZero,
    /// An integer is too large for its type.
    #[error("an RLP integer takes {seen} bytes, at most {limit} fit")]
    IntegerTooLong {
        /// Bytes of the integer.
        seen: usize,
        /// Bytes of the type.
        limit: usize,
    },
    /// A hash is not 32 bytes.
    #[error("an RLP string of {seen} bytes stands where a 32-byte hash was wanted")]
    HashLength {
        /// Bytes of the string.
        seen: usize,
    },
    /// A storage slot holds zero: such a slot is deleted from the trie, never stored.
    #[error("a storage slot holds zero, which no trie stores: the proof is not of a storage trie")]
    ZeroSlot,
}

/// One RLP item, borrowed from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A byte string.
    String(&'a [u8]),
    /// A list; its items are read one by one.
    List(Items<'a>),
}

/// One RLP item with the bytes that encode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The item.
    pub item: Item<'a>,
    /// The item's whole encoding, header included.
    pub raw: &'a [u8],
}

/// The items of a list that are not yet read. An iterator; after an error it is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items<'a>(&'a [u8]);

impl<'a> Item<'a> {
    /// The string.
    ///
    /// # Errors
    /// [`RlpError::ExpectedString`].
    pub const fn string(self) -> Result<&'a [u8], RlpError> {
        match self {
            Self::String(bytes) => Ok(bytes),
            Self::List(items) => Err(RlpError::ExpectedString { length: items.0.len() }),
        }
    }

    /// The items of the list.
    ///
    /// # Errors
    /// [`RlpError::ExpectedList`].
    pub const fn list(self) -> Result<Items<'a>, RlpError> {
        match self {
            Self::String(bytes) => Err(RlpError::ExpectedList { length: bytes.len() }),
            Self::List(items) => Ok(items),
        }
    }

    /// A 32-byte hash.
    ///
    /// # Errors
    /// [`RlpError::ExpectedString`], [`RlpError::HashLength`].
    pub fn hash(self) -> Result<B256, RlpError> {
        let bytes = self.string()?;
        B256::try_from(bytes).map_err(|_| RlpError::HashLength { seen: bytes.len() })
    }

    /// An unsigned integer of at most 256 bits: big endian, no leading zero, zero is empty.
    ///
    /// # Errors
    /// [`RlpError::ExpectedString`], [`RlpError::LeadingZero`], [`RlpError::IntegerTooLong`].
    pub fn u256(self) -> Result<U256, RlpError> {
        Ok(U256::from_be_slice(self.integer(32)?))
    }

    /// An unsigned integer of at most 64 bits, encoded as for [`Self::u256`].
    ///
    /// # Errors
    /// As for [`Self::u256`].
    pub fn u64(self) -> Result<u64, RlpError> {
        Ok(self.integer(8)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// The significant bytes of an integer that takes at most `limit`.
    fn integer(self, limit: usize) -> Result<&'a [u8], RlpError> {
        let bytes = self.string()?;
        match bytes {
            [0, ..] => Err(RlpError::LeadingZero),
            _ if bytes.len() > limit => Err(RlpError::IntegerTooLong { seen: bytes.len(), limit }),
            _ => Ok(bytes),
        }
    }
}

impl<'a> Items<'a> {
    /// True when every item has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All items of a list that must have exactly `N`.
    ///
    /// # Errors
    /// [`RlpError::TooFewItems`], [`RlpError::TooManyItems`], or that of a malformed item.
    pub fn exactly<const N: usize>(mut self) -> Result<[Item<'a>; N], RlpError> {
        let mut items = [Item::String(&[]); N];
        for (seen, slot) in items.iter_mut().enumerate() {
            let element = self.next().ok_or(RlpError::TooFewItems { seen, wanted: N })??;
            *slot = element.item;
        }
        if self.is_empty() { Ok(items) } else { Err(RlpError::TooManyItems { wanted: N }) }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Element<'a>, RlpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (element, rest) = match split(self.0) {
            Ok((element, rest)) => (Ok(element), rest),
            Err(error) => (Err(error), &[][..]),
        };
        self.0 = rest;
        Some(element)
    }
}

/// Reads the one item that `bytes` must be.
///
/// # Errors
/// Any [`RlpError`] of the header, and [`RlpError::TrailingBytes`]. The items inside a list are
/// only checked when they are read.
pub fn decode(bytes: &[u8]) -> Result<Item<'_>, RlpError> {
    let (element, rest) = split(bytes)?;
    if rest.is_empty() {
        Ok(element.item)
    } else {
        Err(RlpError::TrailingBytes { extra: rest.len() })
    }
}

/// Reads the first item and says what is left.
fn split(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), RlpError> {
    let &first = bytes.first().ok_or(RlpError::Truncated { wanted: 1, seen: 0 })?;
    if first < SHORT_STRING {
        let (raw, rest) = bytes.split_at(1);
        return Ok((Element { item: Item::String(raw), raw }, rest));
    }
    let (base, long) =
        if first < SHORT_LIST { (SHORT_STRING, LONG_STRING) } else { (SHORT_LIST, LONG_LIST) };
    let (header, length) = if first < long {
        (1, u64::from(first - base))
    } else {
        let width = usize::from(first - long) + 1;
        (1 + width, long_length(&bytes[1..], width)?)
    };
    let seen = (bytes.len() - header) as u64;
    if length > seen {
        return Err(RlpError::Truncated { wanted: length, seen });
    }
    // In range: no more than what is there.
    let (raw, rest) = bytes.split_at(header + length as usize);
    let payload = &raw[header..];
    let item = match (base, payload) {
        (SHORT_STRING, &[byte]) if byte < SHORT_STRING => {
            return Err(RlpError::NonCanonicalByte { byte });
        }
        (SHORT_STRING, _) => Item::String(payload),
        _ => Item::List(Items(payload)),
    };
    Ok((Element { item, raw }, rest))
}

/// The length in the first `width` bytes (1 to 8) after a long form's first byte.
fn long_length(bytes: &[u8], width: usize) -> Result<u64, RlpError> {
    let digits = bytes
        .get(..width)
        .ok_or(RlpError::Truncated { wanted: width as u64, seen: bytes.len() as u64 })?;
    let length = digits.iter().fold(0, |length, &byte| length << 8 | u64::from(byte));
    if digits[0] == 0 || length <= MAX_SHORT_LENGTH {
        return Err(RlpError::NonCanonicalLength { length });
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use alloy_rlp::Encodable;
    use proptest::prelude::*;

    use super::*;

    fn encoded(value: impl Encodable) -> Vec<u8> {
        let mut out = Vec::new();
        value.encode(&mut out);
        out
    }

    #[test]
    fn each_malformed_encoding_has_its_own_error() {
        let mut long_zero = vec![0xb9, 0, 60];
        long_zero.extend([1; 60]);
        let cases: &[(&[u8], RlpError)] = &[
            (&[], RlpError::Truncated { wanted: 1, seen: 0 }),
            (&[0x82, 1], RlpError::Truncated { wanted: 2, seen: 1 }),
            (&[0xc2, 1], RlpError::Truncated { wanted: 2, seen: 1 }),
            (&[0xb9, 1], RlpError::Truncated { wanted: 2, seen: 1 }),
            (
                &[0xbf, 255, 255, 255, 255, 255, 255, 255, 255],
                RlpError::Truncated { wanted: u64::MAX, seen: 0 },
            ),
            (
                &[0xff, 255, 255, 255, 255, 255, 255, 255, 255],
                RlpError::Truncated { wanted: u64::MAX, seen: 0 },
            ),
            (&[1, 2], RlpError::TrailingBytes { extra: 1 }),
            (&[0xc0, 0xc0], RlpError::TrailingBytes { extra: 1 }),
            (&[0x81, 0x7f], RlpError::NonCanonicalByte { byte: 0x7f }),
            (&[0x81, 0], RlpError::NonCanonicalByte { byte: 0 }),
            (&[0xb8, 55], RlpError::NonCanonicalLength { length: 55 }),
            (&[0xf8, 55], RlpError::NonCanonicalLength { length: 55 }),
            (&long_zero, RlpError::NonCanonicalLength { length: 60 }),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(decode(bytes), Err(*wanted), "{}", hex::encode(bytes));
        }
    }

    #[test]
    fn an_item_of_the_wrong_kind_or_size_has_its_own_error() {
        let string = Item::String(&[1, 2]);
        let list = decode(&[0xc2, 1, 2]).unwrap();
        assert_eq!(string.list(), Err(RlpError::ExpectedList { length: 2 }));
        assert_eq!(list.string(), Err(RlpError::ExpectedString { length: 2 }));
        assert_eq!(list.u64(), Err(RlpError::ExpectedString { length: 2 }));
        assert_eq!(string.hash(), Err(RlpError::HashLength { seen: 2 }));
        assert_eq!(Item::String(&[0, 1]).u64(), Err(RlpError::LeadingZero));
        assert_eq!(Item::String(&[0]).u256(), Err(RlpError::LeadingZero));
        assert_eq!(
            Item::String(&[1; 9]).u64(),
            Err(RlpError::IntegerTooLong { seen: 9, limit: 8 })
        );
        assert_eq!(
            Item::String(&[1; 33]).u256(),
            Err(RlpError::IntegerTooLong { seen: 33, limit: 32 })
        );
        let items = list.list().unwrap();
        assert_eq!(items.exactly::<1>(), Err(RlpError::TooManyItems { wanted: 1 }));
        assert_eq!(items.exactly::<3>(), Err(RlpError::TooFewItems { seen: 2, wanted: 3 }));
    }

    #[test]
    fn a_malformed_item_ends_its_list() {
        let mut items = decode(&[0xc3, 0x81, 1, 2]).unwrap().list().unwrap();
        assert_eq!(items.next(), Some(Err(RlpError::NonCanonicalByte { byte: 1 })));
        assert_eq!(items.next(), None);
    }

    #[test]
    fn every_message_says_what_was_seen() {
        let text = RlpError::Truncated { wanted: 9, seen: 4 }.to_string();
        assert_eq!(text, "RLP needs 9 more bytes and has 4: the data was cut, fetch it again");
        assert!(RlpError::NonCanonicalByte { byte: 5 }.to_string().contains("byte 0x05"));
    }

    proptest! {
        #[test]
        fn strings_and_lists_read_back_what_another_encoder_wrote(
            strings in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        ) {
            let bytes: Vec<Vec<u8>> = strings.iter().map(|s| encoded(s.as_slice())).collect();
            let list = encoded(
                strings.iter().map(|s| alloy_primitives::Bytes::from(s.clone())).collect::<Vec<_>>(),
            );
            let items = decode(&list).unwrap().list().unwrap();
            let read: Vec<_> = items.map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), strings.len());
            for (element, (string, raw)) in read.iter().zip(strings.iter().zip(&bytes)) {
                prop_assert_eq!(element.item, Item::String(string));
                prop_assert_eq!(element.raw, raw.as_slice());
            }
        }

        #[test]
        fn integers_read_back_what_another_encoder_wrote(low: u64, high: [u8; 32], shift in 0..256usize) {
            prop_assert_eq!(decode(&encoded(low)).unwrap().u64().unwrap(), low);
            let wide = U256::from_be_bytes(high) >> shift;
            prop_assert_eq!(decode(&encoded(wide)).unwrap().u256().unwrap(), wide);
        }

        #[test]
        fn what_is_accepted_has_no_other_encoding(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(Item::String(string)) = decode(&bytes) {
                prop_assert_eq!(encoded(string), bytes);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut lists = vec![&bytes[..]];
            while let Some(next) = lists.pop() {
                match decode(next) {
                    Ok(Item::List(items)) => {
                        lists.extend(items.filter_map(Result::ok).map(|element| element.raw));
                    }
                    Ok(item) => { let _ = (item.u64(), item.u256(), item.hash()); }
                    Err(_) => {}
                }
            }
        }
    }
}
