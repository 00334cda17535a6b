use std::collections::HashMap as Map;
use std::sync::mpsc::sync_channel;

use super::*;
use crate::http::test_server::{TestServer, reply};
use crate::http::{Completion, HttpLimits, HttpMode, HttpSettings, SystemResolver};
use crate::secrets::Secrets;

fn plugin(id: &str, dir: &std::path::Path, mode: HttpMode, grant: &[String]) -> Arc<PluginHttp> {
    let settings = HttpSettings { mode, allow: vec!["*".into()], grant: grant.to_vec() };
    let resolver = Arc::new(SystemResolver);
    let limits = HttpLimits { total: Duration::from_secs(10), ..HttpLimits::default() };
    Arc::new(PluginHttp::new(id, dir, &settings, limits, Secrets::default(), resolver).unwrap())
}

fn live(id: &str, server: &TestServer) -> Arc<PluginHttp> {
    plugin(id, std::path::Path::new("/nonexistent"), HttpMode::Live, &[server.address.to_string()])
}

fn all(queue: &CompletionQueue) -> Vec<Completion> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut done = Vec::new();
    while queue.open() > 0 && Instant::now() < deadline {
        done.extend(queue.wait(deadline));
    }
    done
}

fn status(completion: &Completion) -> Result<u16, FailureKind> {
    match &completion.outcome {
        Outcome::Http(Ok(response)) => Ok(response.status),
        Outcome::Http(Err(failure)) => Err(failure.kind),
        Outcome::Elapsed => panic!("a timer"),
    }
}

#[test]
fn mocks_timers_and_live_calls_meet_in_one_queue() {
    let server = TestServer::start(|_, stream| reply(stream, "200 OK", "", b"live"));
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("mocks")).unwrap();
    let mock = r#"{ "request": { "url": "http://a.example/" }, "response": { "status": 418 }, "delay_ms": 30 }"#;
    std::fs::write(dir.path().join("mocks/m.json"), mock).unwrap();
    let mocked = plugin("mocked", dir.path(), HttpMode::Mock, &[]);
    let calls = Calls::new(CallsConfig::default());
    let queue = CompletionQueue::new();
    let slow = calls.start(&mocked, HttpRequest::get("http://a.example/"), &queue);
    let unknown = calls.start(&mocked, HttpRequest::get("http://b.example/"), &queue);
    let real = calls.start(&live("live", &server), HttpRequest::get(server.url("/")), &queue);
    let refused = calls.start(&live("live", &server), HttpRequest::get("http://127.0.0.9/"), &queue);
    let timer = queue.sleep(Duration::from_millis(60));
    let done = all(&queue);
    let took: Map<_, _> = done.iter().map(|one| (one.id, one.took)).collect();
    let of = |id| done.iter().find(|one| one.id == id).unwrap();
    assert_eq!(done.len(), 5);
    assert_eq!(status(of(slow)), Ok(418));
    assert!(took[&slow] >= Duration::from_millis(30));
    assert_eq!(status(of(unknown)), Err(FailureKind::NoMock));
    assert_eq!(status(of(real)), Ok(200));
    assert_eq!(status(of(refused)), Err(FailureKind::Refused));
    assert_eq!(of(timer).outcome, Outcome::Elapsed);
    assert_eq!(done.last().unwrap().id, timer);
}

#[test]
fn calls_run_at_once_and_share_the_threads_fairly() {
    let (entered, entering) = sync_channel(100);
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = gate.clone();
    let server = TestServer::start(move |asked, stream| {
        entered.send(asked.line().to_owned()).unwrap();
        if asked.line().contains("/hold") {
            let mut open = held.0.lock().unwrap();
            while !*open {
                open = held.1.wait(open).unwrap();
            }
        }
        reply(stream, "200 OK", "", b"");
    });
    let calls = Calls::new(CallsConfig { threads: 4, threads_per_plugin: 3, queued: 100 });
    let (greedy, modest) = (live("greedy", &server), live("modest", &server));
    let queue = CompletionQueue::new();
    for _ in 0..10 {
        calls.start(&greedy, HttpRequest::get(server.url("/hold")), &queue);
    }
    for _ in 0..3 {
        assert!(entering.recv_timeout(Duration::from_secs(10)).unwrap().contains("/hold"));
    }
    let small = calls.start(&modest, HttpRequest::get(server.url("/small")), &queue);
    let first = queue.wait(Instant::now() + Duration::from_secs(10));
    assert_eq!(first.iter().map(|one| one.id).collect::<Vec<_>>(), [small], "it did not wait behind the others");
    settled(&calls, 3, 7);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert_eq!(all(&queue).len(), 10);
    settled(&calls, 0, 0);
}

