//! One line before many workers, as a formula: M/G/c, first come, first served.
//!
//! Requests arrive independently of each other (Poisson), each takes the time of its class. Erlang's C formula is the
//! chance of a wait where service times are exponential. The mean wait of others lies between that of exponential and
//! that of constant times, by their squared coefficient of variation (Page, Queueing Theory in OR, 1972); for constant
//! ones by Cosmetatos (Some approximate equilibrium results for the multi-server queue M/G/r, Operational Research
//! Quarterly 27, 1976), above 1 by Allen and Cunneen. Long waits become rarer exponentially, at the rate that is exact in
//! the limit (Takahashi, Asymptotic exponentiality of the tail of the waiting-time distribution in a PH/PH/c queue,
//! Advances in Applied Probability 13, 1981); short ones are fitted to the chance of a wait and to the mean. How far that
//! is from the truth is in the tests, against [`super::simulate`].

/// Kinds of requests, how long a worker has each, and how many of all are of that kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Service {
    classes: Vec<Class>,
    /// What a worker is idle for between two jobs, because the next client has to connect first; seconds.
    gap: f64,
}

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Class {
    pub(super) seconds: f64,
    pub(super) share: f64,
}

impl Service {
    /// Shares are made to sum up to 1. There is at least one class, and each takes some time.
    pub(super) fn new(classes: Vec<Class>, gap: f64) -> Self {
        let sum: f64 = classes.iter().map(|class| class.share).sum();
        let class = |class: Class| Class { share: class.share / sum, ..class };
        Self { classes: classes.into_iter().map(class).collect(), gap }
    }

    pub(super) fn classes(&self) -> &[Class] {
        &self.classes
    }

    pub(super) fn gap(&self) -> f64 {
        self.gap
    }

    fn moment(&self, power: i32) -> f64 {
        self.classes.iter().map(|class| class.share * (class.seconds + self.gap).powi(power)).sum()
    }

    /// How long a worker is taken by a request, on average; seconds.
    pub(super) fn mean(&self) -> f64 {
        self.moment(1)
    }

    /// Squared coefficient of variation of that time: 0 where all take the same.
    fn variation(&self) -> f64 {
        (self.moment(2) / self.mean().powi(2) - 1.0).max(0.0)
    }

    /// With every time longer by what is done again where workers die under their jobs, once in `lifetime` seconds.
    pub(super) fn with_rework(&self, lifetime: f64) -> Self {
        // A job of s seconds is hit with the chance s / lifetime, half-way on average.
        let class = |class: &Class| {
            let seconds = class.seconds * (1.0 + class.seconds / (2.0 * lifetime));
            Class { seconds, ..*class }
        };
        Self { classes: self.classes.iter().map(class).collect(), gap: self.gap }
    }
}

/// A line before `workers`.
#[derive(Debug, Clone)]
pub(super) struct Queue<'a> {
    service: &'a Service,
    /// The chance that a request has to wait.
    waits: f64,
    /// How long those wait that do, on average; seconds.
    wait: f64,
    /// How fast longer waits become rarer; a second.
    decay: f64,
}

impl<'a> Queue<'a> {
    /// Nothing where more arrives than the workers can do.
    pub(super) fn new(service: &'a Service, rate: f64, workers: usize) -> Option<Self> {
        let load = rate * service.mean();
        let count = workers as f64;
        let busy = load / count;
        if busy >= 1.0 {
            return None;
        }
        let waits = erlang_c(load, workers);
        let exponential = service.mean() / (count - load);
        let constant = exponential / 2.0 * cosmetatos(busy, count);
        let variation = service.variation();
        let wait = if variation <= 1.0 {
            variation * exponential + (1.0 - variation) * constant
        } else {
            exponential * (1.0 + variation) / 2.0
        };
        let decay = decay(service, rate, count);
        Some(Self { service, waits, wait, decay })
    }

    /// The mean wait of all requests; seconds.
    #[cfg(test)]
    pub(super) fn mean_wait(&self) -> f64 {
        self.waits * self.wait
    }

