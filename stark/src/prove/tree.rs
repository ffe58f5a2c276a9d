//! A Merkle tree of which most is made again when it is opened.
//!
//! Over 2^23 rows a whole tree is half a gigabyte, and of it a proof opens some hundred paths. Here
//! only every sixth layer is kept. The nodes between two kept layers are made again around each
//! path: 64 rows are hashed to open one, and the memory is a sixtieth.

use std::{array, sync::Arc};

use rayon::prelude::*;
use slop_algebra::{Field, PackedValue};
use slop_symmetric::{
    CryptographicHasher, PaddingFreeSponge, PseudoCompressionFunction, TruncatedPermutation,
};
use slop_tensor::Tensor;
use sp1_primitives::SP1Field;

use super::poseidon2::{Poseidon2, WIDTH};

/// Elements of a node, and of what the hash takes at once.
const DIGEST: usize = 8;

/// A node of the tree.
pub(super) type Node = [SP1Field; DIGEST];

type Packed = <SP1Field as Field>::Packing;

/// Subtrees that are climbed side by side, each in its lane of the CPU's vectors.
const LANES: usize = Packed::WIDTH;

/// A node of each subtree.
type Nodes = [Packed; DIGEST];

/// Layers between two that are kept.
const STOREY: usize = 6;

/// SP1's hash.
#[derive(Debug, Clone)]
pub(super) struct Hash {
    sponge: PaddingFreeSponge<Poseidon2, WIDTH, DIGEST, DIGEST>,
    compression: TruncatedPermutation<Poseidon2, 2, DIGEST, WIDTH>,
}

impl Hash {
    pub(super) fn new() -> Self {
        let (sponge, compression) = (Poseidon2::new(), Poseidon2::new());
        Self {
            sponge: PaddingFreeSponge::new(sponge),
            compression: TruncatedPermutation::new(compression),
        }
    }

    /// Of one row or of whatever else is hashed as rows are.
    pub(super) fn row(&self, row: impl IntoIterator<Item = SP1Field>) -> Node {
        self.sponge.hash_iter(row)
    }

    pub(super) fn pair(&self, pair: [Node; 2]) -> Node {
        self.compression.compress(pair)
    }

    /// Of a row of each lane: the rows at `at` of all `tables`, which are as high as each other.
    fn rows(&self, tables: &[&Tensor<SP1Field>], at: [usize; LANES]) -> Nodes {
        self.sponge.hash_iter(tables.iter().flat_map(|table| {
            let (cells, width) = (table.as_slice(), table.sizes()[1]);
            let columns = 0..width;
            columns.map(move |column| Packed::from_fn(|lane| cells[at[lane] * width + column]))
        }))
    }

    /// Climbs from the lowest nodes of a subtree in each lane to its root, `layers` above them.
    /// `lowest` makes the node at a position, `seen` is shown each node with its layer and its
    /// position there.
    fn climb(
        &self,
        layers: usize,
        lowest: impl Fn(usize) -> Nodes,
        mut seen: impl FnMut(usize, usize, &Nodes),
    ) -> Nodes {
        // Left children that wait for the right one, at most one a layer.
        let mut waiting = Vec::with_capacity(layers + 1);
        for position in 0..1 << layers {
            let (mut layer, mut position, mut node) = (0, position, lowest(position));
            seen(layer, position, &node);
            while position % 2 == 1 {
                let left = waiting.pop().expect("a left child comes before the right one");
                node = self.compression.compress([left, node]);
                (layer, position) = (layer + 1, position / 2);
                seen(layer, position, &node);
            }
            waiting.push(node);
        }
        waiting.pop().expect("a subtree has a root")
    }

    /// The nodes that are `layers` above `tables`' rows. There must be one.
    pub(super) fn layer(&self, layers: usize, tables: &[&Tensor<SP1Field>]) -> Vec<Node> {
        self.roots(layers, rows_of(tables), &|at| self.rows(tables, at))
    }

