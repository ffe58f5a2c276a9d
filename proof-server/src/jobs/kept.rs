//! Results that stay for whoever asks for the same again: bounded in bytes and in time. Pure.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::{Outcome, Success};
use crate::types::{Code, RequestName};

/// How long a request that cost workers their lives is refused without another try: two set-ups of a worker are
/// some seconds, so one client that insists cannot keep the workers busy dying.
const LOST_TIME: Duration = Duration::from_secs(30);

/// What a result has beside its proof's bytes, for the limit: names, statistics, the maps' own memory.
const OVERHEAD_BYTES: usize = 1 << 10;

/// Results by name, the oldest first.
#[derive(Debug)]
pub(super) struct Kept {
    limit_bytes: usize,
    time: Duration,
    results: HashMap<RequestName, Entry>,
    /// Names with the numbers of their entries, in order of arrival; a number that differs is of an entry since replaced.
    order: VecDeque<(RequestName, u64)>,
    bytes: usize,
    arrivals: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    outcome: Outcome,
    bytes: usize,
    until: Instant,
}

/// Bytes that a result holds; [`None`] for one that is not kept.
fn size(outcome: &Outcome) -> Option<usize> {
    match outcome.as_ref() {
        Ok(Success::Proof { proof, .. }) => {
            Some(OVERHEAD_BYTES + proof.bytes.len() + proof.public_values.len())
        }
        Err(failure) if failure.code == Code::WorkerLost => Some(OVERHEAD_BYTES),
        // A verification is cheaper than remembering it; other failures may not come again.
        Ok(Success::Verified { .. }) | Err(_) => None,
    }
}

impl Kept {
    pub(super) fn new(limit_bytes: usize, time: Duration) -> Self {
        Self {
            limit_bytes,
            time,
            results: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            arrivals: 0,
        }
    }

    /// Keeps a result if it is one to keep and there is room; older ones give way.
    pub(super) fn put(&mut self, name: RequestName, outcome: &Outcome, now: Instant) {
        let time = if outcome.is_ok() { self.time } else { LOST_TIME.min(self.time) };
        let Some(bytes) = size(outcome).filter(|bytes| *bytes <= self.limit_bytes) else { return };
        if time.is_zero() {
            return;
        }
        self.remove(name);
        self.arrivals += 1;
        let (number, until) = (self.arrivals, now + time);
        self.results.insert(name, Entry { number, outcome: outcome.clone(), bytes, until });
        self.order.push_back((name, number));
        self.bytes += bytes;
        while self.bytes > self.limit_bytes {
            self.drop_oldest();
        }
    }

    pub(super) fn get(&self, name: RequestName, now: Instant) -> Option<Outcome> {
        let entry = self.results.get(&name)?;
        (now < entry.until).then(|| entry.outcome.clone())
    }

    /// Drops what is over its time; gives when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        self.results.retain(|_, entry| {
            let stays = now < entry.until;
            self.bytes -= if stays { 0 } else { entry.bytes };
            stays
        });
        let results = &self.results;
        self.order.retain(|(name, number)| {
            results.get(name).is_some_and(|entry| entry.number == *number)
        });
        results.values().map(|entry| entry.until).min()
    }

    pub(super) fn len(&self) -> usize {
        self.results.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_oldest(&mut self) {
        let Some((name, number)) = self.order.pop_front() else { return };
        if self.results.get(&name).is_some_and(|entry| entry.number == number) {
            self.remove(name);
        }
    }

    fn remove(&mut self, name: RequestName) {
        if let Some(entry) = self.results.remove(&name) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lc_core::ProgramId;

    use super::*;
    use crate::{
        jobs::testing::proof_of_bytes,
        types::{Failure, VkeyHash},
    };

    const TIME: Duration = Duration::from_secs(60);
    const MIB: usize = 1 << 20;

    fn name(number: u8) -> RequestName {
        RequestName([number; 32])
    }

    fn lost() -> Outcome {
        Arc::new(Err(Failure::new(Code::WorkerLost, "")))
    }

    #[test]
    fn a_result_is_kept_for_its_time_and_not_longer() {
        let (mut kept, now) = (Kept::new(4 * MIB, TIME), Instant::now());
        kept.put(name(1), &proof_of_bytes(MIB), now);
        assert!(kept.get(name(1), now + TIME - Duration::from_millis(1)).is_some());
        assert!(kept.get(name(1), now + TIME).is_none());
        assert!(kept.get(name(2), now).is_none());

        assert_eq!(kept.expire(now), Some(now + TIME));
        assert_eq!(kept.len(), 1);
        assert_eq!(kept.expire(now + TIME), None);
        assert_eq!((kept.len(), kept.bytes(), kept.order.len()), (0, 0, 0));
    }

    #[test]
    fn older_results_give_way_and_one_that_is_too_large_takes_nobodys_place() {
        let (mut kept, now) = (Kept::new(2 * MIB + 2 * OVERHEAD_BYTES + 2, TIME), Instant::now());
        for number in 1..=3 {
            kept.put(name(number), &proof_of_bytes(MIB), now);
        }
        assert_eq!([1, 2, 3].map(|n| kept.get(name(n), now).is_some()), [false, true, true]);
        kept.put(name(4), &proof_of_bytes(3 * MIB), now);
        assert_eq!([2, 3, 4].map(|n| kept.get(name(n), now).is_some()), [true, true, false]);
    }

    #[test]
    fn the_same_result_again_takes_no_second_place_and_is_the_newest_then() {
        let (mut kept, now) = (Kept::new(2 * MIB + 2 * OVERHEAD_BYTES + 2, TIME), Instant::now());
        for number in [1, 2, 1, 3] {
            kept.put(name(number), &proof_of_bytes(MIB), now);
        }
        assert_eq!([1, 2, 3].map(|n| kept.get(name(n), now).is_some()), [true, false, true]);
        assert_eq!(kept.len(), 2);
    }

    #[test]
    fn failures_and_verifications_are_not_kept_but_a_request_that_kills_workers_is() {
        let (mut kept, now) = (Kept::new(MIB, TIME), Instant::now());
        let (program, vkey) = (ProgramId::Inclusion, VkeyHash([0; 32]));
        kept.put(name(1), &Arc::new(Err(Failure::new(Code::Timeout, ""))), now);
        kept.put(
            name(2),
            &Arc::new(Ok(Success::Verified { program, vkey, public_values: Vec::new() })),
            now,
        );
        assert_eq!(kept.len(), 0);
        kept.put(name(3), &lost(), now);
        assert!(kept.get(name(3), now).is_some());
        assert!(kept.get(name(3), now + LOST_TIME).is_none());
    }

    #[test]
    fn with_no_time_or_no_bytes_nothing_is_kept() {
        let now = Instant::now();
        for mut kept in [Kept::new(MIB, Duration::ZERO), Kept::new(0, TIME)] {
            kept.put(name(1), &proof_of_bytes(1), now);
            kept.put(name(2), &lost(), now);
            assert_eq!((kept.len(), kept.bytes()), (0, 0));
        }
    }
}
