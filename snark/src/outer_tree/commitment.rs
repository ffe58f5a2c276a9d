//! The tree as SP1's prover wants it.

use std::{convert::Infallible, fmt, sync::Arc};

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::IopCtx;
use slop_commit::Message;
use slop_futures::OwnedBorrow;
use slop_merkle_tree::{ComputeTcsOpenings, MerkleTreeTcsProof, TensorCsProver};
use slop_tensor::Tensor;
use sp1_primitives::{SP1Field, SP1OuterGlobalContext};

use super::{
    element,
    field::Packed,
    tree::{Hash, Tree},
};

type Digest = <SP1OuterGlobalContext as IopCtx>::Digest;
type Table = Tensor<SP1Field, CpuBackend>;

/// Commits as SP1's `BnProver` does, faster.
#[derive(Clone)]
pub(crate) struct OuterCommitter(Arc<Hash>);

impl Default for OuterCommitter {
    fn default() -> Self {
        Self(Arc::new(Hash::new()))
    }
}

impl fmt::Debug for OuterCommitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OuterCommitter")
    }
}

/// What was committed to.
#[derive(Clone)]
pub(crate) struct Committed {
    tree: Arc<Tree>,
    width: usize,
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed").field("root", &self.tree.root()).finish_non_exhaustive()
    }
}

fn digest(node: Packed) -> Digest {
    [element(node.number())].into()
}

impl TensorCsProver<SP1OuterGlobalContext, CpuBackend> for OuterCommitter {
    type ProverData = Committed;
    type ProverError = Infallible;

    fn commit_tensors<T>(
        &self,
        tensors: Message<T>,
    ) -> Result<(Digest, Self::ProverData), Self::ProverError>
    where
        T: OwnedBorrow<Table>,
    {
        let tables: Vec<&Table> = tensors.iter().map(|table| (**table).borrow()).collect();
        let width = tables.iter().map(|table| table.sizes()[1]).sum();
        let tree = Tree::new(&self.0, &tables);
        let shape = [tree.height(), width].map(SP1Field::from_canonical_usize);
        let commitment = self.0.pair(tree.root(), self.0.row(&shape));
        Ok((digest(commitment), Committed { tree: Arc::new(tree), width }))
    }

    fn prove_openings_at_indices(
        &self,
        data: Self::ProverData,
        indices: &[usize],
    ) -> Result<MerkleTreeTcsProof<Digest>, Self::ProverError> {
        let height = data.tree.height();
        let paths: Vec<Digest> =
            indices.iter().flat_map(|index| data.tree.path(*index)).map(digest).collect();
        Ok(MerkleTreeTcsProof {
            merkle_root: digest(data.tree.root()),
            log_tensor_height: height,
            width: data.width,
            paths: Tensor::from(paths).reshape([indices.len(), height]),
        })
    }
}

impl ComputeTcsOpenings<SP1OuterGlobalContext, CpuBackend> for OuterCommitter {
    fn compute_openings_at_indices<T>(
        &self,
        tensors: Message<T>,
        indices: &[usize],
    ) -> Tensor<SP1Field>
    where
        T: OwnedBorrow<Table>,
    {
        let tables: Vec<&Table> = tensors.iter().map(|table| (**table).borrow()).collect();
        let row = |&index: &usize| {
            tables.iter().flat_map(move |table| {
                let width = table.sizes()[1];
                &table.as_slice()[index * width..][..width]
            })
        };
        let cells: Vec<SP1Field> = indices.iter().flat_map(row).copied().collect();
        let width = tables.iter().map(|table| table.sizes()[1]).sum();
        Tensor::from(cells).reshape([indices.len(), width])
    }
}

#[cfg(test)]
mod tests {
    use slop_merkle_tree::{BnProver, MerkleTreeTcs};
    use sp1_primitives::SP1ExtensionField;

    use super::*;

    type Theirs = BnProver<SP1Field, SP1ExtensionField>;

    /// Three tables; the rows of all take the sponge more than one step.
    fn tables(height: usize) -> Message<Table> {
        let table = |width: usize, from: usize| {
            let cells = (0..height * width).map(|i| SP1Field::from_canonical_usize(from + 7 * i));
            Tensor::from(cells.collect::<Vec<_>>()).reshape([height, width])
        };
        Message::from(vec![table(1, 3), table(9, 1 << 20), table(19, 1 << 28)])
    }

    #[test]
    fn it_commits_to_the_same_roots_as_sp1() {
        // Fewer rows than there are lanes, as many, and more.
        for height in [1, 2, 4, 8, 16, 64] {
            let (ours, _) = OuterCommitter::default().commit_tensors(tables(height)).unwrap();
            let (theirs, _) = Theirs::default().commit_tensors(tables(height)).unwrap();
            assert_eq!(ours, theirs, "{height} rows");
        }
    }

    #[test]
    fn its_openings_hold_in_sp1s_verifier_and_changed_ones_do_not() {
        let (committer, indices) = (OuterCommitter::default(), [0, 17, 63]);
        let (root, data) = committer.commit_tensors(tables(64)).unwrap();
        let mut values = committer.compute_openings_at_indices(tables(64), &indices);
        let proof = committer.prove_openings_at_indices(data, &indices).unwrap();
        let verifier = MerkleTreeTcs::<SP1OuterGlobalContext>::default();
        let verify = |values: &Tensor<SP1Field>| {
            verifier.verify_tensor_openings(&root, &indices, values, 29, 6, &proof)
        };
        verify(&values).unwrap();
        values.as_mut_slice()[0] += SP1Field::one();
        verify(&values).unwrap_err();
    }
}
