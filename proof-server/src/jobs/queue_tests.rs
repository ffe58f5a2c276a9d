use super::*;

fn queue(limit: usize) -> Arc<Queue> {
    Arc::new(Queue::new(limit, Arc::default()))
}

fn task() -> Task {
    Task::Prove {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        witness: Vec::new(),
        public_values: Vec::new(),
    }
}

fn position(handle: &JobHandle) -> Option<usize> {
    match *handle.state.borrow() {
        JobState::Queued { position, .. } => Some(position),
        _ => None,
    }
}

fn failure(handle: &JobHandle) -> Code {
    match &*handle.state.borrow() {
        JobState::Done(outcome) => outcome.as_ref().as_ref().unwrap_err().code,
        other => panic!("not done: {other:?}"),
    }
}

#[test]
fn admission_follows_the_condition_and_the_room() {
    let retry = Duration::from_secs(40);
    for (condition, waiting, next_free, want) in [
        (Condition::Open, 0, None, Ok(())),
        (Condition::Open, 1, None, Ok(())),
        (Condition::Open, 2, None, Err((Code::Busy, Some(10)))),
        (Condition::Open, 2, Some(retry), Err((Code::Busy, Some(40)))),
        (Condition::Open, 2, Some(Duration::ZERO), Err((Code::Busy, Some(1)))),
        (Condition::NoWorker(retry), 0, None, Err((Code::Unavailable, Some(40)))),
        (Condition::ShuttingDown, 0, None, Err((Code::ShuttingDown, None))),
    ] {
        let got =
            admit(condition, waiting, 2, next_free).map_err(|f| (f.code, f.retry_after_seconds));
        assert_eq!(got, want, "{condition:?} with {waiting} waiting");
    }
}

#[tokio::test]
async fn jobs_start_in_order_and_the_others_move_up() {
    let queue = queue(8);
    let (first, second, third) = (
        queue.submit(task()).unwrap(),
        queue.submit(task()).unwrap(),
        queue.submit(task()).unwrap(),
    );
    assert_eq!(
        [position(&first), position(&second), position(&third)],
        [Some(0), Some(1), Some(2)]
    );

    let running = queue.take().await;
    assert_eq!(running.id, first.id);
    assert_eq!([position(&first), position(&second), position(&third)], [None, Some(1), Some(2)]);

    running.finish(Err(Failure::new(Code::Internal, "")));
    queue.finished(None);
    assert_eq!([position(&second), position(&third)], [Some(0), Some(1)]);
}

#[tokio::test]
async fn a_job_that_nobody_wants_leaves_its_place() {
    let queue = queue(2);
    let (first, second) = (queue.submit(task()).unwrap(), queue.submit(task()).unwrap());
    assert_eq!(queue.submit(task()).unwrap_err().code, Code::Busy);
    drop(first);
    assert_eq!(position(&second), Some(0));
    assert_eq!(queue.waiting(), 1);
    queue.submit(task()).unwrap();
}

#[tokio::test]
async fn a_running_job_that_nobody_wants_is_marked() {
    let queue = queue(2);
    let handle = queue.submit(task()).unwrap();
    let job = queue.take().await;
    assert!(!job.unwanted.is_cancelled());
    drop(handle);
    assert!(job.unwanted.is_cancelled());
}

#[tokio::test]
async fn what_waits_ends_when_the_queue_closes() {
    for (condition, code) in [
        (Condition::ShuttingDown, Code::ShuttingDown),
        (Condition::NoWorker(Duration::from_secs(3)), Code::Unavailable),
    ] {
        let queue = queue(2);
        let handle = queue.submit(task()).unwrap();
        queue.set_condition(condition);
        assert_eq!(failure(&handle), code);
        assert_eq!(queue.submit(task()).unwrap_err().code, code);
        queue.set_condition(Condition::Open);
        queue.submit(task()).unwrap();
    }
}

#[tokio::test]
async fn the_estimate_comes_from_the_last_durations() {
    let queue = queue(8);
    let _first = queue.submit(task()).unwrap();
    let job = queue.take().await;
    let second = queue.submit(task()).unwrap();
    assert!(
        matches!(*second.state.borrow(), JobState::Queued { starts: None, .. }),
        "nothing known yet"
    );

    job.finish(Err(Failure::new(Code::Internal, "")));
    queue.finished(Some(Duration::from_secs(60)));
    let _running = queue.take().await;
    let third = queue.submit(task()).unwrap();
    let JobState::Queued { position: 1, starts: Some(starts) } = *third.state.borrow() else {
        panic!("{third:?}")
    };
    let wait = starts - Instant::now();
    assert!(wait <= Duration::from_secs(60) && wait > Duration::from_secs(30), "{wait:?}");
}
