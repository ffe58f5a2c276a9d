//! When each request is to start. Pure: time is what passed since the run began.
//!
//! A client that waits for one answer before it sends the next request stops asking while a server is slow, and so
//! measures one bad time where its users would have had many ("coordinated omission"). In an open loop requests are
//! due whether the ones before are answered or not: their times are fixed beforehand, and a request that had to wait
//! for a free client has waited since it was due.

use std::time::Duration;

use proof_server_load::random::Random;

/// Most requests of a run: a document holds no more.
pub(super) const MAX_REQUESTS: usize = 400_000;

/// How requests are paced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// So many a second on average, as a Poisson process: independent users.
    Open {
        /// Above 0.
        per_second: f64,
    },
    /// Each client asks again as soon as it has its answer.
    Closed,
}

/// When a run ends; at the first of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Requests of all clients together.
    pub(super) requests: usize,
    /// No request is due from here on; those that are due are still made.
    pub(super) duration: Duration,
}

/// One request to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// From 0, in the order in which they are due.
    pub(super) number: usize,
    /// When it is due.
    pub(super) intended: Duration,
}

/// Hands requests out, each once.
#[derive(Debug, Clone)]
pub(super) struct Course {
    limit: Limit,
    /// Open loop: when each is due, in order.
    due: Option<Vec<Duration>>,
    next: usize,
}

impl Course {
    /// The requests of a run. The same seed gives the same times.
    pub(super) fn new(pace: Pace, limit: Limit, seed: u64) -> Self {
        let limit = Limit { requests: limit.requests.min(MAX_REQUESTS), ..limit };
        let due = match pace {
            Pace::Open { per_second } => Some(arrivals(per_second, limit, seed)),
            Pace::Closed => None,
        };
        Self { limit, due, next: 0 }
    }

    /// How many there will be, where that is known.
    pub(super) fn total(&self) -> Option<usize> {
        match &self.due {
            Some(due) => Some(due.len()),
            None => (self.limit.duration == Duration::MAX).then_some(self.limit.requests),
        }
    }

    /// The next request for a client that is free at `now`; it may be due later. None at the run's end.
    pub(super) fn take(&mut self, now: Duration) -> Option<Turn> {
        let intended = match &self.due {
            Some(due) => *due.get(self.next)?,
            None if self.next < self.limit.requests && now < self.limit.duration => now,
            None => return None,
        };
        let turn = Turn { number: self.next, intended };
        self.next += 1;
        Some(turn)
    }

    /// Open loop: requests that were due by `now`, begun or not.
    pub(super) fn due(&self, now: Duration) -> usize {
        self.due.as_deref().unwrap_or_default().partition_point(|due| *due <= now)
    }
}

/// Times of a Poisson process: the pauses between them are independent and exponential.
fn arrivals(per_second: f64, limit: Limit, seed: u64) -> Vec<Duration> {
    let (mut random, mut at) = (Random::new(seed, 0), 0.0);
    let next = || {
        // In (0, 1], of 53 bits, which is what a double holds.
        let uniform = ((random.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        at -= uniform.ln() / per_second;
        Duration::try_from_secs_f64(at).ok().filter(|at| *at < limit.duration)
    };
    std::iter::from_fn(next).take(limit.requests).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Plays a run with so many clients on a clock of its own; each request's time, from when it was due.
    fn simulate(
        mut course: Course,
        clients: usize,
        answered: impl Fn(Duration) -> Duration,
    ) -> Vec<Duration> {
        let (mut free, mut times) = (vec![Duration::ZERO; clients], Vec::new());
        loop {
            let client = free.iter_mut().min().expect("there are clients");
            let Some(turn) = course.take(*client) else { return times };
            let start = turn.intended.max(*client);
            *client = answered(start);
            times.push(*client - turn.intended);
        }
    }

    /// Takes 10 ms for each request, but answers nothing from second 10 to second 20.
    fn stalls(start: Duration) -> Duration {
        let end = start + Duration::from_millis(10);
        if (secs(10)..secs(20)).contains(&start) {
            secs(20) + Duration::from_millis(10)
        } else {
            end
        }
    }

    fn slow(times: &[Duration]) -> usize {
        times.iter().filter(|time| **time > secs(1)).count()
    }

    #[test]
    fn a_stalled_servers_delay_is_in_the_open_loops_times_of_all_who_would_have_asked() {
        let limit = Limit { requests: usize::MAX, duration: secs(60) };
        let pace = Pace::Open { per_second: 10.0 };
        let times = simulate(Course::new(pace, limit, 1), 2, stalls);
        // Of some hundred that were due while it stalled, those of the first nine seconds waited for over one.
        assert!((70..140).contains(&slow(&times)), "{}", slow(&times));
        let waited: Duration = times.iter().filter(|time| **time > secs(1)).sum();
        let mean = waited / slow(&times) as u32;
        assert!((secs(4)..secs(8)).contains(&mean), "{mean:?}");
        // A closed loop sees one bad time a client.
        let times = simulate(Course::new(Pace::Closed, limit, 1), 2, stalls);
        assert_eq!(slow(&times), 2);
    }

    #[test]
    fn arrivals_come_at_the_rate_that_was_asked_for_and_repeat_with_their_seed() {
        let limit = Limit { requests: usize::MAX, duration: secs(1000) };
        let due = arrivals(5.0, limit, 1);
        assert!((4700..5300).contains(&due.len()), "{}", due.len());
        assert!(due.is_sorted() && due.iter().all(|at| *at < secs(1000)));
        // Of a Poisson process as many pauses are above the mean as e^-1 says; of a steady one none are.
        let long = due.windows(2).filter(|pair| pair[1] - pair[0] > secs(1) / 5).count();
        let share = long as f64 / due.len() as f64;
        assert!((0.34..0.40).contains(&share), "{share}");
        assert_eq!(arrivals(5.0, limit, 1), due);
        assert_ne!(arrivals(5.0, limit, 2), due);
    }

    #[test]
    fn a_run_ends_with_its_requests_or_its_time() {
        let count = |pace, requests, duration| {
            let course = Course::new(pace, Limit { requests, duration }, 1);
            simulate(course, 3, |start| start + secs(1)).len()
        };
        assert_eq!(count(Pace::Closed, 7, Duration::MAX), 7);
        assert_eq!(count(Pace::Closed, usize::MAX, secs(4)), 12);
        assert_eq!(count(Pace::Open { per_second: 2.0 }, 7, Duration::MAX), 7);
        assert_eq!(count(Pace::Open { per_second: 1e-300 }, 7, Duration::MAX), 0);
        let course = |limit| Course::new(Pace::Closed, limit, 1);
        assert_eq!(course(Limit { requests: 7, duration: Duration::MAX }).total(), Some(7));
        assert_eq!(course(Limit { requests: 7, duration: secs(1) }).total(), None);
    }

    #[test]
    fn what_was_due_when_a_run_is_stopped_is_known() {
        let limit = Limit { requests: 10, duration: Duration::MAX };
        let course = Course::new(Pace::Open { per_second: 1.0 }, limit, 1);
        let due = course.due.clone().unwrap();
        assert_eq!(
            (course.due(due[9]), course.due(due[4]), course.due(Duration::ZERO)),
            (10, 5, 0)
        );
        assert_eq!(Course::new(Pace::Closed, limit, 1).due(secs(9)), 0);
    }
}
