//! Groth16 over BN254: the equation by arkworks, the bytes as gnark writes them.
//!
//! Base field and scalar field elements are 32 bytes, big endian; in the quadratic extension the
//! second coordinate comes first.

use ark_bn254::{Bn254, Fq2, Fq12, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{
    AffineRepr,
    pairing::Pairing,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{BigInt, Field, PrimeField};

/// Bytes of a proof: two points of G1 around one of G2, uncompressed.
const PROOF: usize = 64 + 128 + 64;

/// Top bits of a compressed point: its y is the smaller or the larger of two. A third pattern is the
/// point at infinity, which is in no honest key.
const SIGN: u8 = 0b11 << 6;
const SMALLER: u8 = 0b10 << 6;
const LARGER: u8 = 0b11 << 6;

/// What of a circuit's key is needed.
struct Key {
    alpha: G1Affine,
    beta: G2Affine,
    gamma: G2Affine,
    delta: G2Affine,
    /// One point, then one for each public input.
    inputs: Vec<G1Affine>,
}

struct Proof {
    a: G1Affine,
    b: G2Affine,
    c: G1Affine,
}

/// Checks a proof against the key of its circuit and the circuit's public inputs.
///
/// # Errors
///
/// What is wrong, in words.
pub(crate) fn verify(key: &[u8], inputs: &[[u8; 32]], proof: &[u8]) -> Result<(), &'static str> {
    let key = read_key(key).ok_or("the circuit's file is no Groth16 verifying key")?;
    let proof = read_proof(proof).ok_or("it has no three points of the curve")?;
    let inputs: Option<Vec<Fr>> = inputs.iter().map(|bytes| read_field(bytes)).collect();
    let inputs = inputs.ok_or("a public input is no element of the field")?;
    let [first, points @ ..] = key.inputs.as_slice() else { return Err(OTHER_INPUTS) };
    if points.len() != inputs.len() {
        return Err(OTHER_INPUTS);
    }
    let statement = points.iter().zip(inputs).map(|(point, input)| *point * input);
    let statement = first.into_group() + statement.sum::<G1Projective>();
    // e(A, B) = e(alpha, beta) e(statement, gamma) e(C, delta)
    let product = Bn254::multi_pairing(
        [-proof.a, key.alpha, statement.into(), proof.c],
        [proof.b, key.beta, key.gamma, key.delta],
    );
    if product.0 == Fq12::ONE {
        Ok(())
    } else {
        Err("it proves nothing of this program with these public values")
    }
}

const OTHER_INPUTS: &str = "the circuit has another number of public inputs";

fn read_key(key: &[u8]) -> Option<Key> {
    // Beta and delta are there in both groups; a verifier needs them in one.
    let count = u32::from_be_bytes(key.get(288..292)?.try_into().ok()?);
    let inputs = key[292..].as_chunks::<32>().0.get(..usize::try_from(count).ok()?)?;
    Some(Key {
        alpha: compressed_g1(&key[..32])?,
        beta: compressed_g2(&key[64..128])?,
        gamma: compressed_g2(&key[128..192])?,
        delta: compressed_g2(&key[224..288])?,
        inputs: inputs.iter().map(|point| compressed_g1(point)).collect::<Option<_>>()?,
    })
}

fn read_proof(proof: &[u8]) -> Option<Proof> {
    if proof.len() != PROOF {
        return None;
    }
    let (a, rest) = proof.split_at(64);
    let (b, c) = rest.split_at(128);
    Some(Proof { a: point_g1(a)?, b: point_g2(b)?, c: point_g1(c)? })
}

fn point_g1(bytes: &[u8]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at(32);
    in_group(G1Affine::new_unchecked(read_field(x)?, read_field(y)?))
}

fn point_g2(bytes: &[u8]) -> Option<G2Affine> {
    let (x, y) = bytes.split_at(64);
    in_group(G2Affine::new_unchecked(read_fq2(x)?, read_fq2(y)?))
}

fn compressed_g1(bytes: &[u8]) -> Option<G1Affine> {
    let (larger, x) = sign(bytes)?;
    in_group(G1Affine::get_point_from_x_unchecked(read_field(&x)?, larger)?)
}

fn compressed_g2(bytes: &[u8]) -> Option<G2Affine> {
    let (larger, x) = sign(bytes)?;
    in_group(G2Affine::get_point_from_x_unchecked(read_fq2(&x)?, larger)?)
}

/// Whether y is the larger one, and x without the bits that say so.
fn sign(bytes: &[u8]) -> Option<(bool, Vec<u8>)> {
    let mut x = bytes.to_vec();
    let first = x.first_mut()?;
    let larger = match *first & SIGN {
        SMALLER => false,
        LARGER => true,
        _ => return None,
    };
    *first &= !SIGN;
    Some((larger, x))
}

fn in_group<C: SWCurveConfig>(point: Affine<C>) -> Option<Affine<C>> {
    let member = point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve();
    (member && !point.is_zero()).then_some(point)
}

fn read_fq2(bytes: &[u8]) -> Option<Fq2> {
    let (second, first) = bytes.split_at(32);
    Some(Fq2::new(read_field(first)?, read_field(second)?))
}

/// `None` for the modulus and above: one number has one way to be written.
fn read_field<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8]) -> Option<F> {
    let &[high, b, c, low]: &[[u8; 8]; 4] = bytes.as_chunks().0.try_into().ok()?;
    F::from_bigint(BigInt([low, c, b, high].map(u64::from_be_bytes)))
}
