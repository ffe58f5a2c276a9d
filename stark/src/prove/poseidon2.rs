//! The hash of SP1's commitments, Poseidon2 over KoalaBear of width 16, with half of the
//! multiplications.
//!
//! Two thirds of what keys take to make are this hash. The vectorized one that SP1 comes with
//! multiplies each element of the state twice in each of the 20 internal rounds: by its entry of
//! the diagonal, and by the factor `2^-32` that the field's representation brings into the matrix.
//! Here that factor, common to the whole state, is not multiplied out but remembered: constants
//! and the one cubed element make up for it. What is left of the diagonal is small powers of two.

use std::array;

use slop_algebra::{AbstractField, Field};
use slop_koala_bear::{
    KoalaBear, KoalaBear_BEGIN_EXT_CONSTS, KoalaBear_END_EXT_CONSTS, KoalaBear_PARTIAL_CONSTS,
};
use slop_symmetric::{CryptographicPermutation, Permutation};

pub(super) const WIDTH: usize = 16;

/// Half of the rounds that cube the whole state.
const HALF_EXTERNAL_ROUNDS: usize = 4;

/// Rounds that cube the first element only.
const INTERNAL_ROUNDS: usize = 20;

/// The permutation, on single states and on as many side by side as fit in the CPU's vectors.
#[derive(Debug, Clone)]
pub(super) struct Poseidon2 {
    first: [[KoalaBear; WIDTH]; HALF_EXTERNAL_ROUNDS],
    internal: [Internal; INTERNAL_ROUNDS],
    last: [[KoalaBear; WIDTH]; HALF_EXTERNAL_ROUNDS],
    /// What the whole state is short of in the end.
    owed: KoalaBear,
}

/// What an internal round does to the first element, after `k` rounds. The state in memory is then
/// `2^32k` times the permutation's.
#[derive(Debug, Clone, Copy)]
struct Internal {
    /// The round's constant times `2^32k`.
    constant: KoalaBear,
    /// `2^-64k`: what the cube of an element has too much.
    correction: KoalaBear,
}

impl Poseidon2 {
    pub(super) fn new() -> Self {
        let representation = KoalaBear::two().exp_u64(32);
        let factor = representation.inverse();
        // The permutation's state is `owed` times the one in memory; `lent` is its inverse.
        let (mut owed, mut lent) = (KoalaBear::one(), KoalaBear::one());
        let internal = array::from_fn(|round| {
            let constant = KoalaBear_PARTIAL_CONSTS[round] * lent;
            let correction = owed.square();
            (owed, lent) = (owed * factor, lent * representation);
            Internal { constant, correction }
        });
        let last = array::from_fn(|round| {
            let constants = KoalaBear_END_EXT_CONSTS[round].map(|constant| constant * lent);
            (owed, lent) = (owed.cube(), lent.cube());
            constants
        });
        Self { first: *KoalaBear_BEGIN_EXT_CONSTS, internal, last, owed }
    }
}

