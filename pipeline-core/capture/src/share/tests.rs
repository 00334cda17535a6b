use super::*;

const PATIENT: Duration = Duration::from_mins(1);
const HURRIED: Duration = Duration::from_millis(1);

#[tokio::test]
async fn alone_a_holder_may_have_everything() {
    let share = FairShare::new("test", 100);
    let noisy = share.holder("noisy");
    let all = share.acquire(noisy, 100, PATIENT).await.expect("nobody else is here");
    assert_eq!(share.acquire(noisy, 1, HURRIED).await.expect_err("nothing is left"), Crowded);
    drop(all);
    assert_eq!(share.acquire(noisy, 1_000, PATIENT).await.expect("cut to what exists").amount(), 100);
}

#[tokio::test]
async fn another_holder_gets_the_first_amount_that_is_returned() {
    let share = FairShare::new("test", 4);
    let (noisy, quiet) = (share.holder("noisy"), share.holder("quiet"));
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(share.acquire(noisy, 1, PATIENT).await.expect("nobody else is here"));
    }
    // A crowd of the noisy project stands in line before the quiet one comes.
    let line: Vec<_> = (0..100)
        .map(|_| {
            let share = Arc::clone(&share);
            tokio::spawn(async move { share.acquire(noisy, 1, PATIENT).await })
        })
        .collect();
    while share.waiting() < 100 {
        tokio::task::yield_now().await;
    }
    let patient = {
        let share = Arc::clone(&share);
        tokio::spawn(async move { share.acquire(quiet, 1, PATIENT).await })
    };
    while share.waiting() < 101 {
        tokio::task::yield_now().await;
    }
    held.pop();
    let grant = patient.await.expect("no panic").expect("served before the crowd");
    assert_eq!(share.waiting(), 100);
    // The quiet one no longer waits, so the crowd may go on.
    drop(held);
    drop(grant);
    for task in line {
        task.await.expect("no panic").expect("everyone is served in the end");
    }
    assert_eq!(share.lock().free, 4);
    assert!(share.lock().held.is_empty());
}

#[tokio::test]
async fn who_leaves_the_line_loses_nothing_for_others() {
    let share = FairShare::new("test", 2);
    let (first, second) = (share.holder("first"), share.holder("second"));
    let all = share.acquire(first, 2, PATIENT).await.expect("free");
    assert!(share.acquire(second, 2, HURRIED).await.is_err());
    assert_eq!(share.waiting(), 0);
    drop(all);
    let mut grant = share.acquire(first, 1, PATIENT).await.expect("free again");
    grant.grow(1, PATIENT).await.expect("free too");
    assert_eq!(grant.amount(), 2);
    drop(grant);
    assert_eq!(share.lock().free, 2);
}

#[tokio::test]
async fn changing_hands_keeps_the_sums() {
    let share = FairShare::new("test", 10);
    let (address, token) = (share.holder("1.2.3.4"), share.holder("phc"));
    let grant = share.acquire(address, 2, PATIENT).await.expect("free");
    let grant = grant.hand_over(token, 8).expect("enough is free");
    assert_eq!(share.lock().held.get(&token), Some(&8));
    let other = share.acquire(address, 2, PATIENT).await.expect("free");
    assert_eq!(other.hand_over(token, 5).expect_err("not free"), Crowded);
    drop(grant);
    assert_eq!(share.lock().free, 10);
    assert!(share.lock().held.is_empty());
}