    /// Whether `nodes` are as many as there are `layers` above `tables`' rows, and the first of
    /// them the right ones.
    pub(super) fn layer_begins(
        &self,
        layers: usize,
        tables: &[&Tensor<SP1Field>],
        nodes: &[Node],
    ) -> bool {
        let first = &nodes[..LANES.min(nodes.len())];
        nodes.len() == rows_of(tables) >> layers
            && self.roots(layers, first.len() << layers, &|at| self.rows(tables, at)) == first
    }

    /// The roots of all subtrees that are `layers` high over `count` nodes.
    fn roots(
        &self,
        layers: usize,
        count: usize,
        lowest: &(impl Fn([usize; LANES]) -> Nodes + Sync),
    ) -> Vec<Node> {
        let subtrees = count >> layers;
        let groups = (0..subtrees.div_ceil(LANES)).into_par_iter();
        let roots = groups.flat_map_iter(|group| {
            // Where lanes are left over, they do the last one's work again.
            let subtree = |lane: usize| (group * LANES + lane).min(subtrees - 1);
            let from: [usize; LANES] = array::from_fn(|lane| subtree(lane) << layers);
            let lowest = |position| lowest(from.map(|from| from + position));
            let roots = self.climb(layers, lowest, |_, _, _| {});
            (0..LANES.min(subtrees - group * LANES)).map(move |lane| lane_of(&roots, lane))
        });
        roots.collect()
    }
}

fn lane_of(nodes: &Nodes, lane: usize) -> Node {
    nodes.map(|element| element.as_slice()[lane])
}

/// Reads a node of each lane.
fn lanes_of(nodes: &[Node], at: [usize; LANES]) -> Nodes {
    array::from_fn(|element| Packed::from_fn(|lane| nodes[at[lane]][element]))
}

/// What is kept of a tree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// From the lowest to the root.
    storeys: Arc<Vec<Storey>>,
}

/// A layer that is kept.
#[derive(Debug)]
struct Storey {
    /// How far it is above the next lower one that is kept, or above the hashes of rows.
    layers: usize,
    nodes: Vec<Node>,
}

impl Tree {
    /// The tree over `tables`' rows, a power of two of them.
    pub(super) fn new(hash: &Hash, tables: &[&Tensor<SP1Field>]) -> Self {
        let layers = STOREY.min(rows_of(tables).ilog2() as usize);
        Self::with_known(hash, layers, hash.layer(layers, tables))
    }

    /// The tree of which the nodes that are `layers` above the rows are known.
    pub(super) fn with_known(hash: &Hash, layers: usize, nodes: Vec<Node>) -> Self {
        let mut storeys = vec![Storey { layers, nodes }];
        while let Some(Storey { nodes, .. }) = storeys.last()
            && nodes.len() > 1
        {
            let layers = STOREY.min(nodes.len().ilog2() as usize);
            let nodes = hash.roots(layers, nodes.len(), &|at| lanes_of(nodes, at));
            storeys.push(Storey { layers, nodes });
        }
        Self { storeys: Arc::new(storeys) }
    }

    /// Layers from the rows to the root.
    pub(super) fn height(&self) -> usize {
        self.storeys.iter().map(|storey| storey.layers).sum()
    }

    pub(super) fn root(&self) -> Node {
        self.storeys[self.storeys.len() - 1].nodes[0]
    }

    /// The nodes beside the way from each row at `indices` to the root, from the lowest. `tables`
    /// are those that the tree was made for.
    pub(super) fn paths(
        &self,
        hash: &Hash,
        tables: &[&Tensor<SP1Field>],
        indices: &[usize],
    ) -> Vec<Vec<Node>> {
        let groups = indices.par_chunks(LANES);
        groups.flat_map_iter(|indices| self.paths_side_by_side(hash, tables, indices)).collect()
    }

