//! Which queue a program's requests go to. Pure.

use std::sync::Arc;

use lc_core::ProgramId;

use crate::jobs::Queue;

/// Where requests for one program go.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) queue: Arc<Queue>,
    /// Whether another server proves them, which wants the request as it came.
    pub(super) remote: bool,
}

/// The routes of all programs.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<(ProgramId, Route)>);

impl Routes {
    pub(super) fn add(&mut self, program: ProgramId, queue: &Arc<Queue>, remote: bool) {
        self.0.push((program, Route { queue: Arc::clone(queue), remote }));
    }

    pub(super) fn of(&self, program: ProgramId) -> Option<&Route> {
        self.0.iter().find(|(of, _)| *of == program).map(|(_, route)| route)
    }
}
