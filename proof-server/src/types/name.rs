//! What requests are named by. `docs/protocol.md` defines it: any server gives one request one name, and so does a
//! client.

use lc_core::host::input::ProgramInput;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Proof, ProofMode, RequestName, VkeyHash};

impl RequestName {
    /// The name of a `Prove`: the key of its program, its mode and its input.
    #[must_use]
    pub fn of_prove(vkey: Option<VkeyHash>, mode: ProofMode, input: &ProgramInput) -> Self {
        of(b"prove", &(vkey.map_or([0; 32], |vkey| vkey.0), mode, input))
    }

    /// The name of a `Verify`: its proof.
    #[must_use]
    pub fn of_verify(proof: &Proof) -> Self {
        of(b"verify", proof)
    }
}

/// SHA-256 of the request's kind and of its content as frames carry it.
fn of(kind: &[u8], content: &impl Serialize) -> RequestName {
    let mut hash = Sha256::new();
    hash.update(kind);
    bincode::serialize_into(&mut hash, content)
        .expect("what came as a message goes as one, and a hash takes all");
    RequestName(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use lc_core::{ProgramId, host::InclusionInput};

    use super::*;
    use crate::types::{ClientHello, ClientMessage, EngineKind, FrameLimits, encode};

    fn input() -> InclusionInput {
        InclusionInput {
            chain: lc_core::host::Network::Mainnet.chain_spec(None).unwrap(),
            signer_period: 5,
            committee: b"committee".into(),
            finality_update: b"update".into(),
            accounts: Vec::new(),
            execution_header: None,
        }
    }

    fn name(vkey: u8, mode: ProofMode, input: InclusionInput) -> RequestName {
        RequestName::of_prove(Some(VkeyHash([vkey; 32])), mode, &ProgramInput::Inclusion(input))
    }

    #[test]
    fn equal_requests_have_one_name_and_any_difference_makes_another() {
        let first = name(1, ProofMode::Core, input());
        assert_eq!(first, name(1, ProofMode::Core, input()));
        let others = [
            name(2, ProofMode::Core, input()),
            name(1, ProofMode::Plonk, input()),
            name(1, ProofMode::Core, InclusionInput { signer_period: 6, ..input() }),
            name(1, ProofMode::Core, InclusionInput { committee: b"other".into(), ..input() }),
        ];
        assert!(others.iter().all(|other| *other != first), "{others:?}");
    }

    #[test]
    fn a_verification_is_named_by_all_of_its_proof() {
        let proof = Proof {
            program: ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: VkeyHash([1; 32]),
            sp1_version: "6.10.0".into(),
            public_values: vec![1],
            bytes: vec![2],
        };
        let other = Proof { bytes: vec![3], ..proof.clone() };
        assert_eq!(RequestName::of_verify(&proof), RequestName::of_verify(&proof.clone()));
        assert_ne!(RequestName::of_verify(&proof), RequestName::of_verify(&other));
    }

    #[test]
    fn a_balancer_finds_a_jobs_name_at_the_same_place_in_every_hello() {
        for program in ["a", "light-client 0.1.0"] {
            let hello = ClientMessage::Hello(ClientHello::about(RequestName([0xab; 32]), program));
            let frame = encode(&hello, &FrameLimits::default()).unwrap();
            assert_eq!(&frame[18..22], b"job=", "docs/protocol.md and deploy/haproxy.cfg say so");
            assert_eq!(&frame[22..38], b"abababababababab");
            assert_eq!(&frame[39..], program.as_bytes());
        }
    }
}
