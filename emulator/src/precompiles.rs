//! What the circuits of system calls compute, and the operands that they take.

use lc_signature::{Limbs, Machine as _, Portable};

use crate::syscall::Syscall;

/// The modulus of KoalaBear, SP1's field: 2^31 - 2^24 + 1.
pub(crate) const POSEIDON2_MODULUS: u64 = 0x7f00_0001;

/// The modulus p of BLS12-381's base field, least significant limb first.
const P: Limbs = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// The constants of SHA-256 (FIPS 180-4, section 4.2.2).
const K: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Expands a block in `w[..16]` to its schedule. A word of 32 bits to a cell.
pub(crate) fn sha256_extend(w: &mut [u64; 64]) {
    for i in 16..64 {
        let (a, b) = (w[i - 15] as u32, w[i - 2] as u32);
        let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
        let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
        let sum =
            [w[i - 16] as u32, s0, w[i - 7] as u32, s1].into_iter().fold(0, u32::wrapping_add);
        w[i] = sum.into();
    }
}

/// The rounds of SHA-256 with the schedule `w` as it is: the circuit does not ask whether it is one of a block.
pub(crate) fn sha256_compress(w: &[u64; 64], state: &mut [u64; 8]) {
    let mut s = state.map(|cell| cell as u32);
    for (w, k) in w.iter().zip(K) {
        let [a, b, c, d, e, f, g, h] = s;
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let t1 = [h, s1, choice, k, *w as u32].into_iter().fold(0, u32::wrapping_add);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = a & b ^ a & c ^ b & c;
        s = [t1.wrapping_add(s0).wrapping_add(majority), a, b, c, d.wrapping_add(t1), e, f, g];
    }
    for (cell, word) in state.iter_mut().zip(s) {
        *cell = (*cell as u32).wrapping_add(word).into();
    }
}

/// A field operation on any numbers of 384 bits.
pub(crate) fn field_operation(call: Syscall, a: &mut Limbs, b: &Limbs) {
    match call {
        Syscall::FpAdd => Portable::add(a, b),
        Syscall::FpSub => Portable::sub(a, b),
        _ => Portable::mul(a, b),
    }
}

/// What the circuit of a field operation wants of its operands, if these are not it.
///
/// It shows `a + b = result + q p`, `result + b = a + q p` or `a b = result + q p` with a result below p and q from 0
/// to 2^384. SP1's prover computes q for `result + b` without regard to `a`, and `a + p - b` without a sign.
pub(crate) fn field_objection(call: Syscall, a: &Limbs, b: &Limbs) -> Option<&'static str> {
    match call {
        Syscall::FpSub => {
            let fits = is_below(a, &P) && !is_below(&plus_p(a), b);
            (!fits).then_some("the first below p, the second at most p above it")
        }
        // A sufficient condition: if both are larger, q can still be small enough.
        Syscall::FpMul => (!is_below(a, &P) && !is_below(b, &P)).then_some("one of them below p"),
        _ => None,
    }
}

/// The sum, for `a` below p.
fn plus_p(a: &Limbs) -> Limbs {
    let mut carry = false;
    core::array::from_fn(|i| {
        let (sum, first) = a[i].overflowing_add(P[i]);
        let (sum, second) = sum.overflowing_add(carry.into());
        carry = first | second;
        sum
    })
}

fn is_below(a: &Limbs, b: &Limbs) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The Poseidon2 permutation. Takes any halves, as SP1's executor does.
pub(crate) fn poseidon2(state: &mut [u64; 8]) {
    let reduced = |half: u64| half % POSEIDON2_MODULUS;
    *state = state.map(|word| reduced(word >> 32) << 32 | reduced(word & 0xffff_ffff));
    Portable::poseidon2(state);
}
