//! Where everything lies in the hint words of one signature:
//!
//! ```text
//! elements of the identity:   statement | hints that the first challenge depends on | padding
//! quotient:                   coefficients, lowest first
//! choices:                    1 word
//! committee keys:             y of the aggregate, then (y, slope) of each absent key
//! ```
//!
//! An element is 6 words. The statement's are overwritten by [`crate::verify`] with what it knows to be true.

/// Words of an element of Fp.
pub const ELEMENT: usize = 6;

/// Key that signed (x, y), x of the signature, the two values hashed to the field, the choices, one spare.
pub(crate) const STATEMENT: usize = 10;

/// |x|, the parameter of the curve negated: what points are multiplied by. Its first bit is set.
pub(crate) const U: u64 = 0xd201_0000_0001_0000;
/// Doublings in multiplying by u: its bits after the first.
const DOUBLINGS: usize = 63;
/// Steps in multiplying by u, a slope each: u has five more bits set.
const STEPS: usize = DOUBLINGS + 5;
/// Times that the pairing's accumulator is given.
pub(crate) const ACCUMULATORS: usize = 35;

/// y of the signature; two mapped points (x1, y) and an inverse; R, S, two inverses and a slope, R_r; then the class d.
const POINTS: usize = 2 + 8 + 2 + 8 + 6 + 4 + 6;

/// Elements that the identity is about, before padding.
pub(crate) const CLAIMED: usize = STATEMENT + POINTS + 3 * 2 * STEPS + 6 * ACCUMULATORS;
/// The sponge takes 15 words, two and a half elements, at a time.
const BLOCK: usize = 5;
/// Elements that the first challenge depends on.
pub(crate) const ELEMENTS: usize = CLAIMED.next_multiple_of(BLOCK);
/// Coefficients of the quotient.
pub(crate) const QUOTIENT: usize = 70;

/// Hint words of a signature by a committee less `absent` members.
#[must_use]
pub const fn hint_words(absent: usize) -> usize {
    ELEMENT * (ELEMENTS + QUOTIENT + 1 + 2 * absent) + 1
}

/// For each doubling of the multiplication by u, whether the point itself is added after it.
pub(crate) fn multiply_by_u() -> impl Iterator<Item = bool> {
    let mut bits = U;
    (0..DOUBLINGS).map(move |_| {
        bits <<= 1;
        bits >> 63 == 1
    })
}

/// Whether the pairing's accumulator is given after a doubling. It is left out after the first of two doublings where
/// nothing is added, which keeps the claims' degrees below 151.
#[derive(Debug, Default)]
pub(crate) struct AccumulatorDue {
    doublings: usize,
    pending: bool,
}

impl AccumulatorDue {
    /// Call after each doubling and what is added; `adds` is whether something was.
    pub(crate) fn after(&mut self, adds: bool) -> bool {
        self.doublings += 1;
        let next_adds = self.doublings < DOUBLINGS && U << (self.doublings + 1) >> 63 == 1;
        let due = adds || self.pending || next_adds || self.doublings == DOUBLINGS;
        self.pending = !due;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_accumulators_are_as_many_as_the_layout_has() {
        assert_eq!(U.count_ones() as usize, STEPS - DOUBLINGS + 1);
        assert_eq!(multiply_by_u().filter(|adds| *adds).count(), STEPS - DOUBLINGS);
        let mut due = AccumulatorDue::default();
        assert_eq!(multiply_by_u().filter(|adds| due.after(*adds)).count(), ACCUMULATORS);
    }

    #[test]
    fn the_sponge_takes_whole_blocks() {
        assert_eq!(ELEMENTS * ELEMENT % crate::transcript::BLOCK_WORDS, 0);
        assert_eq!(QUOTIENT * ELEMENT % crate::transcript::BLOCK_WORDS, 0);
    }
}