/// An answer arrives a moment before its thread is free again.
fn settled(calls: &Calls, running: usize, queued: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while (calls.running(), calls.queued()) != (running, queued) {
        assert!(Instant::now() < deadline, "{} run and {} wait", calls.running(), calls.queued());
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!((calls.running(), calls.queued()), (running, queued), "it stays so");
}

#[test]
fn a_full_queue_refuses_and_calls_given_up_make_room() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = gate.clone();
    let server = TestServer::start(move |_, stream| {
        let mut open = held.0.lock().unwrap();
        while !*open {
            open = held.1.wait(open).unwrap();
        }
        drop(open);
        reply(stream, "200 OK", "", b"");
    });
    let calls = Calls::new(CallsConfig { threads: 1, threads_per_plugin: 1, queued: 2 });
    let plugin = live("p", &server);
    let (kept, given_up) = (CompletionQueue::new(), CompletionQueue::new());
    calls.start(&plugin, HttpRequest::get(server.url("/")), &kept);
    while calls.running() == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..2 {
        calls.start(&plugin, HttpRequest::get(server.url("/")), &given_up);
    }
    calls.start(&plugin, HttpRequest::get(server.url("/")), &kept);
    let full = kept.wait(Instant::now() + Duration::from_secs(10));
    assert_eq!(full.len(), 1);
    assert_eq!(status(&full[0]), Err(FailureKind::Network));
    drop(given_up);
    calls.start(&plugin, HttpRequest::get(server.url("/")), &kept);
    assert_eq!(calls.queued(), 1, "the two that were given up are gone");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert_eq!(all(&kept).iter().map(status).collect::<Vec<_>>(), [Ok(200), Ok(200)]);
    assert_eq!(server.asked().len(), 2, "calls given up while they waited are never sent");
}

#[test]
fn recorded_calls_play_back_without_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(|_, stream| {
        reply(stream, "200 OK", "Content-Type: application/json\r\n", br#"{"rate":1.08}"#);
    });
    let request = HttpRequest::get(server.url("/rates?base=EUR&api_key=k-1234"));
    let grant = [server.address.to_string()];
    let calls = Calls::new(CallsConfig::default());
    let mut bodies = Vec::new();
    for mode in [HttpMode::Record, HttpMode::Mock] {
        let queue = CompletionQueue::new();
        calls.start(&plugin("p", dir.path(), mode, &grant), request.clone(), &queue);
        let Outcome::Http(Ok(response)) = all(&queue).remove(0).outcome else { panic!("{mode:?} failed") };
        bodies.push((response.status, response.body));
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn ending_the_pool_answers_what_still_waits() {
    let server = TestServer::start(|_, _| thread::sleep(Duration::from_secs(1)));
    let calls = Calls::new(CallsConfig { threads: 1, threads_per_plugin: 1, queued: 10 });
    let plugin = live("p", &server);
    let (first, second) = (CompletionQueue::new(), CompletionQueue::new());
    calls.start(&plugin, HttpRequest::get(server.url("/")), &first);
    while calls.running() == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    calls.start(&plugin, HttpRequest::get(server.url("/")), &second);
    drop(calls);
    let done = second.wait(Instant::now() + Duration::from_secs(10));
    assert_eq!(done.iter().map(status).collect::<Vec<_>>(), [Err(FailureKind::Network)]);
}