    /// How long a request takes at most, from its arrival to its answer, in `part` of all cases; seconds.
    pub(super) fn latency(&self, part: f64) -> f64 {
        let longest = self.service.classes.iter().map(|class| class.seconds).fold(0.0, f64::max);
        let (mut low, mut high) = (0.0, longest + 60.0 * (self.wait + 1.0 / self.decay));
        // Below a millionth of the range.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.exceeds(middle) > 1.0 - part { low = middle } else { high = middle }
        }
        high
    }

    /// The chance that who waits does so for longer than `seconds`: an exponential tail, which begins later or lower so
    /// that the mean is right.
    fn longer(&self, seconds: f64) -> f64 {
        let begins = self.wait * self.decay - 1.0;
        let scale = if begins > 0.0 { begins.exp() } else { 1.0 + begins };
        (scale * (-self.decay * seconds).exp()).min(1.0)
    }

    /// The chance that a request takes longer than `seconds`.
    fn exceeds(&self, seconds: f64) -> f64 {
        let tail = |wait: f64| if wait < 0.0 { 1.0 } else { self.waits * self.longer(wait) };
        self.service.classes.iter().map(|class| class.share * tail(seconds - class.seconds)).sum()
    }
}

/// The rate in the limit of long waits: the x above 0 where the mean of exp(x S / c) is 1 + x / rate.
fn decay(service: &Service, rate: f64, workers: f64) -> f64 {
    let excess = |x: f64| {
        let grown =
            |class: &Class| class.share * (x * (class.seconds + service.gap) / workers).exp();
        service.classes.iter().map(grown).sum::<f64>() - 1.0 - x / rate
    };
    // Below 0 at first, and convex.
    let mut high = rate;
    while excess(high) < 0.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if excess(middle) < 0.0 { low = middle } else { high = middle }
    }
    high
}

/// The chance of a wait before `workers` that are offered `load` (in workers), by Erlang. By the recursion for B, which
/// has no factorials to overflow.
fn erlang_c(load: f64, workers: usize) -> f64 {
    let blocked = (1..=workers).fold(1.0, |blocked, count| {
        let offered = load * blocked;
        offered / (count as f64 + offered)
    });
    blocked / (1.0 - load / workers as f64 * (1.0 - blocked))
}

/// By how much the mean wait of constant service times is above half of that of exponential ones.
fn cosmetatos(busy: f64, workers: f64) -> f64 {
    let several = (1.0 - busy) * (workers - 1.0) * ((4.0 + 5.0 * workers).sqrt() - 2.0);
    // The approximation is for busy workers; of idle ones nobody waits, and it must not say otherwise.
    (1.0 + several / (16.0 * busy * workers)).min(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(seconds: f64) -> Service {
        Service::new(vec![Class { seconds, share: 1.0 }], 0.0)
    }

    fn close(seen: f64, wanted: f64, within: f64) {
        assert!((seen / wanted - 1.0).abs() <= within, "{seen} where {wanted} was due");
    }

    #[test]
    fn erlangs_formula_gives_the_values_of_its_tables() {
        close(erlang_c(0.5, 1), 0.5, 1e-12);
        close(erlang_c(1.0, 2), 1.0 / 3.0, 1e-12);
        close(erlang_c(8.0, 10), 0.409_180, 1e-5);
        let many = erlang_c(900.0, 1000);
        assert!(many > 0.0 && many < 0.01, "{many}");
    }

    #[test]
    fn one_worker_waits_as_pollaczek_and_khinchine_say() {
        let service = constant(10.0);
        let queue = Queue::new(&service, 0.08, 1).unwrap();
        close(queue.mean_wait(), 0.8 * 10.0 / (2.0 * 0.2), 1e-9);
        let classes = [10.0, 70.0].map(|seconds| Class { seconds, share: 2.0 });
        let mixed = Service::new(classes.to_vec(), 0.0);
        close(mixed.mean(), 40.0, 1e-12);
        let rate = 0.02;
        let second_moment = f64::midpoint(100.0, 4900.0);
        let queue = Queue::new(&mixed, rate, 1).unwrap();
        close(queue.mean_wait(), rate * second_moment / (2.0 * (1.0 - 0.8)), 1e-9);
    }

    #[test]
    fn more_than_the_workers_can_do_has_no_latency() {
        let service = constant(10.0);
        assert!(Queue::new(&service, 0.1, 1).is_none());
        assert!(Queue::new(&service, 0.099, 1).is_some());
        let slower = Service::new(vec![Class { seconds: 10.0, share: 1.0 }], 0.2);
        assert!(Queue::new(&slower, 0.099, 1).is_none(), "the gap is the worker's time too");
    }

    #[test]
    fn with_enough_workers_a_request_takes_what_it_takes_alone() {
        let service = constant(10.0);
        close(Queue::new(&service, 0.1, 20).unwrap().latency(0.99), 10.0, 1e-6);
    }

    #[test]
    fn work_that_is_lost_half_way_is_done_again() {
        let again = constant(60.0).with_rework(600.0);
        close(again.mean(), 63.0, 1e-12);
    }
}
