//! Elements of BN254's scalar field, eight at once.

use std::array;

use super::lanes::{LANES, LIMB_BITS, LIMB_MASK, Lanes};

const LIMBS: usize = 5;

/// A number below 2^256 as four 64-bit words, the lowest first.
pub(super) type Words = [u64; 4];

/// The field's order: 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001.
const ORDER: Words =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// Eight elements in Montgomery's form, times 2^260: five limbs each. What a function gives is below twice
/// the order with limbs below 2^52, if it does not say otherwise.
#[derive(Clone, Copy)]
pub(super) struct Elements([Lanes; LIMBS]);

/// An element as it is kept: in Montgomery's form, below twice the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packed(Words);

const fn limbs(words: Words) -> [u64; LIMBS] {
    [
        words[0] & LIMB_MASK,
        (words[0] >> 52 | words[1] << 12) & LIMB_MASK,
        (words[1] >> 40 | words[2] << 24) & LIMB_MASK,
        (words[2] >> 28 | words[3] << 36) & LIMB_MASK,
        words[3] >> 16,
    ]
}

const ORDER_LIMBS: [u64; LIMBS] = limbs(ORDER);

/// -1/order modulo 2^52, by Newton's iteration: each doubles the bits that are right.
const NEGATED_INVERSE: u64 = {
    let mut inverse = 1_u64;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(ORDER[0].wrapping_mul(inverse)));
        round += 1;
    }
    inverse.wrapping_neg() & LIMB_MASK
};

/// 0 to 7 times the order, each limb a table.
const MULTIPLES: [[u64; LANES]; LIMBS] = {
    let mut table = [[0; LANES]; LIMBS];
    let mut times = 1;
    while times < LANES {
        let (mut limb, mut carry) = (0, 0);
        while limb < LIMBS {
            let sum = table[limb][times - 1] + ORDER_LIMBS[limb] + carry;
            table[limb][times] = sum & LIMB_MASK;
            carry = sum >> LIMB_BITS;
            limb += 1;
        }
        times += 1;
    }
    table
};

/// 2^520 modulo the order: brings numbers into Montgomery's form.
const R_SQUARED: [u64; LIMBS] = {
    let mut value = [1, 0, 0, 0];
    let mut doublings = 0;
    while doublings < 520 {
        value = double(value);
        doublings += 1;
    }
    limbs(value)
};

/// Twice a number below the order, reduced.
const fn double(words: Words) -> Words {
    // The order is below 2^254, so nothing is lost.
    let doubled = [
        words[0] << 1,
        words[1] << 1 | words[0] >> 63,
        words[2] << 1 | words[1] >> 63,
        words[3] << 1 | words[2] >> 63,
    ];
    let (less, below) = subtract(doubled, ORDER);
    if below { doubled } else { less }
}

/// The difference, and whether it would be negative.
const fn subtract(a: Words, b: Words) -> (Words, bool) {
    let (mut difference, mut borrow, mut word) = ([0; 4], false, 0);
    while word < 4 {
        let (once, first) = a[word].overflowing_sub(b[word]);
        let (twice, second) = once.overflowing_sub(borrow as u64);
        difference[word] = twice;
        borrow = first | second;
        word += 1;
    }
    (difference, borrow)
}

impl Elements {
    pub(super) fn zero() -> Self {
        Self([Lanes::zero(); LIMBS])
    }

    /// From numbers below 2^256, each into a lane.
    pub(super) fn from_numbers(numbers: &[Words; LANES]) -> Self {
        let numbers = Self::split(numbers);
        numbers.times(Self(R_SQUARED.map(Lanes::splat)))
    }

    pub(super) fn splat(number: Words) -> Self {
        Self::from_numbers(&[number; LANES])
    }

    pub(super) fn unpack(packed: &[Packed; LANES]) -> Self {
        Self::split(&packed.map(|packed| packed.0))
    }

    fn split(numbers: &[Words; LANES]) -> Self {
        let limbs = numbers.map(limbs);
        Self(array::from_fn(|limb| Lanes::load(&array::from_fn(|lane| limbs[lane][limb]))))
    }

    /// What was [normalized](Self::normalized) or made by a product.
    pub(super) fn pack(self) -> [Packed; LANES] {
        let [a, b, c, d, e] = self.0;
        let words = [
            a.plus(b.shift_left::<52>()).store(),
            b.shift_right::<12>().plus(c.shift_left::<40>()).store(),
            c.shift_right::<24>().plus(d.shift_left::<28>()).store(),
            d.shift_right::<36>().plus(e.shift_left::<16>()).store(),
        ];
        array::from_fn(|lane| Packed(array::from_fn(|word| words[word][lane])))
    }

