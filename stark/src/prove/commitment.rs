//! SP1's commitment to tables, made with [`Tree`].

use std::{
    borrow::Borrow,
    convert::Infallible,
    fmt,
    sync::{Arc, OnceLock},
};

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::IopCtx;
use slop_commit::Message;
use slop_futures::OwnedBorrow;
use slop_merkle_tree::{ComputeTcsOpenings, MerkleTreeTcsProof, TensorCsProver};
use slop_tensor::Tensor;
use sp1_primitives::{SP1Field, SP1GlobalContext};
use tracing::warn;

use super::tree::{Hash, Node, Tree};

type Digest = <SP1GlobalContext as IopCtx>::Digest;
type Table = Tensor<SP1Field, CpuBackend>;

/// Commits as SP1 does, faster.
#[derive(Debug, Clone)]
pub struct Committer {
    hash: Arc<Hash>,
    outlined: Option<Arc<Outlined>>,
}

/// What of a commitment takes long to make: the nodes of its tree that are [`Outline::LAYERS`]
/// above the rows. With them a commitment to 2^23 rows is there at once; each row that is opened
/// takes 2^12 hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline(pub(super) Vec<Node>);

impl Outline {
    pub(super) const LAYERS: usize = 12;
}

#[derive(Debug)]
struct Outlined {
    known: Option<Outline>,
    made: OnceLock<Outline>,
}

impl Default for Committer {
    fn default() -> Self {
        Self { hash: Arc::new(Hash::new()), outlined: None }
    }
}

impl Committer {
    /// Commits to one message, of at least 2^12 rows, whose outline may be known. One that is of
    /// other rows is made anew; whether its last node is right, only the commitment says.
    pub(super) fn outlined(known: Option<Outline>) -> Self {
        let outlined = Outlined { known, made: OnceLock::new() };
        Self { outlined: Some(Arc::new(outlined)), ..Self::default() }
    }

    /// The outline of what was committed to.
    pub(super) fn outline(&self) -> Option<&Outline> {
        self.outlined.as_ref()?.made.get()
    }

    fn tree(&self, tables: &[&Table]) -> Tree {
        let (hash, layers) = (&self.hash, Outline::LAYERS);
        let Some(outlined) = &self.outlined else { return Tree::new(hash, tables) };
        let Outline(nodes) = outlined.made.get_or_init(|| match &outlined.known {
            Some(known) if hash.layer_begins(layers, tables, &known.0) => known.clone(),
            known => {
                if known.is_some() {
                    warn!("what is known of a key is of another program: making all of it");
                }
                Outline(hash.layer(layers, tables))
            }
        });
        Tree::with_known(hash, layers, nodes.clone())
    }
}

/// Tables that were committed to.
#[derive(Clone)]
pub struct Committed {
    tables: Vec<Arc<dyn Borrow<Table> + Send + Sync>>,
    tree: Tree,
}

impl Committed {
    fn tables(&self) -> Vec<&Table> {
        self.tables.iter().map(|table| (**table).borrow()).collect()
    }
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed").field("root", &self.tree.root()).finish_non_exhaustive()
    }
}

fn width(tables: &[&Table]) -> usize {
    tables.iter().map(|table| table.sizes()[1]).sum()
}

impl TensorCsProver<SP1GlobalContext, CpuBackend> for Committer {
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
        let (tree, width) = (self.tree(&tables), width(&tables));
        let shape = [tree.height(), width].map(SP1Field::from_canonical_usize);
        let commitment = self.hash.pair([tree.root(), self.hash.row(shape)]);
        let tables = tensors.into_iter().map(|table| table as _).collect();
        Ok((commitment, Committed { tables, tree }))
    }

    fn prove_openings_at_indices(
        &self,
        data: Self::ProverData,
        indices: &[usize],
    ) -> Result<MerkleTreeTcsProof<Digest>, Self::ProverError> {
        let (tables, log_tensor_height) = (data.tables(), data.tree.height());
        let paths = data.tree.paths(&self.hash, &tables, indices);
        let paths: Vec<Digest> = paths.into_iter().flatten().collect();
        Ok(MerkleTreeTcsProof {
            merkle_root: data.tree.root(),
            log_tensor_height,
            width: width(&tables),
            paths: Tensor::from(paths).reshape([indices.len(), log_tensor_height]),
        })
    }
}

impl ComputeTcsOpenings<SP1GlobalContext, CpuBackend> for Committer {
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
        Tensor::from(cells).reshape([indices.len(), width(&tables)])
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
            let (ours, _) = Committer::default().commit_tensors(tensors(height)).unwrap();
            let theirs = SP1MerkleTreeProver::default().commit_tensors(tensors(height)).unwrap().0;
            assert_eq!(ours, theirs, "{height} rows");
        }
    }

    #[test]
    fn its_openings_hold_in_sp1s_verifier_and_changed_ones_do_not() {
        let (tree, indices) = (Committer::default(), [0, 17, 63]);
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

    #[test]
    fn a_known_outline_is_used_and_one_of_other_rows_is_made_anew() {
        let height = 8 << Outline::LAYERS;
        let whole = Committer::default().commit_tensors(tensors(height)).unwrap().0;
        let first = Committer::outlined(None);
        assert_eq!(first.commit_tensors(tensors(height)).unwrap().0, whole);
        let outline = first.outline().unwrap().clone();

        let second = Committer::outlined(Some(outline.clone()));
        let (root, data) = second.commit_tensors(tensors(height)).unwrap();
        assert_eq!(root, whole);
        let indices = [0, 4095, 4096, height - 1];
        let values = second.compute_openings_at_indices(tensors(height), &indices);
        let proof = second.prove_openings_at_indices(data, &indices).unwrap();
        MerkleTreeTcs::<SP1GlobalContext>::default()
            .verify_tensor_openings(&root, &indices, &values, 10, 15, &proof)
            .unwrap();

        let mut other = outline.clone();
        other.0[0][0] += SP1Field::one();
        let third = Committer::outlined(Some(other));
        assert_eq!(third.commit_tensors(tensors(height)).unwrap().0, whole);
        assert_eq!(third.outline(), Some(&outline));
    }

    #[test]
    fn a_wrong_node_further_on_in_an_outline_shows_in_the_commitment() {
        // More nodes than are looked at before an outline is used: 16 with the widest vectors.
        let height = 32 << Outline::LAYERS;
        let first = Committer::outlined(None);
        let (root, _) = first.commit_tensors(tensors(height)).unwrap();
        let mut outline = first.outline().unwrap().clone();
        outline.0[31][7] += SP1Field::one();
        let second = Committer::outlined(Some(outline));
        assert_ne!(second.commit_tensors(tensors(height)).unwrap().0, root);
    }
}
