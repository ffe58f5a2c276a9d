//! SP1's commitment to tables, hashed with [`Poseidon2`].

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use slop_algebra::Field;
use slop_alloc::CpuBackend;
use slop_challenger::IopCtx;
use slop_commit::Message;
use slop_futures::OwnedBorrow;
use slop_merkle_tree::{
    ComputeTcsOpenings, FieldMerkleTreeProver, MerkleTreeTcsProof, TensorCsProver,
};
use slop_symmetric::{PaddingFreeSponge, TruncatedPermutation};
use slop_tensor::Tensor;
use sp1_primitives::{SP1Field, SP1GlobalContext};

use super::poseidon2::{Poseidon2, WIDTH};

/// Elements of a digest, and of what the hash takes at once.
const DIGEST: usize = 8;

type Digest = <SP1GlobalContext as IopCtx>::Digest;

/// SP1's field, digests and transcript; the same hash, made in another way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Context;

impl IopCtx for Context {
    type F = SP1Field;
    type EF = <SP1GlobalContext as IopCtx>::EF;
    type Digest = Digest;
    type Challenger = <SP1GlobalContext as IopCtx>::Challenger;
    type Hasher = PaddingFreeSponge<Poseidon2, WIDTH, DIGEST, DIGEST>;
    type Compressor = TruncatedPermutation<Poseidon2, 2, DIGEST, WIDTH>;

    fn default_hasher_and_compressor() -> (Self::Hasher, Self::Compressor) {
        (PaddingFreeSponge::new(Poseidon2::new()), TruncatedPermutation::new(Poseidon2::new()))
    }

    fn default_challenger() -> Self::Challenger {
        SP1GlobalContext::default_challenger()
    }
}

type Packed = <SP1Field as Field>::Packing;
type Sp1Tree = FieldMerkleTreeProver<Packed, Packed, Context, DIGEST>;

/// The Merkle tree that SP1 commits with.
#[derive(Debug, Clone, Default)]
pub(super) struct MerkleTree(Sp1Tree);

impl TensorCsProver<SP1GlobalContext, CpuBackend> for MerkleTree {
    type ProverData = <Sp1Tree as TensorCsProver<Context, CpuBackend>>::ProverData;
    type ProverError = Infallible;

    fn commit_tensors<T>(
        &self,
        tensors: Message<T>,
    ) -> Result<(Digest, Self::ProverData), Self::ProverError>
    where
        T: OwnedBorrow<Tensor<SP1Field, CpuBackend>>,
    {
        self.0.commit_tensors(tensors)
    }

    fn prove_openings_at_indices(
        &self,
        data: Self::ProverData,
        indices: &[usize],
    ) -> Result<MerkleTreeTcsProof<Digest>, Self::ProverError> {
        self.0.prove_openings_at_indices(data, indices)
    }
}

impl ComputeTcsOpenings<SP1GlobalContext, CpuBackend> for MerkleTree {
    fn compute_openings_at_indices<T>(
        &self,
        tensors: Message<T>,
        indices: &[usize],
    ) -> Tensor<SP1Field>
    where
        T: OwnedBorrow<Tensor<SP1Field, CpuBackend>>,
    {
        self.0.compute_openings_at_indices(tensors, indices)
    }
}

#[cfg(test)]
mod tests {
    use slop_algebra::AbstractField;
    use slop_merkle_tree::MerkleTreeTcs;
    use sp1_hypercube::prover::SP1MerkleTreeProver;

    use super::*;

    /// Two tensors of `height` rows each; together they take the hash more than one step.
    fn tensors(height: usize) -> Message<Tensor<SP1Field>> {
        let tensor = |width: usize, from: usize| {
            let values = (0..height * width).map(|i| SP1Field::from_canonical_usize(from + 7 * i));
            Tensor::from(values.collect::<Vec<_>>()).reshape([height, width])
        };
        Message::from(vec![tensor(1, 3), tensor(9, 1 << 20)])
    }

    #[test]
    fn it_commits_to_the_same_roots_as_sp1() {
        // Fewer rows than a vector has lanes, as many, and more.
        for height in [1, 2, 16, 64, 1024] {
            let (ours, _) = MerkleTree::default().commit_tensors(tensors(height)).unwrap();
            let theirs = SP1MerkleTreeProver::default().commit_tensors(tensors(height)).unwrap().0;
            assert_eq!(ours, theirs, "{height} rows");
        }
    }

    #[test]
    fn its_openings_hold_in_sp1s_verifier_and_changed_ones_do_not() {
        let (tree, indices) = (MerkleTree::default(), [0, 17, 63]);
        let (root, data) = tree.commit_tensors(tensors(64)).unwrap();
        let mut values = tree.compute_openings_at_indices(tensors(64), &indices);
        let proof = tree.prove_openings_at_indices(data, &indices).unwrap();
        let verifier = MerkleTreeTcs::<SP1GlobalContext>::default();
        let verify = |values: &Tensor<SP1Field>| {
            verifier.verify_tensor_openings(&root, &indices, values, 10, 6, &proof)
        };
        verify(&values).unwrap();
        values.as_mut_slice()[0] += SP1Field::one();
        verify(&values).unwrap_err();
    }
}
