//! Whether a lane of workers can serve, for `/readyz`.

use std::sync::{Arc, Mutex};

use crate::http::{Need, Readiness};

/// What is wrong with each of some workers. The server is ready while one of them is well.
#[derive(Debug)]
pub(crate) struct Health {
    readiness: Option<Arc<Readiness>>,
    failing: Mutex<Vec<Option<String>>>,
}

impl Health {
    /// Of workers without which the server cannot serve.
    pub(crate) fn of_provers(workers: usize, readiness: Arc<Readiness>) -> Self {
        Self { readiness: Some(readiness), failing: Mutex::new(vec![None; workers]) }
    }

    /// Of workers that start on demand: strangers' input may kill them, and that must not take the server out.
    pub(crate) fn of_no_consequence(workers: usize) -> Self {
        Self { readiness: None, failing: Mutex::new(vec![None; workers]) }
    }

    /// Worker number `worker` keeps dying or does not start, for this reason; or it is well.
    pub(super) fn set(&self, worker: usize, reason: Option<String>) {
        let mut failing = self.failing.lock().expect("nothing panics while it holds reasons");
        if let Some(place) = failing.get_mut(worker) {
            *place = reason;
        }
        let Some(readiness) = &self.readiness else { return };
        let all = failing.iter().cloned().collect::<Option<Vec<String>>>();
        readiness.set(Need::Prover, all.and_then(|reasons| reasons.into_iter().next()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_while_one_of_its_workers_is_well() {
        let readiness = Arc::new(Readiness::starting());
        readiness.set(Need::Start, None);
        let health = Health::of_provers(2, Arc::clone(&readiness));
        health.set(0, Some("died".to_owned()));
        assert!(readiness.is_ready());
        health.set(1, Some("died too".to_owned()));
        assert_eq!(readiness.reasons(), ["prover: died"]);
        health.set(1, None);
        assert!(readiness.is_ready());
    }

    #[test]
    fn workers_on_demand_do_not_take_the_server_out() {
        let health = Health::of_no_consequence(1);
        health.set(0, Some("died".to_owned()));
    }
}
