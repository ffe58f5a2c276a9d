//! Proofs that SP1 made in another process or on another machine, as this crate's verifiers read them.

use bincode::Options;
use sp1_verifier::SP1Proof;

/// What kind of proof was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A STARK for each shard.
    Core,
    /// One STARK.
    Compressed,
    /// A SNARK.
    Groth16,
    /// The same.
    Plonk,
}

/// What came. Nothing of it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    /// Of a STARK, bincode as [`CoreVerifier`](crate::CoreVerifier) and
    /// [`CompressedVerifier`](crate::CompressedVerifier) read it; of a SNARK, the bytes that follow the circuit's
    /// hash where [`Circuit`](crate::Circuit) reads it.
    pub bytes: Vec<u8>,
    /// What the program committed, as whoever made the proof says.
    pub public_values: Vec<u8>,
    /// Shards of a core proof; 1 for the others.
    pub shards: usize,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes, public_values, shards } = self;
        let (bytes, public_values) = (bytes.len(), public_values.len());
        write!(f, "Made {{ {bytes} bytes, {public_values} bytes proven, {shards} shards }}")
    }
}

/// What came is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unasked(String);

impl Made {
    /// Takes a proof of `kind`, and no other, out of SP1's own type.
    ///
    /// # Errors
    ///
    /// [`Unasked`].
    pub fn of(kind: Kind, proof: &SP1Proof, public_values: Vec<u8>) -> Result<Self, Unasked> {
        let mut shards = 1;
        let bytes = match (kind, proof) {
            (Kind::Core, SP1Proof::Core(proofs)) => {
                shards = proofs.len();
                stark(proof)
            }
            (Kind::Compressed, SP1Proof::Compressed(_)) => stark(proof),
            (Kind::Groth16, SP1Proof::Groth16(proof)) => snark(&proof.encoded_proof)?,
            (Kind::Plonk, SP1Proof::Plonk(proof)) => snark(&proof.encoded_proof)?,
            (_, other) => return Err(Unasked(format!("a {other} proof"))),
        };
        Ok(Self { bytes, public_values, shards })
    }
}

fn stark(proof: &SP1Proof) -> Vec<u8> {
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    options.serialize(proof).expect("plain data in memory can be encoded")
}

/// The bytes of a SNARK that SP1 hands out as hex.
///
/// # Errors
///
/// [`Unasked`] if it is none.
pub fn snark(hex: &str) -> Result<Vec<u8>, Unasked> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten();
    bytes.ok_or_else(|| Unasked("a SNARK that is not hex".to_owned()))
}

#[cfg(test)]
mod tests {
    use sp1_verifier::Groth16Bn254Proof;

    use super::*;

    fn groth16(encoded_proof: &str) -> SP1Proof {
        SP1Proof::Groth16(Groth16Bn254Proof {
            public_inputs: Default::default(),
            encoded_proof: encoded_proof.to_owned(),
            raw_proof: String::new(),
            groth16_vkey_hash: [0; 32],
        })
    }

    #[test]
    fn a_snark_is_the_bytes_that_its_hex_says() {
        let made = Made::of(Kind::Groth16, &groth16("0aff"), vec![1]).unwrap();
        assert_eq!((made.bytes, made.public_values, made.shards), (vec![0x0a, 0xff], vec![1], 1));
        for hex in ["0af", "zz"] {
            let error = Made::of(Kind::Groth16, &groth16(hex), Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "a SNARK that is not hex");
        }
    }

    #[test]
    fn a_proof_of_another_kind_than_was_asked_for_is_refused() {
        for kind in [Kind::Core, Kind::Compressed, Kind::Plonk] {
            let error = Made::of(kind, &groth16("0aff"), Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "a Groth16 proof");
        }
    }

    #[test]
    fn an_empty_core_proof_has_no_shards() {
        let made = Made::of(Kind::Core, &SP1Proof::Core(Vec::new()), Vec::new()).unwrap();
        assert_eq!(made.shards, 0);
    }
}
