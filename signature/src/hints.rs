//! Finds the hints that [`crate::verify`] checks. Nothing here is trusted; what it gets wrong is refused there.

mod class;
mod elements;
mod walk;

use ark_bls12_381::{Fq, Fq2, G2Affine};
use ark_ec::AffineRepr as _;
use ark_ff::{AdditiveGroup, Field};

use crate::{
    field::Fp,
    identity::{Frame, total},
    layout::QUOTIENT,
    point::decode,
    polynomial::Polynomial,
    portable::{Portable, to_fq, to_limbs},
    transcript::Transcript,
    verify::Check,
};
use elements::Elements;

/// Why there are no hints: the signature is not valid, or nobody could prove it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoHints {
    /// A committee key is not the compressed encoding of a point.
    #[error(
        "a committee key is not a compressed G1 point: the committee is damaged, fetch it again"
    )]
    MalformedKey,
    /// On the way from the aggregate key to the signers' key two points have the same x.
    #[error(
        "the signers' keys cancel or repeat so that they cannot be subtracted one by one: such a committee cannot be proven"
    )]
    DegenerateKeys,
    /// The signature is not the compressed encoding of a point of G2.
    #[error(
        "the signature is not a compressed G2 point of prime order: the update is damaged, fetch it again"
    )]
    MalformedSignature,
    /// The message maps to a point that the chords cannot reach; no such message is known.
    #[error("the signing root maps to an exceptional point: it cannot be proven")]
    Unmappable,
    /// The signature is another message's or other signers'.
    #[error("the signature does not verify for these signers and this signing root")]
    Mismatch,
}

/// The hint words for a signature; as many as [`crate::layout::hint_words`] says.
///
/// # Errors
/// If the signature is not valid.
pub fn find(check: &Check<'_>) -> Result<Vec<u64>, NoHints> {
    let found = Found::new(check)?;
    let (words, holds) = found.close();
    if holds { Ok(words) } else { Err(NoHints::Mismatch) }
}

/// All hints but those that depend on challenges.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Statement, hints and padding.
    pub(crate) elements: Vec<Fq>,
    pub(crate) choices: crate::identity::Choices,
    keys: Vec<Fq>,
}

impl Found {
    pub(crate) fn new(check: &Check<'_>) -> Result<Self, NoHints> {
        let (key, keys) = keys(check)?;
        let signature = signature(check.signature)?;
        let mut u = [const { Fp::<Portable>::ZERO }; 4];
        crate::message::hash_to_field(check.signing_root, &mut u);
        let [u_0, u_1] = [0, 2].map(|i| Fq2::new(to_fq(u[i].limbs()), to_fq(u[i + 1].limbs())));
        let (elements, choices) = Elements { key, signature, u: [u_0, u_1] }.find()?;
        Ok(Self { elements, choices, keys })
    }

    /// Adds the quotient. Whether it is one without remainder.
    pub(crate) fn close(&self) -> (Vec<u64>, bool) {
        let words = |elements: &[Fq]| -> Vec<u64> {
            elements.iter().flat_map(|element| to_limbs(*element)).collect()
        };
        let mut all = words(&self.elements);
        let mut transcript = Transcript::new();
        transcript.absorb::<Portable>(&all);
        let gamma = transcript.challenge::<Portable>();
        let frame = Frame::new(Polynomial::x());
        let mut polynomials: Vec<_> =
            self.elements.iter().copied().map(Polynomial::constant_of).collect();
        let gamma = Polynomial::constant_of(to_fq(gamma.limbs()));
        let total = total(&frame, gamma, self.choices, &mut polynomials);
        let (quotient, remainder) = total.divide_by_modulus();
        let mut of_y: Vec<Fq> = quotient.into_iter().step_by(2).collect();
        assert!(of_y.len() <= QUOTIENT, "degrees grew: {} coefficients", of_y.len());
        of_y.resize(QUOTIENT, Fq::ZERO);
        all.extend(words(&of_y));
        all.push(self.choices.bits());
        all.extend(words(&self.keys));
        (all, remainder.is_zero())
    }
}

/// The signers' key, and the hints for it: y of the aggregate, then y and slope for each absent key.
fn keys(check: &Check<'_>) -> Result<([Fq; 2], Vec<Fq>), NoHints> {
    let [mut x, mut y] = key(check.aggregate_pubkey)?;
    let mut hints = vec![y];
    for absent in check.absent {
        let [other_x, other_y] = key(absent)?;
        let inverse = (other_x - x).inverse().ok_or(NoHints::DegenerateKeys)?;
        let slope = -(other_y + y) * inverse;
        hints.extend([other_y, slope]);
        let sum = slope.square() - x - other_x;
        (x, y) = (sum, slope * (x - sum) - y);
    }
    Ok(([x, y], hints))
}

/// The point of E(Fp) that a key encodes.
fn key(words: &[u64; 6]) -> Result<[Fq; 2], NoHints> {
    let (x, flags) = decode::<Portable>(words);
    let x = to_fq(x.limbs());
    let y = (x.square() * x + Fq::from(4u64)).sqrt().ok_or(NoHints::MalformedKey)?;
    Ok([x, if flags.larger() == is_larger(y) { y } else { -y }])
}

/// The point of G2 that a signature encodes.
fn signature(words: &[u64; 12]) -> Result<G2Affine, NoHints> {
    let [imaginary, real] = words.as_chunks().0 else { unreachable!("twelve words are two sixes") };
    let (imaginary, flags) = decode::<Portable>(imaginary);
    let (real, _) = decode::<Portable>(real);
    let x = Fq2::new(to_fq(real.limbs()), to_fq(imaginary.limbs()));
    let y = (x.square() * x + Fq2::new(4u64.into(), 4u64.into())).sqrt();
    let y = y.ok_or(NoHints::MalformedSignature)?;
    let decides = if y.c1 == Fq::ZERO { y.c0 } else { y.c1 };
    let point =
        G2Affine::new_unchecked(x, if flags.larger() == is_larger(decides) { y } else { -y });
    if point.is_zero() || !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(NoHints::MalformedSignature);
    }
    Ok(point)
}

fn is_larger(y: Fq) -> bool {
    Fp::<Portable>::new(to_limbs(y)).is_larger_half()
}

#[cfg(test)]
mod tests;
