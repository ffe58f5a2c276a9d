use tokio::sync::watch;

use super::*;
use crate::jobs::{
    JobState,
    testing::{client, failure, job, place},
};

const LIMITS: QueueLimits = QueueLimits { waiting: 8, each: 8 };

type Follower = watch::Receiver<JobState>;

/// A queue, and what tells its places.
fn queue(limits: QueueLimits, workers: usize) -> Arc<Queue> {
    let queue = Arc::new(Queue::new(limits, workers, Arc::default()));
    tokio::spawn(Arc::clone(&queue).tell_places(CancellationToken::new()));
    queue
}

fn submit(queue: &Queue, of: u8) -> Result<(JobId, Follower), Failure> {
    let mut follower = None;
    let id = queue.submit(client(of), |id| {
        let (job, state) = job(id, client(of));
        follower = Some(state);
        job
    })?;
    Ok((id, follower.unwrap()))
}

async fn places(followers: &[&Follower]) -> Vec<Option<usize>> {
    // Time is paused: this passes once nothing else is left to do.
    sleep(Duration::from_secs(1)).await;
    followers.iter().map(|state| place(state)).collect()
}

fn lost() -> Failure {
    Failure::new(Code::Internal, "")
}

#[test]
fn admission_follows_the_condition_and_the_room() {
    let retry = Duration::from_secs(40);
    let limits = QueueLimits { waiting: 2, each: 1 };
    for (condition, waiting, of_client, next_free, want) in [
        (Condition::Open, 0, 0, None, Ok(())),
        (Condition::Open, 1, 0, None, Ok(())),
        (Condition::Open, 2, 0, None, Err((Code::Busy, Some(10)))),
        (Condition::Open, 2, 0, Some(retry), Err((Code::Busy, Some(40)))),
        (Condition::Open, 2, 0, Some(Duration::ZERO), Err((Code::Busy, Some(1)))),
        (Condition::Open, 1, 1, Some(retry), Err((Code::Busy, Some(40)))),
        (Condition::NoWorker(retry), 0, 0, None, Err((Code::Unavailable, Some(40)))),
        (Condition::ShuttingDown, 0, 0, None, Err((Code::ShuttingDown, None))),
    ] {
        let room = Room { waiting, of_client, next_free };
        let got =
            admit(condition, room, limits, "gone").map_err(|f| (f.code, f.retry_after_seconds));
        assert_eq!(got, want, "{condition:?} with {waiting} waiting");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_start_in_order_and_the_others_move_up() {
    let queue = queue(LIMITS, 1);
    let (first, second, third) =
        (submit(&queue, 1).unwrap(), submit(&queue, 1).unwrap(), submit(&queue, 1).unwrap());
    assert_eq!([place(&first.1), place(&second.1), place(&third.1)], [Some(0), Some(1), Some(2)]);

    let running = queue.take().await.unwrap();
    running.started();
    assert_eq!(running.id, first.0);
    assert_eq!(places(&[&first.1, &second.1, &third.1]).await, [None, Some(1), Some(2)]);

    queue.finished(running.id, None);
    running.finish(Err(lost()));
    assert_eq!(places(&[&second.1, &third.1]).await, [Some(0), Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_is_the_one_that_waits_longest_and_not_the_next_one() {
    let queue = queue(LIMITS, 1);
    assert_eq!(queue.oldest(), None);
    let began = Instant::now();
    let mut jobs = Vec::new();
    // The second client's job comes last and starts second.
    for client in [1, 1, 2] {
        jobs.push(submit(&queue, client).unwrap());
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(queue.oldest(), Some(began));
    let first = queue.take().await.unwrap();
    assert_eq!(queue.oldest(), Some(began + Duration::from_secs(10)));
    let second = queue.take().await.unwrap();
    assert_eq!((first.id, second.id), (jobs[0].0, jobs[2].0));
    assert_eq!(queue.oldest(), Some(began + Duration::from_secs(10)));
    // One whose worker was lost has waited since it came.
    queue.put_back(first);
    assert_eq!(queue.oldest(), Some(began));
    queue.close();
    assert_eq!(queue.oldest(), None);
}

#[tokio::test(start_paused = true)]
async fn a_long_queue_hears_of_its_places_a_few_at_a_time_and_whole() {
    let many = 3 * TELL_AT_ONCE;
    let queue = queue(QueueLimits { waiting: many, each: many }, 1);
    let mut jobs: Vec<_> = (0..many).map(|_| submit(&queue, 1).unwrap().1).collect();
    places(&[]).await;
    jobs.iter_mut().for_each(|state| state.mark_unchanged());

    let running = queue.take().await.unwrap();
    queue.finished(running.id, None);
    let mut heard = 0;
    let mut most_at_once = 0;
    for _ in 0..many {
        sleep(TELL_PAUSE_EACH).await;
        let now = jobs.iter().filter(|state| state.has_changed().unwrap()).count();
        most_at_once = most_at_once.max(now - heard);
        heard = now;
    }
    assert_eq!((heard, most_at_once), (many - 1, TELL_AT_ONCE));
    let want: Vec<_> = (0..many - 1).map(Some).collect();
    assert_eq!(places(&jobs[1..].iter().collect::<Vec<_>>()).await, want);
}

#[tokio::test(start_paused = true)]
async fn each_of_several_workers_gets_a_job_and_the_next_waits() {
    let queue = queue(LIMITS, 2);
    let takers = [0, 1].map(|_| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.take().await.unwrap() })
    });
    sleep(Duration::from_millis(1)).await;
    let jobs = [(); 3].map(|()| submit(&queue, 1).unwrap());
    for taker in takers {
        taker.await.unwrap();
    }
    assert_eq!((queue.running(), queue.waiting()), (2, 1));
    assert_eq!(places(&[&jobs[2].1]).await, [Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn one_client_cannot_fill_the_queue_nor_hold_up_the_others() {
    let queue = queue(QueueLimits { waiting: 4, each: 3 }, 1);
    let many = [(); 3].map(|()| submit(&queue, 1).unwrap());
    let refused = submit(&queue, 1).unwrap_err();
    assert_eq!(refused.code, Code::Busy);
    assert!(refused.message.starts_with("3 of your jobs wait already"), "{refused}");

    let other = submit(&queue, 2).unwrap();
    assert_eq!(places(&[&other.1, &many[1].1]).await, [Some(1), Some(2)]);
    assert_eq!(submit(&queue, 3).unwrap_err().message, "4 jobs wait already: try again in 1 s");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_wants_leaves_its_place() {
    let queue = queue(QueueLimits { waiting: 2, each: 2 }, 1);
    let (first, second) = (submit(&queue, 1).unwrap(), submit(&queue, 1).unwrap());
    assert_eq!(submit(&queue, 2).unwrap_err().code, Code::Busy);
    assert_eq!(queue.forget(first.0).unwrap().id, first.0);
    assert!(queue.forget(first.0).is_none());
    assert_eq!(places(&[&second.1]).await, [Some(0)]);
    submit(&queue, 1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_ends_when_the_queue_closes_and_takers_go() {
    let queue = queue(LIMITS, 1);
    let (_, follower) = submit(&queue, 1).unwrap();
    queue.close();
    assert_eq!(failure(&follower).code, Code::ShuttingDown);
    assert_eq!(submit(&queue, 1).unwrap_err().code, Code::ShuttingDown);
    assert!(queue.take().await.is_none());
    assert!(!queue.not_empty().await);
}

#[tokio::test(start_paused = true)]
async fn a_taker_that_waits_goes_when_the_queue_closes() {
    let queue = queue(LIMITS, 2);
    let takers = [0, 1].map(|_| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.take().await.is_none() })
    });
    sleep(Duration::from_millis(1)).await;
    queue.close();
    for taker in takers {
        assert!(taker.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_queue_to_close_learns_of_it_before_and_after() {
    let queue = queue(LIMITS, 1);
    assert!(tokio::time::timeout(Duration::from_secs(9), queue.closed()).await.is_err());
    let waits = Arc::clone(&queue);
    let waits = tokio::spawn(async move { waits.closed().await });
    sleep(Duration::from_millis(1)).await;
    queue.close();
    waits.await.unwrap();
    queue.closed().await;
}

#[tokio::test(start_paused = true)]
async fn jobs_are_taken_while_one_worker_is_there_and_end_when_none_is() {
    let (queue, retry) = (queue(LIMITS, 2), Duration::from_millis(2500));
    let (_, follower) = submit(&queue, 1).unwrap();
    queue.set_worker(0, Some(retry));
    assert_eq!(place(&follower), Some(0));
    queue.set_worker(1, Some(Duration::from_secs(9)));
    let ended = failure(&follower);
    assert_eq!((ended.code, ended.retry_after_seconds), (Code::Unavailable, Some(3)));
    assert_eq!(ended.message, "the worker does not start: try again in 3 s");
    assert_eq!(submit(&queue, 1).unwrap_err(), ended);
    queue.set_worker(1, None);
    submit(&queue, 1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_lost_its_worker_is_the_next_again() {
    let queue = queue(LIMITS, 1);
    let (first, _second) = (submit(&queue, 1).unwrap(), submit(&queue, 2).unwrap());
    let job = queue.take().await.unwrap();
    queue.put_back(job);
    assert_eq!((queue.running(), queue.waiting()), (0, 2));
    assert_eq!(place(&first.1), Some(0));
    assert_eq!(queue.take().await.unwrap().id, first.0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_lost_its_worker_ends_where_no_other_comes() {
    type End = fn(&Queue);
    let lose: End = |queue| queue.set_worker(0, Some(Duration::from_secs(1)));
    for (end, code) in [(Queue::close as End, Code::ShuttingDown), (lose, Code::Unavailable)] {
        let queue = queue(LIMITS, 1);
        let (_, follower) = submit(&queue, 1).unwrap();
        let job = queue.take().await.unwrap();
        end(&queue);
        queue.put_back(job);
        assert_eq!(failure(&follower).code, code);
    }
}

#[tokio::test(start_paused = true)]
async fn the_estimate_and_the_time_to_try_again_come_from_measured_durations() {
    let queue = queue(QueueLimits { waiting: 1, each: 1 }, 1);
    let _first = submit(&queue, 1).unwrap();
    let job = queue.take().await.unwrap();
    let second = submit(&queue, 1).unwrap();
    let starts = |follower: &Follower| match *follower.borrow() {
        JobState::Queued { starts, .. } => starts.map(|starts| starts - Instant::now()),
        _ => panic!("{follower:?}"),
    };
    assert_eq!(starts(&second.1), None, "nothing known yet");

    queue.finished(job.id, Some(Duration::from_secs(60)));
    let _running = queue.take().await;
    let third = submit(&queue, 1).unwrap();
    assert_eq!(starts(&third.1), Some(Duration::from_secs(60)));
    sleep(Duration::from_secs(45)).await;
    assert_eq!(submit(&queue, 2).unwrap_err().retry_after_seconds, Some(15));
}

#[tokio::test(start_paused = true)]
async fn a_job_dropped_by_whoever_had_it_ends_all_the_same() {
    let queue = queue(LIMITS, 1);
    let (_, follower) = submit(&queue, 1).unwrap();
    drop(queue.take().await);
    assert_eq!(failure(&follower).code, Code::Internal);
}
