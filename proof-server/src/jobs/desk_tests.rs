use super::*;
use crate::jobs::{
    QueueLimits, Success,
    testing::{client, failure, name, place, success, task},
};

const GRACE: Duration = Duration::from_secs(30);
const KEEP: Duration = Duration::from_secs(600);

struct Office {
    desk: Arc<Desk>,
    queue: Arc<Queue>,
}

impl Office {
    fn new(grace: Duration) -> Self {
        let limits = DeskLimits { grace, keep_time: KEEP, keep_bytes: 1 << 20 };
        let desk = Arc::new(Desk::new(limits));
        tokio::spawn(Arc::clone(&desk).tidy(CancellationToken::new()));
        let limits = QueueLimits { waiting: 8, each: 8 };
        Self { desk, queue: Arc::new(Queue::new(limits, 1, Arc::default())) }
    }

    fn open(&self, number: u8) -> JobHandle {
        self.desk.open(name(number), client(number), task(), &self.queue).unwrap()
    }

    fn find(&self, number: u8) -> Option<JobHandle> {
        self.desk.find(name(number))
    }

    async fn run(&self, outcome: Result<Success, Failure>) {
        let job = self.queue.take().await.unwrap();
        self.queue.finished(job.id, None);
        job.finish(outcome);
    }
}

fn proof() -> Success {
    let Ok(proof) = Arc::into_inner(crate::jobs::testing::proof_of_bytes(1)).unwrap() else {
        panic!()
    };
    proof
}

fn is_proof(handle: &JobHandle) -> bool {
    matches!(&*handle.state.borrow(), JobState::Done(outcome) if outcome.is_ok())
}

#[tokio::test(start_paused = true)]
async fn the_same_request_joins_the_job_that_waits_or_runs() {
    let office = Office::new(GRACE);
    let first = office.open(1);
    assert_eq!(first.joined, Joined::No);
    let second = office.open(1);
    assert_eq!((second.joined, office.queue.waiting()), (Joined::Open, 1));
    office.open(2);
    assert_eq!(office.queue.waiting(), 2, "another request is another job");

    let job = office.queue.take().await.unwrap();
    let third = office.find(1).unwrap();
    assert_eq!(third.joined, Joined::Open);
    office.queue.finished(job.id, None);
    job.finish(Ok(proof()));
    assert!([first, second, third].iter().all(is_proof));
}

#[tokio::test(start_paused = true)]
async fn a_result_is_kept_for_whoever_asks_again_and_not_for_ever() {
    let office = Office::new(GRACE);
    drop(office.open(1));
    office.run(Ok(proof())).await;
    let again = office.open(1);
    assert_eq!((again.joined, office.queue.waiting()), (Joined::Kept, 0));
    assert!(is_proof(&again));
    assert_eq!(office.desk.kept().0, 1);

    sleep_until(Instant::now() + KEEP + TIDY_PAUSE * 2).await;
    assert_eq!(office.desk.kept(), (0, 0));
    assert!(office.find(1).is_none());
    assert_eq!(office.open(1).joined, Joined::No);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_to_all_and_not_kept() {
    let office = Office::new(GRACE);
    let (first, second) = (office.open(1), office.open(1));
    office.run(Err(Failure::new(Code::Timeout, ""))).await;
    assert!([&first, &second].iter().all(|handle| failure(&handle.state).code == Code::Timeout));
    assert_eq!(office.open(1).joined, Joined::No);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_kills_workers_is_not_tried_again_at_once() {
    let office = Office::new(GRACE);
    let _first = office.open(1);
    office.run(Err(Failure::new(Code::WorkerLost, ""))).await;
    let again = office.open(1);
    assert_eq!((again.joined, failure(&again.state).code), (Joined::Kept, Code::WorkerLost));
    sleep_until(Instant::now() + Duration::from_secs(31)).await;
    assert_eq!(office.open(1).joined, Joined::No);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_client_went_goes_on_and_is_found_by_who_comes_back_in_time() {
    let office = Office::new(GRACE);
    drop(office.open(1));
    let job = office.queue.take().await.unwrap();
    sleep_until(Instant::now() + GRACE - Duration::from_secs(1)).await;
    let back = office.find(1).unwrap();
    sleep_until(Instant::now() + GRACE * 3).await;
    assert!(!job.unwanted.is_cancelled(), "somebody waits for it again");
    job.finish(Ok(proof()));
    assert!(is_proof(&back));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_comes_back_for_ends_after_the_grace_period() {
    let office = Office::new(GRACE);
    drop(office.open(1));
    let (_running, waiting) = (office.queue.take().await.unwrap(), office.open(2));
    let follower = waiting.state.clone();
    assert_eq!(place(&follower), Some(1));
    drop(waiting);
    sleep_until(Instant::now() + GRACE - Duration::from_secs(1)).await;
    assert!(!_running.unwanted.is_cancelled() && place(&follower) == Some(1));
    sleep_until(Instant::now() + Duration::from_secs(2)).await;
    assert!(_running.unwanted.is_cancelled());
    assert_eq!(failure(&follower).code, Code::Cancelled);
    assert!(office.find(1).is_none() && office.find(2).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_its_last_client_gives_up_ends_at_once() {
    let office = Office::new(GRACE);
    let (first, second) = (office.open(1), office.open(1));
    let job = office.queue.take().await.unwrap();
    first.give_up();
    assert!(!job.unwanted.is_cancelled(), "another one waits for it");
    second.give_up();
    assert!(job.unwanted.is_cancelled());
    assert!(office.find(1).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_job_given_up_is_not_the_one_that_the_same_request_gets_next() {
    let office = Office::new(Duration::ZERO);
    drop(office.open(1));
    assert_eq!(office.queue.waiting(), 0);
    let given_up = office.open(1);
    let job = office.queue.take().await.unwrap();
    drop(given_up);
    let next = office.open(1);
    assert_eq!(next.joined, Joined::No);
    // The first one's end comes late, and is nothing to the second.
    job.finish(Ok(success()));
    assert_eq!(place(&next.state), Some(1));
    assert_eq!(office.find(1).unwrap().joined, Joined::Open);
}

#[tokio::test(start_paused = true)]
async fn what_the_queue_refuses_leaves_nothing_at_the_desk() {
    let office = Office::new(GRACE);
    office.queue.close();
    let refused = office.desk.open(name(1), client(1), task(), &office.queue).unwrap_err();
    assert_eq!(refused.code, Code::ShuttingDown);
    assert!(office.find(1).is_none());
}
