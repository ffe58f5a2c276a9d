//! Poseidon2 over BN254's scalar field with a state of three, as SP1's outer proofs use it; eight
//! permutations at once.

use slop_bn254::bn254_poseidon2_rc3;

use super::{field::Elements, number};

pub(super) const WIDTH: usize = 3;
const FULL_ROUNDS_EACH_SIDE: usize = 4;
const PARTIAL_ROUNDS: usize = 56;

/// Constants of every round, in every lane.
pub(super) struct Poseidon2 {
    first: [[Elements; WIDTH]; FULL_ROUNDS_EACH_SIDE],
    partial: [Elements; PARTIAL_ROUNDS],
    last: [[Elements; WIDTH]; FULL_ROUNDS_EACH_SIDE],
}

impl Poseidon2 {
    pub(super) fn new() -> Self {
        let rounds = bn254_poseidon2_rc3();
        let full = |from: usize| {
            std::array::from_fn(|round| {
                rounds[from + round].map(|constant| Elements::splat(number(constant)).reduced())
            })
        };
        Self {
            first: full(0),
            partial: std::array::from_fn(|round| {
                let [constant, _, _] = rounds[FULL_ROUNDS_EACH_SIDE + round];
                Elements::splat(number(constant)).reduced()
            }),
            last: full(FULL_ROUNDS_EACH_SIDE + PARTIAL_ROUNDS),
        }
    }

    /// Takes elements below twice the order and gives such below 1.1 times the order.
    ///
    /// Between the rounds sums are not reduced: each bound is a multiple of the order.
    #[inline]
    pub(super) fn permute(&self, state: [Elements; WIDTH]) -> [Elements; WIDTH] {
        let mut state = mixed(state);
        for constants in &self.first {
            state = full_round(state, constants);
        }
        // Below 8 each. The first need not be reduced: with a constant it is below 9.1.
        let [mut a, b, c] = state;
        let (mut b, mut c) = (b.reduced(), c.reduced());
        a = a.reduced();
        for constant in &self.partial {
            let power = a.plus(*constant).normalized().to_fifth();
            // Below 2 + 1.1 + 1.1, so that none of the next is above 6.4.
            let sum = power.plus(b).plus(c);
            a = power.plus(sum);
            b = b.plus(sum).reduced();
            c = c.plus(c).plus(sum).reduced();
        }
        let mut state = [a, b, c];
        for constants in &self.last {
            state = full_round(state, constants);
        }
        state.map(Elements::reduced)
    }
}

/// State below 8, constants below 1.1: what is multiplied is below 9.1, its square below 2.
#[inline(always)]
fn full_round(state: [Elements; WIDTH], constants: &[Elements; WIDTH]) -> [Elements; WIDTH] {
    mixed(std::array::from_fn(|i| state[i].plus(constants[i]).normalized().to_fifth()))
}

/// Each with the sum of all: of elements below 2 such below 8, not normalized.
#[inline(always)]
fn mixed([a, b, c]: [Elements; WIDTH]) -> [Elements; WIDTH] {
    let sum = a.plus(b).plus(c);
    [a.plus(sum), b.plus(sum), c.plus(sum)]
}

#[cfg(test)]
mod tests {
    use slop_algebra::{AbstractField, Field};
    use slop_bn254::{Bn254Fr, outer_perm};
    use slop_symmetric::Permutation;

    use super::*;
    use crate::outer_tree::{element, lanes::LANES};

    #[test]
    fn it_permutes_as_sp1_does_in_every_lane() {
        let seven = Bn254Fr::from_canonical_u64(7).try_inverse().expect("not zero");
        let state = |lane: usize| {
            std::array::from_fn(|i| seven.exp_u64(1 + (WIDTH * lane + i) as u64) - Bn254Fr::one())
        };
        let states: [[Bn254Fr; WIDTH]; LANES] = std::array::from_fn(state);
        let ours =
            std::array::from_fn(|i| Elements::from_numbers(&states.map(|state| number(state[i]))));
        let ours = Poseidon2::new().permute(ours).map(Elements::pack);
        for (lane, state) in states.into_iter().enumerate() {
            let theirs = outer_perm().permute(state);
            for i in 0..WIDTH {
                assert_eq!(element(ours[i][lane].number()), theirs[i], "lane {lane}, element {i}");
            }
        }
    }
}
