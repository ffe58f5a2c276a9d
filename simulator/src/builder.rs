//! What a chain is made of.

use lc_core::{ChainSpec, ChainSpecError, Fork, ForkEntry};

use crate::{chain::Chain, seed::Seed};

/// The sizes that a chain is compiled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Committee of 512, 32 slots an epoch, 256 epochs a period.
    Mainnet,
    /// Committee of 32, 8 slots an epoch, 8 epochs a period.
    Minimal,
}

impl Preset {
    /// `PRESET_BASE` in a `config.yaml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Minimal => "minimal",
        }
    }

    /// Slots an epoch, epochs a period, committee size.
    const fn sizes(self) -> (u64, u64, u64) {
        match self {
            Self::Mainnet => (32, 256, 512),
            Self::Minimal => (8, 8, 32),
        }
    }
}

/// Why there is no such chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The fork schedule is out of order or empty.
    #[error("the chain's constants are unusable: {0}")]
    Spec(#[from] ChainSpecError),
    /// The committee would have no distinct member, or the trie no end.
    #[error("{what} is {seen}, at most {most} is possible")]
    TooMany {
        /// The setting.
        what: &'static str,
        /// Its value.
        seen: usize,
        /// The greatest that works.
        most: usize,
    },
}

/// Levels of made-up trie that 64-bit positions leave room for.
const MAX_TRIE_DEPTH: usize = 14;

/// What to simulate. Every setting has a default.
#[derive(Debug, Clone)]
pub struct ChainBuilder {
    seed: u64,
    preset: Preset,
    first_period: u64,
    forks: Option<Vec<ForkEntry>>,
    duplicate_keys: usize,
    trie_depth: usize,
}

impl ChainBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            seed: 1,
            preset: Preset::Mainnet,
            first_period: 100,
            forks: None,
            duplicate_keys: 0,
            trie_depth: 7,
        }
    }

    /// Where all bytes come from. Default 1.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The sizes. Default [`Preset::Mainnet`].
    #[must_use]
    pub const fn preset(mut self, preset: Preset) -> Self {
        self.preset = preset;
        self
    }

    /// The period that the chain starts in; what was before is made up. Default 100.
    #[must_use]
    pub const fn first_period(mut self, period: u64) -> Self {
        self.first_period = period;
        self
    }

    /// The whole fork schedule. Default: Deneb from the start, Electra in the middle of the second period,
    /// Fulu in the middle of the fourth.
    #[must_use]
    pub fn forks(mut self, forks: Vec<ForkEntry>) -> Self {
        self.forks = Some(forks);
        self
    }

    /// All forks up to `fork` from epoch 0, and none after it.
    #[must_use]
    pub fn only_fork(self, fork: Fork) -> Self {
        let forks = Fork::ALL.into_iter().filter(|other| *other <= fork);
        self.forks(forks.map(|fork| entry(fork, 0)).collect())
    }

    /// So many of a committee's members are a second time in it. Default 0.
    #[must_use]
    pub const fn duplicate_keys(mut self, count: usize) -> Self {
        self.duplicate_keys = count;
        self
    }

    /// Levels of made-up siblings in the execution state's trie; with 0 the tries hold what they hold, and any
    /// account and slot can be asked for. Default 7, about mainnet's.
    #[must_use]
    pub const fn trie_depth(mut self, depth: usize) -> Self {
        self.trie_depth = depth;
        self
    }

    /// The chain.
    ///
    /// # Errors
    /// [`ChainError`] names the setting that cannot be.
    pub fn build(self) -> Result<Chain, ChainError> {
        let (slots_per_epoch, epochs_per_sync_committee_period, sync_committee_size) =
            self.preset.sizes();
        let seed = Seed::new(self.seed);
        let spec = ChainSpec {
            genesis_validators_root: seed.bytes("genesis validators", &[]),
            slots_per_epoch,
            epochs_per_sync_committee_period,
            sync_committee_size,
            forks: self.forks.unwrap_or_else(|| {
                default_forks(self.first_period, epochs_per_sync_committee_period)
            }),
        };
        spec.validate()?;
        let limits = [
            ("the number of duplicate keys", self.duplicate_keys, spec.committee_len() - 1),
            ("the trie depth", self.trie_depth, MAX_TRIE_DEPTH),
        ];
        if let Some((what, seen, most)) = limits.into_iter().find(|(_, seen, most)| seen > most) {
            return Err(ChainError::TooMany { what, seen, most });
        }
        let Self { preset, first_period, duplicate_keys, trie_depth, .. } = self;
        let memo = Default::default();
        Ok(Chain { seed, preset, spec, first_period, duplicate_keys, trie_depth, memo })
    }
}

fn default_forks(first_period: u64, epochs_per_period: u64) -> Vec<ForkEntry> {
    let middle = |period: u64| period * epochs_per_period + epochs_per_period / 2;
    // Gloas is an alpha and not in recordings: whoever wants it plans it.
    let forks = Fork::ALL.into_iter().filter(|fork| *fork <= Fork::Fulu);
    forks
        .map(|fork| match fork {
            Fork::Electra => entry(fork, middle(first_period + 1)),
            Fork::Fulu => entry(fork, middle(first_period + 3)),
            _ => entry(fork, 0),
        })
        .collect()
}

/// Versions that no known network has.
fn entry(fork: Fork, epoch: u64) -> ForkEntry {
    ForkEntry { fork, version: [fork as u8, 0, 0, 0x5e], epoch }
}
