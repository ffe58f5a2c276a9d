//! Groth16 over BN254.

use ark_bn254::{Bn254, Fq12, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, pairing::Pairing};
use ark_ff::Field;

use super::{NO_KEY, NO_PROOF, OTHER_INPUTS, WRONG, encoding::Reader};

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
pub(super) fn verify(key: &[u8], inputs: &[Fr], proof: &[u8]) -> Result<(), &'static str> {
    let key = read_key(&mut Reader(key)).ok_or(NO_KEY)?;
    let proof = read_proof(&mut Reader(proof)).ok_or(NO_PROOF)?;
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
    if product.0 == Fq12::ONE { Ok(()) } else { Err(WRONG) }
}

/// gnark's order. Beta and delta are there in both groups; a verifier needs them in one. What follows
/// the inputs is of no use for SP1's circuit.
fn read_key(key: &mut Reader) -> Option<Key> {
    let alpha = key.compressed_g1()?;
    let _beta = key.compressed_g1()?;
    let (beta, gamma) = (key.compressed_g2()?, key.compressed_g2()?);
    let _delta = key.compressed_g1()?;
    let delta = key.compressed_g2()?;
    // Collected as they come: what is announced allocates nothing.
    let inputs = (0..key.u32()?).map(|_| key.compressed_g1()).collect::<Option<_>>()?;
    Some(Key { alpha, beta, gamma, delta, inputs })
}

fn read_proof(proof: &mut Reader) -> Option<Proof> {
    let read = Proof { a: proof.g1()?, b: proof.g2()?, c: proof.g1()? };
    proof.0.is_empty().then_some(read)
}
