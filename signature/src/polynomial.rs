//! Fp\[X\]: the ring in which hints are found.

use ark_bls12_381::Fq;
use ark_ff::{AdditiveGroup, Field};

use crate::{field::Limbs, portable::to_fq, ring::Ring};
use core::ops::{AddAssign, MulAssign, SubAssign};

/// A polynomial, lowest coefficient first, without zeros at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Polynomial(Vec<Fq>);

impl Polynomial {
    pub(crate) fn x() -> Self {
        Self(vec![Fq::ZERO, Fq::ONE])
    }

    pub(crate) fn constant_of(value: Fq) -> Self {
        Self(vec![value]).trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&Fq::ZERO) {
            self.0.pop();
        }
        self
    }

    /// Quotient by and remainder modulo M = X^12 - 2 X^6 + 2.
    pub(crate) fn divide_by_modulus(mut self) -> (Vec<Fq>, Self) {
        let mut quotient = vec![Fq::ZERO; self.0.len().saturating_sub(12)];
        for i in (12..self.0.len()).rev() {
            let lead = self.0[i];
            quotient[i - 12] = lead;
            self.0[i - 6] += lead.double();
            self.0[i - 12] -= lead.double();
            self.0[i] = Fq::ZERO;
        }
        (quotient, self.trimmed())
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl AddAssign<&Self> for Polynomial {
    fn add_assign(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), Fq::ZERO);
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a += b;
        }
        *self = core::mem::take(self).trimmed();
    }
}

impl SubAssign<&Self> for Polynomial {
    fn sub_assign(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), Fq::ZERO);
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a -= b;
        }
        *self = core::mem::take(self).trimmed();
    }
}

impl MulAssign<&Self> for Polynomial {
    fn mul_assign(&mut self, other: &Self) {
        let mut product = vec![Fq::ZERO; (self.0.len() + other.0.len()).saturating_sub(1)];
        for (i, a) in self.0.iter().enumerate().filter(|(_, a)| **a != Fq::ZERO) {
            for (j, b) in other.0.iter().enumerate().filter(|(_, b)| **b != Fq::ZERO) {
                product[i + j] += *a * b;
            }
        }
        *self = Self(product).trimmed();
    }
}

impl Ring for Polynomial {
    fn constant(limbs: &Limbs) -> Self {
        Self::constant_of(to_fq(limbs))
    }

    fn square(&mut self) {
        let copy = self.clone();
        *self *= &copy;
    }

    fn double(&mut self) {
        let copy = self.clone();
        *self += &copy;
    }
}
