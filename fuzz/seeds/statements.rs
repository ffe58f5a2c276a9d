//! Operands, keys and signatures, in the order in which their targets take them apart.

use crate::Seeds;

pub(crate) fn add(seeds: &mut Seeds) {
    arithmetic(seeds);
    signatures(seeds);
}

fn arithmetic(seeds: &mut Seeds) {
    let mut add = |name: &str, bytes: Vec<u8>| seeds.add("arithmetic", name, bytes);
    // Each operation with an operand near each edge: 0, p, p, p/2, 2^384.
    let mut walk = vec![0, 1, 1];
    for operation in 0..8 {
        for edge in 0..5 {
            walk.extend([operation, edge, edge * 3]);
        }
    }
    add("every-operation-at-every-edge", walk);
    let random: Vec<u8> = (0..48u32).map(|n| (n * n * 37 + 11) as u8).collect();
    let random = [vec![0, 5], vec![0], random.clone(), vec![2, 5, 0], random].concat();
    add("a-product", random);
    add("a-hash", [vec![1, 55], (0..119).collect()].concat());
    for (name, first) in
        [("key-at-0", 0x80), ("no-key-at-infinity", 0xc0), ("no-key-uncompressed", 0)]
    {
        let mut key = vec![3, first];
        key.resize(49, 0);
        // y = p - 1.
        key.extend([1, 1]);
        add(name, key);
    }
    add("no-key-above-the-modulus", [vec![3, 0x9f], vec![0xff; 47]].concat());
    let mut generator = vec![3];
    generator.extend(GENERATOR);
    add("key-at-the-generator", generator);
}

/// The generator of G1, compressed.
const GENERATOR: [u8; 48] = lc_core::alloy_primitives::hex!(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
);

/// Kinds of members, as the target numbers them.
const HONEST: u8 = 0;
const NEGATED: u8 = 3;
const WITH_ORDER_11: u8 = 4;
const OUTSIDE: u8 = 6;

/// Parts that can be damaged, and how.
const AGGREGATE: u8 = 0;
const ABSENT: u8 = 1;
const ROOT: u8 = 2;
const SIGNATURE: u8 = 3;
const FLAGS: [u8; 2] = [0, 0x20];
const INFINITY: [u8; 2] = [1, 0];

fn signatures(seeds: &mut Seeds) {
    let honest: &[_] = &[(HONEST, 1), (HONEST, 2), (HONEST, 3)];
    let mut add = |name: &str, members: &[(u8, u8)], present: u8, rest: &[u8]| {
        let mut seed = vec![members.len() as u8 - 1];
        seed.extend(members.iter().flat_map(|(kind, secret)| [*kind, *secret]));
        seed.push(present);
        seed.extend([0x5a; 32]);
        seed.extend(rest);
        seeds.add("signature", name, seed);
    };
    add("all-signed", honest, 0b111, &[]);
    add("two-of-three-signed", honest, 0b011, &[]);
    add("one-of-three-signed", honest, 0b001, &[]);
    add("no-one-signed", honest, 0, &[]);
    add("no-keys-that-cancel", &[(HONEST, 1), (NEGATED, 1)], 0b11, &[]);
    add("a-negated-key", &[(HONEST, 2), (NEGATED, 1)], 0b11, &[]);
    add("a-key-with-a-component-of-order-11", &[(HONEST, 2), (WITH_ORDER_11, 1)], 0b11, &[]);
    add("an-absent-key-outside-the-subgroup", &[(HONEST, 1), (OUTSIDE, 5)], 0b01, &[]);
    // The modulus fits in an encoding only on top of a small coordinate.
    let (members, damage) = ([(HONEST, 1), (OUTSIDE, 5)], [1, ABSENT, 2, 0, 0, 0, 0, 0]);
    add("no-absent-key-that-is-not-canonical", &members, 0b01, &damage);
    // One damage: how many, the part, the kind, its parameters; then no change of hints.
    let mut damaged = |name: &str, part: u8, kind: &[u8]| {
        add(name, honest, 0b011, &[&[1, part], kind, &[0, 0, 0]].concat());
    };
    damaged("no-signature-of-the-other-sign", SIGNATURE, &FLAGS);
    damaged("no-signature-at-infinity", SIGNATURE, &INFINITY);
    damaged("no-signature-with-a-component-of-order-13", SIGNATURE, &[5]);
    damaged("no-signature-of-order-13", SIGNATURE, &[6]);
    damaged("no-signature-outside-the-subgroup", SIGNATURE, &[7, 3]);
    damaged("no-aggregate-of-the-other-sign", AGGREGATE, &FLAGS);
    damaged("no-aggregate-at-infinity", AGGREGATE, &INFINITY);
    damaged("no-absent-key-at-infinity", ABSENT, &[1, 0, 0]);
    damaged("no-other-root", ROOT, &[0, 1]);
    // No damage; hints changed once in each way.
    let mut changes = vec![0, 6];
    for kind in 0..6 {
        changes.extend([kind, 40 * kind, 1, 7]);
    }
    add("two-of-three-signed-with-changed-hints", honest, 0b011, &changes);
}
