//! How clients share a queue, so that one of them cannot starve the rest: a bounded number of places each, and
//! turns. Pure.
//!
//! Turns are those of fair queueing with equal jobs: a client's first waiting job is of the present round, each
//! further one a round later, and rounds are worked off in order. So a client that asks for one proof waits for
//! one proof of each other client, however many these have asked for.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

/// Who asks: clients with equal keys share one share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientKey {
    /// The key of a client certificate, by its hash.
    Certificate([u8; 32]),
    /// An IPv4 address, or the 64 bits of an IPv6 address that name a network: a host can have all addresses in it.
    Address(IpAddr),
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        })
    }
}

/// A place in the order of jobs: the round, then the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    round: u64,
    arrival: u64,
}

impl Turn {
    /// None comes before it.
    pub(super) const FIRST: Self = Self::again(0);

    /// Before everything that waits, for a job that had its turn and lost its worker.
    pub(super) const fn again(arrival: u64) -> Self {
        Self { round: 0, arrival }
    }
}

/// Who has how many waiting jobs, and whose turn is when.
#[derive(Debug, Default)]
pub(super) struct Shares {
    clients: HashMap<ClientKey, Share>,
    round: u64,
    arrivals: u64,
}

#[derive(Debug, Default)]
struct Share {
    waiting: usize,
    last_round: u64,
}

impl Shares {
    /// Jobs of `client` that wait.
    pub(super) fn waiting(&self, client: ClientKey) -> usize {
        self.clients.get(&client).map_or(0, |share| share.waiting)
    }

    /// Takes one more job of `client` in; gives its turn.
    pub(super) fn add(&mut self, client: ClientKey) -> Turn {
        let share = self.clients.entry(client).or_default();
        let next = if share.waiting == 0 { self.round } else { share.last_round + 1 };
        share.last_round = next.max(self.round).max(1);
        share.waiting += 1;
        self.arrivals += 1;
        Turn { round: share.last_round, arrival: self.arrivals }
    }

    /// Takes a job of `client` back in that had its turn; gives its new one.
    pub(super) fn again(&mut self, client: ClientKey) -> Turn {
        self.clients.entry(client).or_default().waiting += 1;
        self.arrivals += 1;
        Turn::again(self.arrivals)
    }

    /// A job of `client` waits no longer; with `turn` because that has come.
    pub(super) fn remove(&mut self, client: ClientKey, turn: Option<Turn>) {
        self.round = self.round.max(turn.map_or(0, |turn| turn.round));
        if let Some(share) = self.clients.get_mut(&client) {
            share.waiting = share.waiting.saturating_sub(1);
            if share.waiting == 0 {
                self.clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn client(number: u8) -> ClientKey {
        ClientKey::Certificate([number; 32])
    }

    /// The order in which jobs of these clients, asked for in this order, have their turns.
    fn order(asked: &[u8]) -> Vec<u8> {
        let mut shares = Shares::default();
        let turns: BTreeMap<Turn, u8> =
            asked.iter().map(|&number| (shares.add(client(number)), number)).collect();
        turns.into_values().collect()
    }

    #[test]
    fn one_clients_jobs_come_in_order_of_arrival() {
        let mut shares = Shares::default();
        let turns: Vec<Turn> = (0..4).map(|_| shares.add(client(1))).collect();
        assert!(turns.is_sorted());
    }

    #[test]
    fn clients_take_turns_however_much_one_of_them_asked_for_first() {
        assert_eq!(order(&[1, 1, 1, 1, 2, 3, 2]), [1, 2, 3, 1, 2, 1, 1]);
    }

    #[test]
    fn who_comes_later_is_not_put_before_rounds_that_are_over() {
        let mut shares = Shares::default();
        let first: Vec<Turn> = (0..3).map(|_| shares.add(client(1))).collect();
        for turn in &first[..2] {
            shares.remove(client(1), Some(*turn));
        }
        let late = shares.add(client(2));
        assert!(first[1] < late && late < first[2]);
    }

    #[test]
    fn a_job_that_lost_its_worker_comes_before_all_that_wait() {
        let mut shares = Shares::default();
        let waiting = shares.add(client(1));
        assert!(shares.again(client(2)) < waiting);
        assert_eq!(shares.waiting(client(2)), 1);
    }

    #[test]
    fn a_client_without_jobs_leaves_nothing_behind() {
        let mut shares = Shares::default();
        let turn = shares.add(client(1));
        assert_eq!(shares.waiting(client(1)), 1);
        shares.remove(client(1), Some(turn));
        assert!(shares.clients.is_empty());
        shares.remove(client(1), None);
        assert_eq!(shares.waiting(client(1)), 0);
    }

    #[test]
    fn addresses_of_one_host_are_one_client() {
        let key = |text: &str| ClientKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
