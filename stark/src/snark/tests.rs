use std::ops::Range;

use super::*;

/// A proof of somebody else's program, made with the circuit of SP1's release. It is in the tests of
/// alpenlabs/zkaleido.
const PROOF: &str = concat!(
    "4388a21c0000000000000000000000000000000000000000000000000000000000000000002f850ee998974d6cc00e50",
    "cd0814b098c05bfade466d28573240d057f2535200000000000000000000000000000000000000000000000000000000",
    "0000000007229ae4bfd3adba05b9adc2e4ca4f672c6d55d93fd5f6d252658e791c2c598f0111bd8c1ae94557371b7ed6",
    "a5d7e134fd3563e9c8c5c2ec205e9559cea1ca9f2a249460c9a2e562f30d76edb44928565c1f5b07a7944985cf936acc",
    "4d763e1212e5c5635bdf65d714620991f77e6801ff36efb08d29d5aa31ab20f3ed668fac0404759fa720d9d8c1ad9dd3",
    "204301d182a6d0e2b467be3b5aa64ce3c3ca7c7e025ddfa505f3253771743a42ac0cd72d35b273e8807607178ad2a7ea",
    "833bfe43081c0362228bbb8f1881f37aea61e90d6277cf57d0761a91424fe86c61da78e72e931c418cd2c2f8710fa89e",
    "3e22e464f75f4a21d29091a021f92428c9f5090b",
);
const PROGRAM: &str = "00de0b076134b5f87a6b27086d654ea12ea3465c09e092d93744ecc2a0efef4a";
const PUBLIC_VALUES: [u8; 4] = [5, 0, 0, 0];

/// Where G2's point is in a proof.
const G2: Range<usize> = PREFIX + 64..PREFIX + 192;

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().as_chunks::<2>().0.iter();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn program() -> [u8; 32] {
    unhex(PROGRAM).try_into().unwrap()
}

fn official() -> Circuit {
    Circuit::official(ProofSystem::Groth16)
}

/// The proof with other bytes in one place.
fn with(range: Range<usize>, bytes: &[u8]) -> Vec<u8> {
    let mut changed = unhex(PROOF);
    changed[range].copy_from_slice(bytes);
    changed
}

fn with_bit_changed(at: usize) -> Vec<u8> {
    let byte = unhex(PROOF)[at] ^ 1;
    with(at..at + 1, &[byte])
}