    /// The paths of as many rows as there are lanes, or fewer.
    fn paths_side_by_side(
        &self,
        hash: &Hash,
        tables: &[&Tensor<SP1Field>],
        indices: &[usize],
    ) -> Vec<Vec<Node>> {
        let mut paths = vec![Vec::new(); indices.len()];
        let mut below: Option<&[Node]> = None;
        let mut on_way: [usize; LANES] =
            array::from_fn(|lane| indices[lane.min(indices.len() - 1)]);
        for Storey { layers, nodes } in self.storeys.iter() {
            let beyond = paths.first().map_or(0, Vec::len);
            for path in &mut paths {
                path.resize(beyond + layers, Node::default());
            }
            let within = on_way.map(|node| node & ((1 << layers) - 1));
            let from: [usize; LANES] = array::from_fn(|lane| on_way[lane] - within[lane]);
            let lowest = |position| {
                let at = from.map(|from| from + position);
                below.map_or_else(|| hash.rows(tables, at), |nodes| lanes_of(nodes, at))
            };
            hash.climb(*layers, lowest, |layer, position, nodes| {
                for (lane, path) in paths.iter_mut().enumerate() {
                    if layer < *layers && position == (within[lane] >> layer) ^ 1 {
                        path[beyond + layer] = lane_of(nodes, lane);
                    }
                }
            });
            (below, on_way) = (Some(&nodes[..]), on_way.map(|node| node >> layers));
        }
        paths
    }
}

/// How high `tables` are.
fn rows_of(tables: &[&Tensor<SP1Field>]) -> usize {
    let rows = tables.first().expect("a commitment is to some table").sizes()[0];
    assert!(rows.is_power_of_two(), "a table has {rows} rows, no power of two");
    assert!(tables.iter().all(|table| table.sizes()[0] == rows), "tables differ in height");
    rows
}

#[cfg(test)]
mod tests {
    use slop_algebra::AbstractField;

    use super::*;

    fn table(rows: usize) -> Tensor<SP1Field> {
        let cells = (0..3 * rows).map(|i| SP1Field::from_canonical_usize(i * i + 7));
        Tensor::from(cells.collect::<Vec<_>>()).reshape([rows, 3])
    }

    /// The tree as a textbook has it, one node at a time.
    fn layers(hash: &Hash, table: &Tensor<SP1Field>) -> Vec<Vec<Node>> {
        let rows = table.as_slice().chunks(3);
        let mut layers = vec![rows.map(|row| hash.row(row.iter().copied())).collect::<Vec<_>>()];
        while let Some(layer) = layers.last()
            && layer.len() > 1
        {
            layers.push(layer.chunks(2).map(|pair| hash.pair([pair[0], pair[1]])).collect());
        }
        layers
    }

    #[test]
    fn root_and_paths_are_those_of_the_whole_tree_at_every_height() {
        let hash = Hash::new();
        for height in 0..=14 {
            let table = table(1 << height);
            let tree = Tree::new(&hash, &[&table]);
            let layers = layers(&hash, &table);
            assert_eq!(tree.root(), layers[height][0], "height {height}");
            let last = (1 << height) - 1;
            let indices: Vec<usize> = (0..11).map(|i| (i * 0x9e37) & last).chain([last]).collect();
            for (index, path) in indices.iter().zip(tree.paths(&hash, &[&table], &indices)) {
                let beside = (0..height).map(|layer| layers[layer][(index >> layer) ^ 1]);
                assert_eq!(path, beside.collect::<Vec<_>>(), "height {height}, row {index}");
            }
        }
    }

    #[test]
    fn a_tree_with_a_known_layer_is_the_same_and_another_tables_layer_is_noticed() {
        let hash = Hash::new();
        let table = table(1 << 10);
        let known = layers(&hash, &table)[7].clone();
        assert_eq!(hash.layer(7, &[&table]), known);
        let (made, tree) = (Tree::new(&hash, &[&table]), Tree::with_known(&hash, 7, known.clone()));
        assert_eq!(tree.root(), made.root());
        let indices = [0, 511, 1023];
        assert_eq!(tree.paths(&hash, &[&table], &indices), made.paths(&hash, &[&table], &indices));

        assert!(hash.layer_begins(7, &[&table], &known));
        let mut other = table.clone();
        other.as_mut_slice()[5] += SP1Field::one();
        assert!(!hash.layer_begins(7, &[&other], &known));
        assert!(!hash.layer_begins(7, &[&table], &known[..4]));
        assert!(!hash.layer_begins(7, &[&table], &[]));
    }
}
