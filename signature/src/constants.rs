//! Constants of BLS12-381; each is computed again in this file's tests.

use crate::field::Limbs;

/// 2^384 mod p.
pub(crate) const TWO_POW_384: Limbs = [
    0x7609_0000_0002_fffd,
    0xebf4_000b_c40c_0002,
    0x5f48_9857_53c7_58ba,
    0x77ce_5853_7052_5745,
    0x5c07_1a97_a256_ec6d,
    0x15f6_5ec3_fa80_e493,
];

/// psi multiplies the conjugate of x by `PSI_X u` = 1 / (1 + u)^((p - 1)/3).
pub(crate) const PSI_X: Limbs = [
    0x8bfd_0000_0000_aaad,
    0x4094_27eb_4f49_fffd,
    0x897d_2965_0fb8_5f9b,
    0xaa0d_857d_8975_9ad4,
    0xec02_4086_63d4_de85,
    0x1a01_11ea_397f_e699,
];

/// psi multiplies the conjugate of y by `PSI_Y (1 - u)` = 1 / (1 + u)^((p - 1)/2).
pub(crate) const PSI_Y: Limbs = [
    0xf1ee_7b04_121b_dea2,
    0x3044_66cf_3e67_fa0a,
    0xef39_6489_f61e_b45e,
    0x1c3d_edd9_30b1_cf60,
    0xe2e9_c448_d77a_2cd9,
    0x1352_03e6_0180_a68e,
];

/// X^(p - 1) = (1 + u)^((p - 1)/6) = `FROBENIUS_X[0] + FROBENIUS_X[1] u`.
pub(crate) const FROBENIUS_X: [Limbs; 2] = [
    [
        0x8d07_75ed_9223_5fb8,
        0xf67e_a53d_63e7_813d,
        0x7b24_43d7_84ba_b9c4,
        0x0fd6_03fd_3cbd_5f4f,
        0xc231_beb4_202c_0d1f,
        0x1904_d3bf_02bb_0667,
    ],
    [
        0x2cf7_8a12_6ddc_4af3,
        0x282d_5ac1_4d6c_7ec2,
        0xec0c_8ec9_71f6_3c5f,
        0x54a1_4787_b6c7_b36f,
        0x88e9_e902_231f_9fb8,
        0x00fc_3e2b_36c4_e032,
    ],
];

/// Y^(p - 1) = (1 + u)^((p - 1)/3) = `FROBENIUS_Y u`.
pub(crate) const FROBENIUS_Y: Limbs = [
    0x8bfd_0000_0000_aaac,
    0x4094_27eb_4f49_fffd,
    0x897d_2965_0fb8_5f9b,
    0xaa0d_857d_8975_9ad4,
    0xec02_4086_63d4_de85,
    0x1a01_11ea_397f_e699,
];

/// -[1/h_eff mod r] g_1: minus x, and y.
pub(crate) const P_2: [Limbs; 2] = [
    [
        0xe7ab_fa2d_4f5f_0ef3,
        0x033b_cc02_ca45_bc00,
        0x2fc7_be28_1c4d_c5cb,
        0x03d7_ca09_aa9b_b07f,
        0x8c18_96e1_4aa4_b4a8,
        0x0608_71ad_7856_dbef,
    ],
    [
        0x0698_c4d2_662a_66a7,
        0x6b42_5a7a_8769_64e7,
        0xd809_2984_38e3_dc2a,
        0x420e_412e_3f11_6ada,
        0xef87_fe99_4e41_173a,
        0x0fbf_e799_209f_cc41,
    ],
];

#[cfg(all(test, feature = "hints"))]
mod tests {
    use ark_bls12_381::{Fq, Fq2, Fr, G1Affine};
    use ark_ec::{AffineRepr as _, CurveGroup as _};
    use ark_ff::{AdditiveGroup, Field, PrimeField};
    use num_bigint::BigUint;

    use super::*;
    use crate::portable::to_fq;

    /// RFC 9380, section 8.8.2.
    const H_EFF: &str = "bc69f08f2ee75b3584c6a0ea91b352888e2a8e9145ad7689986ff031508ffe1329c2f178731db956d82bf015d1212b02ec0ec69d7477c1ae954cbc06689f6a359894c0adebbf6b4e8020005aaa95551";

    /// (1 + u)^((p - 1)/divisor).
    fn power(divisor: u32) -> Fq2 {
        let exponent = (BigUint::from(Fq::MODULUS) - 1u32) / divisor;
        Fq2::new(Fq::ONE, Fq::ONE).pow(exponent.to_u64_digits())
    }

    #[test]
    fn psi_and_frobenius_multiply_by_powers_of_1_plus_u() {
        assert_eq!(Fq2::new(Fq::ZERO, to_fq(&PSI_X)), power(3).inverse().unwrap());
        let y = to_fq(&PSI_Y);
        assert_eq!(Fq2::new(y, -y), power(2).inverse().unwrap());
        assert_eq!(Fq2::new(to_fq(&FROBENIUS_X[0]), to_fq(&FROBENIUS_X[1])), power(6));
        assert_eq!(Fq2::new(Fq::ZERO, to_fq(&FROBENIUS_Y)), power(3));
    }

    #[test]
    fn the_second_pair_s_key_undoes_the_effective_cofactor() {
        let h_eff = BigUint::parse_bytes(H_EFF.as_bytes(), 16).unwrap();
        let point = G1Affine::new(-to_fq(&P_2[0]), to_fq(&P_2[1]));
        let multiple = point.mul_bigint((h_eff % BigUint::from(Fr::MODULUS)).to_u64_digits());
        assert_eq!(multiple.into_affine(), -G1Affine::generator());
    }

    #[test]
    fn two_to_the_384_is_reduced() {
        assert_eq!(to_fq(&TWO_POW_384), Fq::from(2u64).pow([384u64]));
    }
}