#[track_caller]
fn refused(circuit: &Circuit, proof: &[u8], why: &str) {
    let error = circuit.verify_program(&program(), &PUBLIC_VALUES, proof).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_proof_of_the_official_circuit_holds_for_its_program_and_public_values_only() {
    let proof = unhex(PROOF);
    official().verify_program(&program(), &PUBLIC_VALUES, &proof).unwrap();
    let mut other = program();
    other[31] ^= 1;
    official().verify_program(&other, &PUBLIC_VALUES, &proof).unwrap_err();
    official().verify_program(&program(), &[5, 0, 0], &proof).unwrap_err();
    official().verify_program(&program(), &[], &proof).unwrap_err();
}

#[test]
fn no_byte_of_a_proof_may_differ() {
    let proof = unhex(PROOF);
    for at in 0..proof.len() {
        refused(&official(), &with_bit_changed(at), "the proof does not hold");
    }
    let longer = [proof.as_slice(), &[0]].concat();
    for other in [&proof[..proof.len() - 1], &proof[..PREFIX], &longer] {
        refused(&official(), other, "does not consist of points");
    }
    refused(&official(), &proof[..PREFIX - 1], "99 bytes are no SNARK of SP1");
    refused(&official(), &[0; MAX_PROOF + 1], "16385 bytes are no SNARK of SP1");
}

#[test]
fn what_is_wrong_before_the_points_is_named() {
    let [selector, exit_code, root, nonce] = [0, 4, 36, 68];
    let other = "it was made with the circuit 4288a21c…, not 4388a21c…";
    refused(&official(), &with_bit_changed(selector), other);
    refused(&official(), &with_bit_changed(exit_code), "the program did not end with success");
    refused(&official(), &with_bit_changed(root + 31), "it is of another version of SP1");
    refused(&official(), &with_bit_changed(nonce + 31), "it proves nothing of this program");
    refused(&official(), &with(nonce..nonce + 32, &[0xff; 32]), "no element of the field");
}

#[test]
fn points_at_infinity_off_the_curve_or_written_in_another_way_are_none() {
    let none = "does not consist of points";
    refused(&official(), &with(PREFIX..PREFIX + 64, &[0; 64]), none);
    refused(&official(), &with(G2, &[0; 128]), none);
    refused(&official(), &with(PREFIX..PREFIX + 64, &[1; 64]), none);
    // Another way to write zero, were it taken.
    let modulus = unhex("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47");
    refused(&official(), &with(PREFIX..PREFIX + 32, &modulus), none);
}

#[test]
fn a_key_that_is_none_verifies_nothing() {
    let key = official().key;
    let cut = [1, 64, 291, 292, 292 + 6 * 32 - 1].map(|length| key[..length].to_vec());
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = key.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    // Too many points announced; a point at infinity; a sign that does not exist.
    let damaged = [with(288, &[0xff; 4]), with(0, &[0x40]), with(64, &[0x00])];
    for key in cut.into_iter().chain(damaged) {
        let circuit = Circuit::from_key(ProofSystem::Groth16, key).unwrap();
        let mut proof = unhex(PROOF);
        proof[..SELECTOR].copy_from_slice(&circuit.hash()[..SELECTOR]);
        refused(&circuit, &proof, "is no verifying key");
    }
}

#[test]
fn a_key_of_another_number_of_inputs_verifies_nothing() {
    let mut key = official().key;
    key[288..292].copy_from_slice(&5_u32.to_be_bytes());
    let circuit = Circuit::from_key(ProofSystem::Groth16, key).unwrap();
    let mut proof = unhex(PROOF);
    proof[..SELECTOR].copy_from_slice(&circuit.hash()[..SELECTOR]);
    refused(&circuit, &proof, "another number of public inputs");
}

/// A PLONK proof that was made with an older release's circuit (`tests/fixtures/README.md`): the circuit, its public
/// inputs and what gnark made.
fn plonk() -> (Circuit, [[u8; 32]; 5], Vec<u8>) {
    let key = include_bytes!("../../tests/fixtures/plonk-6.0.0.vk").to_vec();
    let proof = include_bytes!("../../tests/fixtures/plonk-6.0.0.proof");
    let program = unhex("004a55ed3c7a07d0233a027278a8b7ff8681ffbd5d1ec4795c18966f6e693090");
    let public_values: Vec<u8> = [20_u16, 6765, 10946]
        .iter()
        .flat_map(|value| [&[0; 30], &value.to_be_bytes()[..]].concat())
        .collect();
    let word = |at: usize| proof[SELECTOR + 32 * at..][..32].try_into().unwrap();
    let inputs = [
        program.try_into().unwrap(),
        hash_public_inputs(&public_values),
        word(0),
        word(1),
        word(2),
    ];
    let circuit = Circuit::from_key(ProofSystem::Plonk, key).unwrap();
    assert_eq!(proof[..SELECTOR], circuit.hash()[..SELECTOR]);
    (circuit, inputs, proof[PREFIX..].to_vec())
}

#[test]
fn a_plonk_proof_holds_for_its_public_inputs_only() {
    let (circuit, inputs, proof) = plonk();
    circuit.verify_inputs(&inputs, &proof).unwrap();
    for at in 0..inputs.len() {
        let mut other = inputs;
        other[at][31] ^= 1;
        assert_eq!(circuit.verify_inputs(&other, &proof).unwrap_err(), WRONG, "input {at}");
    }
    assert_eq!(circuit.verify_inputs(&inputs[..4], &proof).unwrap_err(), OTHER_INPUTS);
}

#[test]
fn no_byte_of_a_plonk_proof_may_differ() {
    let (circuit, inputs, proof) = plonk();
    for at in 0..proof.len() {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        circuit.verify_inputs(&inputs, &changed).unwrap_err();
    }
    let longer = [proof.as_slice(), &[0]].concat();
    for other in [&proof[..proof.len() - 1], &[], &longer] {
        assert_eq!(circuit.verify_inputs(&inputs, other).unwrap_err(), NO_PROOF);
    }
}

/// Each part of a PLONK proof replaced by another one of the same proof: points stay points.
#[test]
fn a_plonk_proof_whose_parts_change_places_does_not_hold() {
    let (circuit, inputs, proof) = plonk();
    let points = [0, 64, 128, 192, 256, 320, 544, 640, 704, 800];
    let numbers = [384, 416, 448, 480, 512, 608, 768];
    for (places, length) in [(&points[..], 64), (&numbers[..], 32)] {
        for (place, next) in places.iter().zip(places.iter().cycle().skip(1)) {
            let mut changed = proof.clone();
            changed.copy_within(*next..next + length, *place);
            assert_eq!(circuit.verify_inputs(&inputs, &changed).unwrap_err(), WRONG, "{place}");
        }
    }
}

#[test]
fn sp1_s_own_verifier_says_the_same_of_a_plonk_proof() {
    let (circuit, inputs, proof) = plonk();
    let mut changed = proof.clone();
    changed.copy_within(64..128, 0);
    for proof in [proof, changed] {
        let theirs = sp1_verifier::PlonkVerifier::verify_gnark_proof(&proof, &inputs, &circuit.key);
        assert_eq!(circuit.verify_inputs(&inputs, &proof).is_ok(), theirs.is_ok());
    }
}

#[test]
fn the_official_plonk_key_is_read_and_what_is_left_of_it_is_none() {
    let (_, inputs, proof) = plonk();
    let official = Circuit::official(ProofSystem::Plonk);
    assert_eq!(official.verify_inputs(&inputs, &proof).unwrap_err(), WRONG);
    for length in [1, 368, 372, official.key.len() - 1] {
        let cut = Circuit::from_key(ProofSystem::Plonk, official.key[..length].to_vec()).unwrap();
        assert_eq!(cut.verify_inputs(&inputs, &proof).unwrap_err(), NO_KEY, "{length}");
    }
    let longer = [official.key.as_slice(), &[0]].concat();
    let longer = Circuit::from_key(ProofSystem::Plonk, longer).unwrap();
    assert_eq!(longer.verify_inputs(&inputs, &proof).unwrap_err(), NO_KEY);
}
