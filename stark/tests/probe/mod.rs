//! The probe program, and what it must commit, computed here.

use sha2::{Digest, Sha256};
use tiny_keccak::{Hasher, Keccak};

/// `programs/probe`, as `scripts/build-guests` built it.
pub(crate) const ELF: &[u8] = include_bytes!("../fixtures/probe.elf");

/// How much the probe is to do of each thing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Probe {
    pub(crate) cycles: u32,
    pub(crate) fp: u32,
    pub(crate) fp2: u32,
    pub(crate) sha: u32,
    pub(crate) keccak: u32,
    pub(crate) words: u32,
    pub(crate) fail: u32,
}

/// Lowest limb of the BLS12-381 base field's modulus.
const MODULUS: u64 = 0xb9fe_ffff_ffff_aaab;

impl Probe {
    /// The program's input: seven integers, little endian.
    pub(crate) fn input(self) -> Vec<u8> {
        let Self { cycles, fp, fp2, sha, keccak, words, fail } = self;
        [cycles, fp, fp2, sha, keccak, words, fail]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    /// The program's public values, as the top of its source says.
    pub(crate) fn public_values(self) -> Vec<u8> {
        let [c0, c1] = fp2(self.fp2);
        let squares =
            (0..u64::from(self.words)).fold(0u64, |sum, i| sum.wrapping_add(i.wrapping_mul(i)));
        let integers = [fibonacci(self.cycles), fp(self.fp), c0, c1, squares];
        let integers = integers.into_iter().flat_map(u64::to_le_bytes);
        integers.chain(hashes(self.sha, self.keccak)).collect()
    }
}

fn fibonacci(steps: u32) -> u64 {
    (0..steps).fold((0, 1), |(x, y), _| (y, (x + y) % 7919)).0
}

/// The lowest limb of a field element that is a small integer or the negative of one.
fn limb(value: i64) -> u64 {
    if value < 0 { MODULUS.wrapping_sub(value.unsigned_abs()) } else { value.unsigned_abs() }
}

fn fp(steps: u32) -> u64 {
    limb((0..steps).fold(5, |value, step| if step % 2 == 0 { -value } else { value + 3 }))
}

fn fp2(steps: u32) -> [u64; 2] {
    let step = |(a, b): (i64, i64), step: u32| {
        if step.is_multiple_of(2) { (-b, a) } else { (a + 3, b + 4) }
    };
    let (a, b) = (0..steps).fold((5, 7), step);
    [limb(a), limb(b)]
}

fn hashes(sha: u32, keccak: u32) -> [u8; 32] {
    let hashed = (0..sha).fold([0; 32], |h, _| Sha256::digest([h, h].concat()).into());
    (0..keccak).fold(hashed, |h, _| {
        let (mut hasher, mut out) = (Keccak::v256(), [0; 32]);
        hasher.update(&h);
        hasher.finalize(&mut out);
        out
    })
}
