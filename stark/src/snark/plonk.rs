//! PLONK over BN254 as gnark proves it: the protocol of the paper's last version, with the
//! linearisation's constant term opened as well, one commitment to wires ("BSB22"), and KZG openings
//! at zeta and at zeta times the domain's generator.

use ark_bn254::{Bn254, Fq12, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ff::{Field, PrimeField};
use sha2::{Digest, Sha256};

use super::{
    NO_KEY, NO_PROOF, OTHER_INPUTS, WRONG,
    encoding::{Reader, field_bytes, point_bytes},
};

/// Bytes of the lines of the pairing that gnark computes beforehand. They follow from the two points.
const LINES: usize = 33_792;

/// What of a circuit's key is needed.
struct Key {
    /// Size of the domain, its inverse and its generator.
    size: u64,
    size_inverse: Fr,
    generator: Fr,
    inputs: u64,
    coset_shift: Fr,
    /// The permutation's three polynomials.
    s: [G1Affine; 3],
    /// Selectors of the left, right, multiplication, output and constant gates.
    q: [G1Affine; 5],
    /// Selector of the committed wires, and where among the constraints the commitment's hash is.
    q_commitment: G1Affine,
    commitment_index: u64,
    g1: G1Affine,
    g2: [G2Affine; 2],
}

struct Proof {
    /// Commitments to the left, right and output wires, to the quotient in three parts, to the
    /// permutation's accumulator, and to the committed wires.
    wires: [G1Affine; 3],
    quotient: [G1Affine; 3],
    z: G1Affine,
    committed: G1Affine,
    /// At zeta: the three wires, the first two permutation polynomials, the committed wires' selector.
    l: Fr,
    r: Fr,
    o: Fr,
    s1: Fr,
    s2: Fr,
    qc: Fr,
    /// The accumulator at zeta times the generator.
    z_shifted: Fr,
    /// The quotients of the two openings.
    opening: G1Affine,
    opening_shifted: G1Affine,
}

/// gnark's Fiat-Shamir: each challenge is the hash of its name, the one before, and what was sent since.
#[derive(Default)]
struct Transcript(Vec<u8>);

impl Transcript {
    fn challenge(&mut self, name: &str, sent: &[Vec<u8>]) -> Fr {
        let mut hash = Sha256::new().chain_update(name).chain_update(&self.0);
        sent.iter().for_each(|bytes| hash.update(bytes));
        self.0 = hash.finalize().to_vec();
        Fr::from_be_bytes_mod_order(&self.0)
    }
}

/// Checks a proof against the key of its circuit and the circuit's public inputs.
///
/// # Errors
///
/// What is wrong, in words.
pub(super) fn verify(key: &[u8], inputs: &[Fr], proof: &[u8]) -> Result<(), &'static str> {
    let key = read_key(&mut Reader(key)).ok_or(NO_KEY)?;
    let proof = read_proof(&mut Reader(proof)).ok_or(NO_PROOF)?;
    if u64::try_from(inputs.len()) != Ok(key.inputs) {
        return Err(OTHER_INPUTS);
    }
    if holds(&key, inputs, &proof) == Some(true) { Ok(()) } else { Err(WRONG) }
}