impl Default for Poseidon2 {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: AbstractField<F = KoalaBear> + Copy> Permutation<[A; WIDTH]> for Poseidon2 {
    fn permute_mut(&self, state: &mut [A; WIDTH]) {
        external_layer(state);
        for constants in &self.first {
            external_round(state, constants);
        }
        for round in &self.internal {
            internal_round(state, round);
        }
        for constants in &self.last {
            external_round(state, constants);
        }
        for element in state {
            *element *= A::from_f(self.owed);
        }
    }
}

impl<A: AbstractField<F = KoalaBear> + Copy> CryptographicPermutation<[A; WIDTH]> for Poseidon2 {}

#[inline]
fn external_round<A: AbstractField<F = KoalaBear> + Copy>(
    state: &mut [A; WIDTH],
    constants: &[KoalaBear; WIDTH],
) {
    for (element, constant) in state.iter_mut().zip(constants) {
        *element = (*element + A::from_f(*constant)).cube();
    }
    external_layer(state);
}

/// Multiplies by the circulant of `(2 M, M, M, M)`, where `M` is [`mix`].
#[inline]
fn external_layer<A: AbstractField + Copy>(state: &mut [A; WIDTH]) {
    let [a, b, c, d]: [[A; 4]; 4] =
        array::from_fn(|row| mix(array::from_fn(|column| state[4 * row + column])));
    let sums: [A; 4] = array::from_fn(|column| (a[column] + b[column]) + (c[column] + d[column]));
    for (element, (mixed, sum)) in
        state.iter_mut().zip([a, b, c, d].as_flattened().iter().zip(sums.iter().cycle()))
    {
        *element = *mixed + *sum;
    }
}

/// Multiplies by the circulant of `(2, 3, 1, 1)`.
#[inline]
fn mix<A: AbstractField + Copy>([a, b, c, d]: [A; 4]) -> [A; 4] {
    let (ab, cd) = (a + b, c + d);
    let sum = ab + cd;
    let (with_b, with_d) = (sum + b, sum + d);
    [with_b + ab, with_b + c.double(), with_d + cd, with_d + a.double()]
}

/// Cubes the first element and multiplies by `1 + diag(-2, 2^0, 2^1, .., 2^13, 2^15)`, where the
/// permutation has `2^-32` times that.
#[inline]
fn internal_round<A: AbstractField<F = KoalaBear> + Copy>(
    state: &mut [A; WIDTH],
    round: &Internal,
) {
    let cubed = (state[0] + A::from_f(round.constant)).cube() * A::from_f(round.correction);
    // As a tree: additions wait for each other, and the next round waits for the sum.
    let pairs: [A; 8] = array::from_fn(|i| match i {
        0 => state[1],
        _ => state[2 * i] + state[2 * i + 1],
    });
    let [a, b, c, d] = array::from_fn(|i| pairs[2 * i] + pairs[2 * i + 1]);
    let rest = (a + b) + (c + d);
    let sum = rest + cubed;
    state[0] = rest - cubed;
    state[1] += sum;
    // Up to here doubling is cheaper than to multiply.
    for (doublings, element) in (1..4).zip(&mut state[2..5]) {
        *element = sum + (0..doublings).fold(*element, |doubled, _| doubled.double());
    }
    for (exponent, element) in (4..14).chain([15]).zip(&mut state[5..]) {
        *element = sum + *element * A::from_f(KoalaBear::from_canonical_u32(1 << exponent));
    }
}

#[cfg(test)]
mod tests {
    use slop_algebra::{PackedValue, PrimeField32};
    use slop_koala_bear::my_kb_16_perm;

    use super::*;

    type Packed = <KoalaBear as Field>::Packing;

    /// States with the corner cases of the representation, and without a pattern.
    fn states() -> impl Iterator<Item = [KoalaBear; WIDTH]> {
        let order = u64::from(KoalaBear::ORDER_U32);
        let same = [0, 1, 2, order / 2, order - 1];
        let same = same.map(|value| [KoalaBear::from_canonical_u64(value); WIDTH]);
        let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
        let noise = (0..200).map(move |_| {
            array::from_fn(|_| {
                noise = noise.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                KoalaBear::from_canonical_u64((noise >> 32) % order)
            })
        });
        same.into_iter().chain(noise)
    }

    #[test]
    fn it_is_the_permutation_of_sp1() {
        let (ours, theirs) = (Poseidon2::new(), my_kb_16_perm());
        for state in states() {
            assert_eq!(ours.permute(state), theirs.permute(state), "{state:?}");
        }
    }

    #[test]
    fn states_side_by_side_do_not_touch_each_other() {
        let (ours, theirs) = (Poseidon2::new(), my_kb_16_perm());
        let states: Vec<_> = states().collect();
        for lanes in states.chunks_exact(Packed::WIDTH) {
            let packed = array::from_fn(|i| Packed::from_fn(|lane| lanes[lane][i]));
            let permuted: [Packed; WIDTH] = ours.permute(packed);
            for (lane, state) in lanes.iter().enumerate() {
                assert_eq!(
                    permuted.map(|element| element.as_slice()[lane]),
                    theirs.permute(*state)
                );
            }
        }
    }

    #[test]
    fn no_constant_can_be_changed_unnoticed() {
        let (state, theirs) = ([KoalaBear::one(); WIDTH], my_kb_16_perm());
        let changed: [fn(&mut Poseidon2) -> &mut KoalaBear; 5] = [
            |ours| &mut ours.first[3][15],
            |ours| &mut ours.internal[19].constant,
            |ours| &mut ours.internal[1].correction,
            |ours| &mut ours.last[0][7],
            |ours| &mut ours.owed,
        ];
        for (case, constant) in changed.into_iter().enumerate() {
            let mut ours = Poseidon2::new();
            *constant(&mut ours) += KoalaBear::one();
            assert_ne!(ours.permute(state), theirs.permute(state), "{case}");
        }
    }
}
