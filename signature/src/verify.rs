//! The whole check of one signature.

use crate::{
    field::{Fp, Machine},
    identity::{Choices, Frame, total},
    keys::signers_key,
    layout::{ELEMENT, ELEMENTS, QUOTIENT, STATEMENT, hint_words},
    message::hash_to_field,
    pairing::polynomial_at,
    point::{Flags, decode},
    transcript::Transcript,
};

/// What is checked: that the committee less its absent members signed. Points are compressed and, like the message,
/// words of their bytes in big-endian order ([`words`](crate::words)).
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// Compressed sum of all members' keys.
    pub aggregate_pubkey: &'a [u64; 6],
    /// Compressed keys of those who did not sign; a key once for each time that it is in the committee.
    pub absent: &'a [[u64; 6]],
    /// What was signed.
    pub signing_root: &'a [u64; 4],
    /// The compressed signature.
    pub signature: &'a [u64; 12],
}

/// Why a signature is refused, or its hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The hints are not as long as [`hint_words`] says.
    HintLength,
    /// A committee key is no compressed point of the curve, or its hinted y is not its y.
    MalformedKey,
    /// The signers' keys add up to infinity, or two of them meet on the way.
    DegenerateKeys,
    /// The signature is no compressed pair of field elements.
    MalformedSignature,
    /// This hint is wrong.
    Hint(&'static str),
    /// The claims do not hold: a wrong signature or a wrong hint.
    Identity,
}

/// Checks a signature. `hints` are used up.
///
/// # Errors
/// If the signature is wrong, or no signature at all, whatever the hints; or if a hint is wrong. Never if the
/// signature is right and the hints come from [`crate::hints::find`].
pub fn verify<M: Machine>(check: &Check<'_>, hints: &mut [u64]) -> Result<(), Refused> {
    let mut parts = Parts::<M>::split(hints, check.absent.len())?;
    parts.state(check)?;
    let mut transcript = Transcript::new();
    transcript.absorb::<M>(Fp::as_words(parts.elements));
    let gamma = transcript.challenge();
    transcript.absorb::<M>(Fp::as_words(parts.quotient));
    let frame = Frame::new(transcript.challenge());

    let total = total(&frame, gamma, parts.choices, parts.elements);
    let mut product = polynomial_at(parts.quotient, &frame.y);
    product *= &frame.modulus();
    if total.equals(&product) { Ok(()) } else { Err(Refused::Identity) }
}

/// The hints of one signature, as [`crate::layout`] describes them.
struct Parts<'a, M> {
    /// The statement and what is claimed of it.
    elements: &'a mut [Fp<M>],
    quotient: &'a [Fp<M>],
    choices: Choices,
    keys: &'a [Fp<M>],
}

impl<'a, M: Machine> Parts<'a, M> {
    fn split(hints: &'a mut [u64], absent: usize) -> Result<Self, Refused> {
        if hints.len() != hint_words(absent) {
            return Err(Refused::HintLength);
        }
        let (elements, rest) = hints.split_at_mut(ELEMENTS * ELEMENT);
        let (quotient, rest) = rest.split_at_mut(QUOTIENT * ELEMENT);
        let (choices, keys) = rest.split_at_mut(1);
        Ok(Self {
            elements: Fp::from_words(elements).ok_or(Refused::HintLength)?,
            quotient: Fp::from_words(quotient).ok_or(Refused::HintLength)?,
            choices: Choices::from_bits(choices[0]),
            keys: Fp::from_words(keys).ok_or(Refused::HintLength)?,
        })
    }

    /// Writes what is true into the elements' head, and checks what the identity cannot: encodings and signs.
    fn state(&mut self, check: &Check<'_>) -> Result<(), Refused> {
        let key = signers_key(check.aggregate_pubkey, check.absent, self.keys)?;
        let [key_x, key_y, x_real, x_imaginary, u @ .., choices, spare, y_real, y_imaginary] =
            self.elements.first_chunk_mut::<{ STATEMENT + 2 }>().ok_or(Refused::HintLength)?;
        (*key_x, *key_y) = (key.x, key.y);
        // The imaginary part comes first, with the flags.
        let [imaginary, real] = check.signature.as_chunks::<6>().0 else {
            return Err(Refused::MalformedSignature);
        };
        let (imaginary, flags) = decode(imaginary);
        let (real, no_flags) = decode(real);
        let decides: &Fp<M> = if y_imaginary.is_zero() { y_real } else { y_imaginary };
        let sign = decides.is_larger_half();
        let canonical = [&imaginary, &real, y_imaginary, y_real].iter().all(|x| x.is_canonical());
        if flags != Flags::finite(sign) || no_flags != Flags::NONE || !canonical {
            return Err(Refused::MalformedSignature);
        }
        (*x_real, *x_imaginary) = (real, imaginary);
        hash_to_field(check.signing_root, u);
        *choices = Fp::small(self.choices.bits());
        *spare = Fp::ZERO;
        self.mapped_signs()
    }

    /// Each mapped point's y has the sign of what it is the image of.
    fn mapped_signs(&self) -> Result<(), Refused> {
        let [.., u_0_real, u_0_imaginary, u_1_real, u_1_imaginary, _, _] =
            &self.elements[..STATEMENT]
        else {
            return Err(Refused::HintLength);
        };
        let [_, _, _, _, y_0_real, y_0_imaginary, _, _, y_1_real, y_1_imaginary, ..] =
            &self.elements[STATEMENT..]
        else {
            return Err(Refused::HintLength);
        };
        for (y, u) in [
            ([y_0_real, y_0_imaginary], [u_0_real, u_0_imaginary]),
            ([y_1_real, y_1_imaginary], [u_1_real, u_1_imaginary]),
        ] {
            if !y.iter().all(|y| y.is_canonical()) || sgn0(y) != sgn0(u) {
                return Err(Refused::Hint("sign of a mapped point"));
            }
        }
        Ok(())
    }
}

/// RFC 9380, section 4.1, of canonical coordinates.
fn sgn0<M: Machine>([real, imaginary]: [&Fp<M>; 2]) -> u64 {
    let decides = if real.is_zero() { imaginary } else { real };
    decides.limbs()[0] & 1
}
