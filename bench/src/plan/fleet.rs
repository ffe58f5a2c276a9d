//! A fleet on paper: how many hosts, what a proof costs, and what is in the way of more.

use super::{
    queue::{Queue, Service},
    simulate::{Losses, Outcome, Scene, simulate},
};

/// Which part of the requests the latency target is for.
pub(super) const PART: f64 = 0.99;

/// With what chance enough of the hosts are up where they are lost now and then.
const ENOUGH_UP: f64 = 0.99;

/// Requests of a simulation: four thousand of them are beyond the 99 % latency.
const SIMULATED: usize = 400_000;

/// What is given.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) service: Service,
    pub(super) workers_per_host: usize,
    /// Seconds.
    pub(super) latency: f64,
    /// Part of the workers that may be busy.
    pub(super) most_busy: f64,
    pub(super) losses: Option<Losses>,
    /// Dollars an hour of one host.
    pub(super) price: f64,
    /// Of a request and its answer together.
    pub(super) bytes: f64,
    pub(super) seed: u64,
}

/// A fleet, and what is expected of it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) hosts: usize,
    /// Requests a second.
    pub(super) rate: f64,
    /// Part of the workers that is busy.
    pub(super) busy: f64,
    /// By the formula; seconds.
    pub(super) latency: f64,
    pub(super) simulated: Outcome,
    /// Dollars a proof.
    pub(super) cost: f64,
    /// Megabits a second through the balancer.
    pub(super) megabits: f64,
    /// Hosts lost a day.
    pub(super) lost: f64,
}

impl Wish {
    /// The service with what is done again.
    fn effective(&self) -> Service {
        match self.losses {
            Some(losses) => self.service.with_rework(losses.lifetime),
            None => self.service.clone(),
        }
    }

    /// Hosts that may be counted on of so many.
    fn up(&self, hosts: usize) -> usize {
        let Some(Losses { lifetime, replaced_in, .. }) = self.losses else { return hosts };
        least_of(hosts, lifetime / (lifetime + replaced_in), ENOUGH_UP)
    }

    fn latency_of(&self, rate: f64, hosts: usize) -> Option<f64> {
        let service = self.effective();
        let workers = self.up(hosts) * self.workers_per_host;
        if rate * service.mean() > self.most_busy * workers as f64 {
            return None;
        }
        Queue::new(&service, rate, workers).map(|queue| queue.latency(PART))
    }

    fn holds(&self, rate: f64, hosts: usize) -> bool {
        self.latency_of(rate, hosts).is_some_and(|latency| latency <= self.latency)
    }

    /// Whether a request of the slowest kind is in time where nothing is in its way.
    pub(super) fn is_possible(&self) -> bool {
        self.service.classes().iter().all(|class| class.seconds <= self.latency)
    }

    /// The fewest hosts for so many requests a second; nothing where no number of them is fast enough.
    pub(super) fn hosts_for(&self, rate: f64) -> Option<Plan> {
        let enough = |hosts: &usize| self.holds(rate, *hosts);
        let most = (0..24).map(|power| 1_usize << power).find(enough)?;
        // More hosts are never slower, so the border is found by halving.
        let (mut few, mut many) = (most / 2, most);
        while many - few > 1 {
            let middle = usize::midpoint(few, many);
            if enough(&middle) { many = middle } else { few = middle }
        }
        self.plan(rate, many)
    }

    /// The most that so many hosts can take.
    pub(super) fn rate_for(&self, hosts: usize) -> Option<Plan> {
        let most = (hosts * self.workers_per_host) as f64 / self.service.mean();
        let (mut low, mut high) = (0.0, most);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if self.holds(middle, hosts) { low = middle } else { high = middle }
        }
        // A host that is idle is none that is slow: the target is below what a proof takes alone.
        if low < most * 1e-6 { None } else { self.plan(low, hosts) }
    }

    fn plan(&self, rate: f64, hosts: usize) -> Option<Plan> {
        let scene = Scene {
            service: &self.service,
            rate,
            hosts,
            workers_per_host: self.workers_per_host,
            losses: self.losses,
            requests: SIMULATED,
            seed: self.seed,
        };
        Some(Plan {
            hosts,
            rate,
            busy: rate * self.service.mean() / (hosts * self.workers_per_host) as f64,
            latency: self.latency_of(rate, hosts)?,
            simulated: simulate(&scene),
            cost: self.price * hosts as f64 / 3600.0 / rate,
            megabits: rate * self.bytes * 8.0 / 1e6,
            lost: self.losses.map_or(0.0, |losses| hosts as f64 * 86_400.0 / losses.lifetime),
        })
    }
}

