//! A Merkle tree, eight nodes at a time.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use slop_algebra::PrimeField32;
use slop_tensor::Tensor;
use sp1_primitives::SP1Field;

use super::{
    field::{Elements, Packed, Words},
    lanes::LANES,
    poseidon2::Poseidon2,
};

/// Cells that one element of BN254's field takes up, and how many elements a permutation takes.
const CELLS: usize = 8;
const RATE: usize = 2;

/// Eight nodes side by side.
type Block = [Packed; LANES];

/// Hashes rows and pairs of nodes.
pub(super) struct Hash(Poseidon2);

impl Hash {
    pub(super) fn new() -> Self {
        Self(Poseidon2::new())
    }

    /// Of one short row.
    pub(super) fn row(&self, row: &[SP1Field]) -> Packed {
        let mut cells = Vec::new();
        for _ in 0..LANES {
            cells.extend(row.iter().map(PrimeField32::as_canonical_u32));
        }
        self.rows(&cells, row.len())[0]
    }

    pub(super) fn pair(&self, left: Packed, right: Packed) -> Packed {
        self.pairs(&[left; LANES], &[right; LANES])[0]
    }

    /// Of eight rows, one behind the other in `cells`, each of `width`: a sponge that overwrites.
    fn rows(&self, cells: &[u32], width: usize) -> Block {
        let mut state = [Elements::zero(); 3];
        for from in (0..width).step_by(RATE * CELLS) {
            for (i, element) in state.iter_mut().take(RATE).enumerate() {
                let from = from + i * CELLS;
                if from >= width {
                    break;
                }
                let to = width.min(from + CELLS);
                let numbers = std::array::from_fn(|lane| joined(&cells[lane * width..][from..to]));
                *element = Elements::from_numbers(&numbers);
            }
            state = self.0.permute(state);
        }
        state[0].pack()
    }

    fn pairs(&self, left: &Block, right: &Block) -> Block {
        let state = [Elements::unpack(left), Elements::unpack(right), Elements::zero()];
        self.0.permute(state)[0].pack()
    }
}

/// Cells as digits of 31 bits, the first the lowest.
fn joined(cells: &[u32]) -> Words {
    let mut words = [0; 4];
    for (i, cell) in cells.iter().enumerate() {
        let (word, bit) = (31 * i / 64, 31 * i % 64);
        words[word] |= u64::from(*cell) << bit;
        if bit > 64 - 31 {
            words[word + 1] |= u64::from(*cell) >> (64 - bit);
        }
    }
    words
}

/// All nodes, the rows' hashes first. Where a layer has fewer than eight, the rest of its block is nothing.
pub(super) struct Tree(Vec<Vec<Block>>);

impl Tree {
    /// Over the rows of `tables`, side by side. All have the same height, a power of two.
    pub(super) fn new(hash: &Hash, tables: &[&Tensor<SP1Field>]) -> Self {
        let height = tables.first().map_or(1, |table| table.sizes()[0]);
        assert!(height.is_power_of_two(), "SP1 commits to powers of two");
        let width = tables.iter().map(|table| table.sizes()[1]).sum::<usize>();
        let rows = (0..height.div_ceil(LANES)).into_par_iter().map_init(
            || vec![0; LANES * width],
            |cells, block| {
                let mut next = cells.iter_mut();
                for row in block * LANES..height.min((block + 1) * LANES) {
                    for table in tables {
                        let width = table.sizes()[1];
                        let row = &table.as_slice()[row * width..][..width];
                        // In this order: the row ends first, and no cell is lost.
                        for (from, cell) in row.iter().zip(next.by_ref()) {
                            *cell = from.as_canonical_u32();
                        }
                    }
                }
                hash.rows(cells, width)
            },
        );
        let mut layers = vec![rows.collect::<Vec<_>>()];
        let mut nodes = height;
        while nodes > 1 {
            nodes /= 2;
            let below = layers.last().expect("begun with one");
            let above = (0..nodes.div_ceil(LANES)).into_par_iter().map(|block| {
                let nothing = [Packed::default(); LANES];
                let first = &below[2 * block];
                let second = below.get(2 * block + 1).unwrap_or(&nothing);
                let node = |i: usize| if i < LANES { first[i] } else { second[i - LANES] };
                let left = std::array::from_fn(|lane| node(2 * lane));
                let right = std::array::from_fn(|lane| node(2 * lane + 1));
                hash.pairs(&left, &right)
            });
            layers.push(above.collect());
        }
        Self(layers)
    }

    /// Layers above the rows.
    pub(super) fn height(&self) -> usize {
        self.0.len() - 1
    }

    pub(super) fn root(&self) -> Packed {
        self.0[self.height()][0][0]
    }

    /// The nodes beside the way from row `index` to the root, from below.
    pub(super) fn path(&self, index: usize) -> impl Iterator<Item = Packed> {
        self.0[..self.height()].iter().enumerate().map(move |(layer, nodes)| {
            let sibling = (index >> layer) ^ 1;
            nodes[sibling / LANES][sibling % LANES]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_digits_of_31_bits() {
        let digits: [u32; CELLS] = std::array::from_fn(|i| (1 << 31) - 1 - i as u32);
        let words = joined(&digits);
        for (i, digit) in digits.into_iter().enumerate() {
            let bit = |bit: usize| (words[bit / 64] >> (bit % 64)) & 1;
            let read: u64 = (0..31).map(|at| bit(31 * i + at) << at).sum();
            assert_eq!(read, u64::from(digit), "digit {i}");
        }
        assert_eq!(joined(&[]), [0; 4]);
        assert_eq!(joined(&[5]), [5, 0, 0, 0]);
    }
}
