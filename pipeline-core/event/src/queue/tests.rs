use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;

/// What is published of queue `q` while `run` runs, asked for by its second argument.
fn published(run: impl FnOnce(&dyn Fn(&str) -> String)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let value = |name: &str| -> String {
        let text = handle.render();
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{queue=\"q\"}} ")));
        let line = line.unwrap_or_else(|| panic!("{name} in\n{text}"));
        line.rsplit(' ').next().expect("a value").to_owned()
    };
    metrics::with_local_recorder(&recorder, || run(&value));
}

#[test]
fn what_waits_is_counted_until_it_is_taken() {
    published(|value| {
        let (sender, receiver) = bounded::<u8>("q", 2);
        assert_eq!((value("weir_queue_capacity"), value("weir_queue_depth")), ("2".into(), "0".into()));
        sender.send(1).expect("a place");
        sender.send(2).expect("a place");
        assert_eq!(value("weir_queue_depth"), "2");
        assert!(matches!(sender.try_send(3), Err(TrySendError::Full(3))));
        assert_eq!(value("weir_queue_depth"), "2", "what was not taken does not wait");
        assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Ok(2)));
        assert_eq!((value("weir_queue_depth"), value("weir_queue_wait_seconds_count")), ("0".into(), "3".into()));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn who_waits_for_a_place_is_counted_too() {
    published(|value| {
        let (sender, receiver) = bounded::<u8>("q", 1);
        sender.send(1).expect("a place");
        std::thread::scope(|scope| {
            let second = sender.clone();
            scope.spawn(move || second.send(2).expect("a place, later"));
            while value("weir_queue_depth") != "2" {
                std::thread::yield_now();
            }
            assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
        });
        assert_eq!(value("weir_queue_depth"), "0");
    });
}

#[test]
fn nothing_waits_in_a_queue_that_nobody_takes_from() {
    published(|value| {
        let (sender, receiver) = bounded::<u8>("q", 4);
        sender.send(1).expect("a place");
        sender.send(2).expect("a place");
        drop(receiver);
        assert!(matches!(sender.send(3), Err(SendError(3))));
        drop(sender);
        assert_eq!(value("weir_queue_depth"), "0");
    });
}

#[test]
fn how_long_something_waited_is_recorded() {
    published(|value| {
        let numbers = QueueNumbers::unlimited("q");
        let place = numbers.enter();
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        drop(place);
        let waited: f64 = value("weir_queue_wait_seconds_sum").parse().expect("a number");
        assert!(waited >= 0.005, "{waited}");
    });
}