    /// The sum limb by limb, not normalized; its size is the caller's to watch.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self(array::from_fn(|limb| self.0[limb].plus(other.0[limb])))
    }

    /// Carries what limbs have above their 52 bits, also where it is negative.
    #[inline(always)]
    pub(super) fn normalized(self) -> Self {
        let mut limbs = self.0;
        for limb in 1..LIMBS {
            let carry = limbs[limb - 1].shift_right_signed::<LIMB_BITS>();
            limbs[limb] = limbs[limb].plus(carry);
            limbs[limb - 1] = limbs[limb - 1].and(Lanes::splat(LIMB_MASK));
        }
        Self(limbs)
    }

    /// The same element below 1.1 times the order, normalized, of one below 8 times the order.
    #[inline(always)]
    pub(super) fn reduced(self) -> Self {
        // The upper bits over a little more than the order's: never too much, at most one too few.
        let upper = self.0[LIMBS - 1].shift_right::<40>();
        let times = upper.times_32(Lanes::splat(169)).shift_right::<13>();
        let subtract =
            |limb: usize| self.0[limb].minus(times.look_up(Lanes::load(&MULTIPLES[limb])));
        Self(array::from_fn(subtract)).normalized()
    }

    /// The product of normalized elements, each below 9 times the order.
    #[inline(always)]
    pub(super) fn times(self, other: Self) -> Self {
        let (order, factor) = (ORDER_LIMBS.map(Lanes::splat), Lanes::splat(NEGATED_INVERSE));
        let mut sum = [Lanes::zero(); LIMBS];
        for digit in other.0 {
            for (sum, limb) in sum.iter_mut().zip(self.0) {
                *sum = sum.plus_low(limb, digit);
            }
            let quotient = Lanes::zero().plus_low(sum[0], factor);
            for (sum, limb) in sum.iter_mut().zip(order) {
                *sum = sum.plus_low(limb, quotient);
            }
            // The lowest limb is a multiple of 2^52 now: it goes, and the others move down.
            let carry = sum[0].shift_right::<LIMB_BITS>();
            sum = [sum[1].plus(carry), sum[2], sum[3], sum[4], Lanes::zero()];
            for ((sum, limb), order) in sum.iter_mut().zip(self.0).zip(order) {
                *sum = sum.plus_high(limb, digit).plus_high(order, quotient);
            }
        }
        Self(sum).normalized()
    }

    /// The fifth power of a normalized element below 9 times the order.
    #[inline(always)]
    pub(super) fn to_fifth(self) -> Self {
        let square = self.times(self);
        square.times(square).times(self)
    }
}

impl Packed {
    /// The number below the order.
    pub(super) fn number(self) -> Words {
        let mut one = [Lanes::zero(); LIMBS];
        one[0] = Lanes::splat(1);
        let words = Elements::unpack(&[self; LANES]).times(Elements(one)).pack()[0].0;
        let (less, below) = subtract(words, ORDER);
        if below { words } else { less }
    }
}

#[cfg(test)]
mod tests {
    use slop_algebra::{AbstractField, Field};
    use slop_bn254::Bn254Fr;

    use super::*;
    use crate::outer_tree::{element, number};

    /// Elements without a pattern, and the edges.
    fn some() -> [Bn254Fr; LANES] {
        let root = Bn254Fr::from_canonical_u64(0x1234_5678_9abc_def1);
        let mut power = Bn254Fr::one();
        array::from_fn(|lane| match lane {
            0 => Bn254Fr::zero(),
            1 => Bn254Fr::one(),
            2 => -Bn254Fr::one(),
            _ => {
                power = power * root + root;
                power.try_inverse().expect("not zero")
            }
        })
    }

    fn of(elements: [Bn254Fr; LANES]) -> Elements {
        Elements::from_numbers(&elements.map(number))
    }

    fn read(elements: Elements) -> [Bn254Fr; LANES] {
        elements.pack().map(|packed| element(packed.number()))
    }

    #[test]
    fn numbers_come_back_and_are_below_the_order() {
        assert_eq!(read(of(some())), some());
        assert_eq!(Elements::splat(ORDER).pack()[3].number(), [0; 4]);
        let (above, _) = subtract([u64::MAX; 4], ORDER);
        assert_eq!(read(Elements::splat([u64::MAX; 4])), read(Elements::splat(above)));
        assert!(number(-Bn254Fr::one())[0] == ORDER[0] - 1);
    }

    #[test]
    fn products_and_powers_are_those_of_the_field() {
        let (a, mut b) = (some(), some());
        b.rotate_left(3);
        let products: [_; LANES] = array::from_fn(|lane| a[lane] * b[lane]);
        assert_eq!(read(of(a).times(of(b))), products);
        assert_eq!(read(of(a).to_fifth()), a.map(|a| a.exp_u64(5)));
    }

    #[test]
    fn sums_up_to_eight_times_the_order_are_reduced_and_multiplied_right() {
        // Each below twice the order, as near to it as numbers in Montgomery's form come here.
        let near = Elements(limbs(subtract([u64::MAX; 4], ORDER).0).map(Lanes::splat)).reduced();
        for a in [of(some()), near] {
            let sum = a.plus(a).plus(a).plus(a);
            let four = Bn254Fr::from_canonical_u64(4);
            let expected = read(a).map(|a| a * four);
            assert_eq!(read(sum.reduced()), expected);
            let raw = sum.reduced().pack().map(|packed| packed.0);
            let mut limit = ORDER;
            limit[3] += ORDER[3] / 10;
            assert!(raw.iter().all(|words| subtract(*words, limit).1), "{raw:x?}");
            let sum = sum.normalized();
            assert_eq!(read(sum.times(sum)), expected.map(|a| a.square()));
        }
    }

    #[test]
    fn packed_elements_are_unpacked_as_they_were() {
        let packed = of(some()).pack();
        assert_eq!(Elements::unpack(&packed).pack(), packed);
        assert_eq!(Elements::zero().pack(), [Packed::default(); LANES]);
    }
}