/// `None` where the challenge hits the domain, which no honest prover brings about.
fn holds(key: &Key, inputs: &[Fr], proof: &Proof) -> Option<bool> {
    let points = |points: &[G1Affine]| points.iter().map(point_bytes).collect::<Vec<_>>();
    let mut transcript = Transcript::default();
    let mut public = points(&[&key.s[..], &key.q, &[key.q_commitment]].concat());
    public.extend(inputs.iter().copied().map(field_bytes));
    public.extend(points(&proof.wires));
    let gamma = transcript.challenge("gamma", &public);
    let beta = transcript.challenge("beta", &[]);
    let alpha = transcript.challenge("alpha", &points(&[proof.committed, proof.z]));
    let zeta = transcript.challenge("zeta", &points(&proof.quotient));

    // What vanishes on the domain, and the polynomials that are one in one place of it.
    let vanishing = zeta.pow([key.size]) - Fr::ONE;
    let lagrange = |place: u64| {
        let root = key.generator.pow([place]);
        Some(vanishing * root * key.size_inverse * (zeta - root).inverse()?)
    };
    let place = key.inputs.checked_add(key.commitment_index)?;
    let mut public = lagrange(place)? * hash_to_field(&point_bytes(&proof.committed));
    for (place, input) in (0..).zip(inputs) {
        public += lagrange(place)? * input;
    }

    let Proof { l, r, o, s1, s2, qc, z_shifted, .. } = *proof;
    let start = alpha.square() * lagrange(0)?;
    let shifted = alpha * z_shifted * (l + beta * s1 + gamma) * (r + beta * s2 + gamma);
    let constant = start - public - shifted * (o + gamma);
    let (shift, at) = (key.coset_shift, beta * zeta);
    let straight = (l + at + gamma) * (r + at * shift + gamma) * (o + at * shift.square() + gamma);
    let degree = zeta.square() * (vanishing + Fr::ONE);
    let [ql, qr, qm, qo, qk] = key.q;
    let [h0, h1, h2] = proof.quotient;
    let linearised = combine(&[
        (proof.committed, qc),
        (ql, l),
        (qr, r),
        (qm, l * r),
        (qo, o),
        (qk, Fr::ONE),
        (key.s[2], shifted * beta),
        (proof.z, start - alpha * straight),
        (h0, -vanishing),
        (h1, -vanishing * degree),
        (h2, -vanishing * degree.square()),
    ]);

    // All openings at zeta become one.
    let [wire_l, wire_r, wire_o] = proof.wires;
    let opened = [
        (linearised, constant),
        (wire_l, l),
        (wire_r, r),
        (wire_o, o),
        (key.s[0], s1),
        (key.s[1], s2),
        (key.q_commitment, qc),
    ];
    let mut sent = vec![field_bytes(zeta)];
    sent.extend(opened.iter().map(|(point, _)| point_bytes(point)));
    sent.extend(opened.iter().map(|(_, value)| field_bytes(*value)));
    sent.push(field_bytes(z_shifted));
    let fold = Transcript::default().challenge("gamma", &sent);
    let powers = std::iter::successors(Some(Fr::ONE), |power| Some(*power * fold));
    let folded: Vec<_> =
        opened.iter().zip(powers).map(|((point, value), power)| (*point, *value, power)).collect();
    let digest =
        combine(&folded.iter().map(|(point, _, power)| (*point, *power)).collect::<Vec<_>>());
    let value: Fr = folded.iter().map(|(_, value, power)| *value * power).sum();

    let mut sent = vec![field_bytes(fold)];
    sent.extend(points(&[digest, proof.z, proof.opening, proof.opening_shifted]));
    let u = transcript.challenge("u", &sent);

    // And the two points of opening one pairing equation.
    let left = combine(&[
        (digest, Fr::ONE),
        (proof.z, u),
        (key.g1, -(value + u * z_shifted)),
        (proof.opening, zeta),
        (proof.opening_shifted, u * zeta * key.generator),
    ]);
    let right = combine(&[(proof.opening, -Fr::ONE), (proof.opening_shifted, -u)]);
    Some(Bn254::multi_pairing([left, right], key.g2).0 == Fq12::ONE)
}

fn combine(terms: &[(G1Affine, Fr)]) -> G1Affine {
    terms.iter().map(|(point, scalar)| *point * scalar).sum::<G1Projective>().into()
}

/// RFC 9380's `hash_to_field` with `expand_message_xmd` and SHA-256: 48 bytes for one element.
fn hash_to_field(message: &[u8]) -> Fr {
    const DOMAIN: &[u8] = b"BSB22-Plonk\x0b";
    let block = |previous: &[u8], number: u8| {
        Sha256::new().chain_update(previous).chain_update([number]).chain_update(DOMAIN).finalize()
    };
    let first = Sha256::new()
        .chain_update([0; 64])
        .chain_update(message)
        .chain_update([0, 48, 0])
        .chain_update(DOMAIN)
        .finalize();
    let one = block(&first, 1);
    let mixed: Vec<u8> = first.iter().zip(&one).map(|(a, b)| a ^ b).collect();
    let two = block(&mixed, 2);
    Fr::from_be_bytes_mod_order(&[&one[..], &two[..16]].concat())
}

/// gnark's order. SP1's circuit has one commitment.
fn read_key(key: &mut Reader) -> Option<Key> {
    let (size, size_inverse, generator) = (key.u64()?, key.field()?, key.field()?);
    let (inputs, coset_shift) = (key.u64()?, key.field()?);
    let s = [key.compressed_g1()?, key.compressed_g1()?, key.compressed_g1()?];
    let [ql, qr, qm] = [key.compressed_g1()?, key.compressed_g1()?, key.compressed_g1()?];
    let q = [ql, qr, qm, key.compressed_g1()?, key.compressed_g1()?];
    if key.u32()? != 1 {
        return None;
    }
    let (q_commitment, g1) = (key.compressed_g1()?, key.compressed_g1()?);
    let g2 = [key.compressed_g2()?, key.compressed_g2()?];
    let _lines = key.take(LINES)?;
    if key.u32()? != 1 {
        return None;
    }
    let commitment_index = key.u64()?;
    let read = Key {
        size,
        size_inverse,
        generator,
        inputs,
        coset_shift,
        s,
        q,
        q_commitment,
        commitment_index,
        g1,
        g2,
    };
    key.0.is_empty().then_some(read)
}

/// The order of gnark's Solidity verifier.
fn read_proof(proof: &mut Reader) -> Option<Proof> {
    let wires = [proof.g1()?, proof.g1()?, proof.g1()?];
    let quotient = [proof.g1()?, proof.g1()?, proof.g1()?];
    let [l, r, o] = [proof.field()?, proof.field()?, proof.field()?];
    let (s1, s2) = (proof.field()?, proof.field()?);
    let (z, z_shifted) = (proof.g1()?, proof.field()?);
    let (opening, opening_shifted) = (proof.g1()?, proof.g1()?);
    let (qc, committed) = (proof.field()?, proof.g1()?);
    let read = Proof {
        wires,
        quotient,
        z,
        committed,
        l,
        r,
        o,
        s1,
        s2,
        qc,
        z_shifted,
        opening,
        opening_shifted,
    };
    proof.0.is_empty().then_some(read)
}
