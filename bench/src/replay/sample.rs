//! What is kept of a request, and which proofs are kept to be verified.

use std::time::Duration;

use proof_server::types::{Joined, Proof, ProofStats};
use proof_server_load::random::Random;

use super::{client::Row, hosts::Trouble};

/// What is kept of one request, whatever became of it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Which turn it was.
    pub(super) number: usize,
    pub(super) client: usize,
    pub(super) server: usize,
    pub(super) intended: Duration,
    pub(super) start: Duration,
    pub(super) end: Duration,
    /// The attempts before the last.
    pub(super) failed: Vec<(usize, Trouble)>,
    pub(super) outcome: Result<Proved, Trouble>,
}

/// What is kept of a proof.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proved {
    pub(super) stats: ProofStats,
    pub(super) joined: Joined,
    pub(super) bytes: u64,
    /// Whether it verified; nothing where nobody looked.
    pub(super) verified: Option<bool>,
}

impl Sample {
    /// The row without its proof, and the proof.
    pub(super) fn of(row: Row) -> (Self, Option<Proof>) {
        let Row { turn, client, server, start, end, failed, answer } = row;
        let (outcome, proof) = match answer {
            Ok(answer) => {
                let (stats, joined) = (answer.stats, answer.joined);
                let bytes = answer.proof.bytes.len() as u64;
                (Ok(Proved { stats, joined, bytes, verified: None }), Some(answer.proof))
            }
            Err(trouble) => (Err(trouble), None),
        };
        let (number, intended) = (turn.number, turn.intended);
        (Self { number, client, server, intended, start, end, failed, outcome }, proof)
    }

    /// From when it was due to its answer.
    pub(super) fn total(&self) -> Duration {
        self.end.saturating_sub(self.intended)
    }
}

/// So many proofs of a run, each as likely to be among them as any other (Vitter's algorithm R, 1985): nobody knows
/// beforehand how many there will be, and all of them would not fit into memory.
#[derive(Debug)]
pub(super) struct Reservoir {
    size: usize,
    seen: usize,
    random: Random,
    /// Number of the request, and its proof.
    kept: Vec<(usize, Proof)>,
}

impl Reservoir {
    pub(super) fn new(size: usize, seed: u64) -> Self {
        Self { size, seen: 0, random: Random::new(seed, 1), kept: Vec::new() }
    }

    pub(super) fn offer(&mut self, number: usize, proof: Proof) {
        self.seen += 1;
        if self.kept.len() < self.size {
            self.kept.push((number, proof));
        } else if let Some(place) = self.kept.get_mut(self.random.below(self.seen)) {
            *place = (number, proof);
        }
    }

    pub(super) fn into_kept(self) -> Vec<(usize, Proof)> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use proof_server::types::{EngineKind, ProofMode, VkeyHash};

    use super::*;

    fn proof() -> Proof {
        Proof {
            program: lc_core::ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: VkeyHash([0; 32]),
            sp1_version: String::new(),
            public_values: Vec::new(),
            bytes: Vec::new(),
        }
    }

    #[test]
    fn early_and_late_proofs_are_as_likely_to_be_verified_and_no_more_than_were_wanted() {
        let mut halves = [0, 0];
        for seed in 0..200 {
            let mut reservoir = Reservoir::new(5, seed);
            (0..100).for_each(|number| reservoir.offer(number, proof()));
            let kept = reservoir.into_kept();
            assert_eq!(kept.len(), 5);
            kept.iter().for_each(|(number, _)| halves[number / 50] += 1);
        }
        assert!(halves.iter().all(|half| (400..600).contains(half)), "{halves:?}");
    }

    #[test]
    fn of_few_proofs_all_are_verified_and_with_none_wanted_none_are() {
        for (size, kept) in [(5, 3), (0, 0)] {
            let mut reservoir = Reservoir::new(size, 1);
            (0..3).for_each(|number| reservoir.offer(number, proof()));
            assert_eq!(reservoir.into_kept().len(), kept);
        }
    }
}