/// How many of `count` are there at least, with the chance `sure`, where each is with the chance `each`.
fn least_of(count: usize, each: f64, sure: f64) -> usize {
    // The chance of exactly `missing`, from none on, by its logarithm: of a thousand hosts the first are below any double.
    let mut chance = count as f64 * each.ln();
    let mut sum = chance.exp();
    let mut missing = 0;
    while sum < sure && missing < count {
        missing += 1;
        let more = (count - missing + 1) as f64 / missing as f64 * (1.0 - each) / each;
        chance += more.ln();
        sum += chance.exp();
    }
    count - missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::queue::Class;

    fn wish(latency: f64) -> Wish {
        let classes = [(36.0, 2.0), (62.0, 1.0)].map(|(seconds, share)| Class { seconds, share });
        Wish {
            service: Service::new(classes.to_vec(), 0.02),
            workers_per_host: 1,
            latency,
            most_busy: 0.99,
            losses: None,
            price: 0.36,
            bytes: 2e6,
            seed: 1,
        }
    }

    #[test]
    fn the_fewest_hosts_meet_the_target_and_one_fewer_does_not() {
        let wish = wish(90.0);
        for rate in [0.01, 0.5, 5.0] {
            let plan = wish.hosts_for(rate).unwrap();
            assert!(plan.latency <= 90.0 && !wish.holds(rate, plan.hosts - 1), "{rate}");
            assert!(plan.simulated.latency(PART) <= 90.0 * 1.06, "{rate}: the simulation agrees");
        }
    }

    #[test]
    fn rate_and_hosts_are_two_sides_of_one_plan() {
        let wish = wish(90.0);
        let plan = wish.rate_for(10).unwrap();
        assert_eq!(wish.hosts_for(plan.rate * 0.999).unwrap().hosts, 10);
        assert_eq!(wish.hosts_for(plan.rate * 1.001).unwrap().hosts, 11);
        let dollars = 0.36 * 10.0 / 3600.0 / plan.rate;
        assert!((plan.cost / dollars - 1.0).abs() < 1e-9);
    }

    #[test]
    fn larger_fleets_are_busier_at_the_same_latency() {
        let busy: Vec<f64> =
            [1, 10, 100].map(|hosts| wish(90.0).rate_for(hosts).unwrap().busy).to_vec();
        assert!(busy.is_sorted() && busy[0] < 0.5 && busy[2] > 0.9, "{busy:?}");
    }

    #[test]
    fn a_target_below_what_a_proof_takes_alone_has_no_plan() {
        assert!(wish(61.0).hosts_for(0.1).is_none() && wish(61.0).rate_for(10).is_none());
    }

    #[test]
    fn hosts_that_are_lost_are_planned_for_and_the_simulation_agrees() {
        let losses = Losses { lifetime: 3600.0, replaced_in: 600.0, back_in: 3.0 };
        let lossy = Wish { losses: Some(losses), ..wish(120.0) };
        let (calm, plan) = (wish(120.0).hosts_for(0.5).unwrap(), lossy.hosts_for(0.5).unwrap());
        assert!(plan.hosts > calm.hosts + 3, "{} and {}", plan.hosts, calm.hosts);
        assert!(plan.simulated.broken_off > 0);
        // The formula counts on so few hosts that only one time in a hundred there are fewer.
        assert!(plan.simulated.latency(PART) <= 120.0, "{}", plan.simulated.latency(PART));
        let blind = wish(120.0);
        let blind = Wish { losses: Some(losses), ..blind };
        let unplanned = blind.plan(0.5, calm.hosts);
        let late = unplanned.is_none_or(|plan| plan.simulated.latency(PART) > 120.0);
        assert!(late, "without planning for losses the target is missed");
    }

    #[test]
    fn no_more_workers_are_busy_than_may_be() {
        let wish = Wish { most_busy: 0.5, ..wish(600.0) };
        let plan = wish.rate_for(100).unwrap();
        assert!((plan.busy - 0.5).abs() < 1e-6, "{}", plan.busy);
    }

    #[test]
    fn one_host_that_is_down_too_often_promises_nothing() {
        let losses = Losses { lifetime: 3600.0, replaced_in: 600.0, back_in: 3.0 };
        let wish = Wish { losses: Some(losses), ..wish(600.0) };
        assert!(wish.is_possible() && wish.rate_for(1).is_none());
    }

    #[test]
    fn how_many_are_up_at_least_is_the_binomials_quantile() {
        assert_eq!(least_of(1, 0.5, 0.5), 1, "it is up half of the time");
        assert_eq!(least_of(1, 0.5, 0.6), 0);
        // 0.9^3 = 0.729, and with one missing 0.972.
        assert_eq!([0.7, 0.73, 0.97, 0.98].map(|sure| least_of(3, 0.9, sure)), [3, 2, 2, 1]);
        assert_eq!(least_of(1000, 1.0 - 1e-12, 0.99), 1000);
        let many = least_of(1000, 0.9, 0.99);
        assert!((870..885).contains(&many), "{many}: 900 less 2.33 times 9.5");
    }
}
