//! Where a proof's time goes, as the prover itself says it: the tracing spans inside SP1, timed and handed to the
//! server with the proof.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tracing::{Metadata, Subscriber, span};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// Spans of SP1 6.10's shard prover (sp1-hypercube, `prover/shard.rs`) that follow one another within a shard.
/// What a proof spends in none of them is execution, and the work between shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ProverSpan {
    /// Filling the tables.
    MainTraces,
    /// Committing to them.
    Commit,
    /// The lookup argument.
    LogupGkr,
    /// The constraints.
    Zerocheck,
    /// Opening the commitments.
    EvaluationClaims,
}

impl ProverSpan {
    pub(crate) const ALL: &'static [Self] =
        &[Self::MainTraces, Self::Commit, Self::LogupGkr, Self::Zerocheck, Self::EvaluationClaims];

    /// The name that SP1 gives it.
    const fn sp1_name(self) -> &'static str {
        match self {
            Self::MainTraces => "generate main traces",
            Self::Commit => "commit traces",
            Self::LogupGkr => "logup gkr proof",
            Self::Zerocheck => "zerocheck",
            Self::EvaluationClaims => "prove evaluation claims",
        }
    }

    fn of(metadata: &Metadata<'_>) -> Option<Self> {
        let ours = metadata.is_span() && metadata.target().starts_with("sp1_hypercube");
        Self::ALL.iter().copied().find(|span| ours && span.sp1_name() == metadata.name())
    }
}

/// Time by span, in the order of [`ProverSpan::ALL`], since the last look.
static SPENT: Mutex<[Duration; ProverSpan::ALL.len()]> =
    Mutex::new([Duration::ZERO; ProverSpan::ALL.len()]);

/// Takes what was measured since the last call; only spans that occurred.
pub(super) fn take() -> Vec<(ProverSpan, Duration)> {
    let mut spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = std::mem::take(&mut *spent);
    let spans = ProverSpan::ALL.iter().copied().zip(taken);
    spans.filter(|(_, time)| !time.is_zero()).collect()
}

/// The layer that times them, whatever is logged. Other spans stay disabled, and cost nothing.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Times.with_filter(filter())
}

fn filter<S>() -> impl Filter<S> {
    filter_fn(|metadata| ProverSpan::of(metadata).is_some())
}

struct Times;

/// When a span began, kept with it.
struct Began(Instant);

impl<S> Layer<S> for Times
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Began(Instant::now()));
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let began = span.extensions().get::<Began>().map(|began| began.0);
        if let (Some(began), Some(which)) = (began, ProverSpan::of(span.metadata())) {
            let mut spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
            let place = ProverSpan::ALL.iter().position(|span| *span == which);
            if let Some(time) = place.and_then(|place| spent.get_mut(place)) {
                *time += began.elapsed();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::{debug_span, subscriber::with_default};
    use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, registry};

    use super::*;

    #[test]
    fn the_provers_spans_are_timed_though_nothing_is_logged_and_others_are_not() {
        // The log takes errors only; the spans are of level debug.
        let log = fmt::layer().with_filter(LevelFilter::ERROR);
        with_default(registry().with(log).with(layer()), || {
            take();
            for _ in 0..2 {
                let _span =
                    debug_span!(target: "sp1_hypercube::prover::shard", "zerocheck").entered();
                std::thread::sleep(Duration::from_millis(2));
            }
            let other = debug_span!(target: "somebody", "zerocheck");
            let unknown = debug_span!(target: "sp1_hypercube::prover::shard", "something new");
            assert!(other.is_disabled() && unknown.is_disabled());
        });
        let spent = take();
        assert_eq!(spent.len(), 1);
        assert!(spent[0].0 == ProverSpan::Zerocheck && spent[0].1 >= Duration::from_millis(4));
        assert!(take().is_empty(), "each look begins anew");
    }
}
