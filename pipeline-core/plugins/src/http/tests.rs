use super::*;

fn plugin(dir: &Path, settings: &HttpSettings) -> Result<PluginHttp, HttpSetupError> {
    let limits = HttpLimits { total: Duration::from_millis(50), ..HttpLimits::default() };
    PluginHttp::new("p", dir, settings, limits, Secrets::new(["hush-hush"]), Arc::new(SystemResolver))
}

fn answered(plugin: &PluginHttp, url: &str) -> Mocked {
    let Begun::Answered(mocked) = plugin.begin(&HttpRequest::get(url)) else { panic!("{url} goes out") };
    mocked
}

fn with_mock(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(mock::MOCKS_DIR)).unwrap();
    std::fs::write(dir.path().join("mocks/m.json"), text).unwrap();
    dir
}

#[test]
fn a_plugin_without_settings_cannot_send() {
    let settings: HttpSettings = serde_json::from_str("{}").unwrap();
    assert_eq!(settings.mode, HttpMode::Mock);
    let dir = tempfile::tempdir().unwrap();
    let plugin = plugin(dir.path(), &settings).unwrap();
    let failure = answered(&plugin, "http://a.example/").answer.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoMock);
    let sent = plugin.exchange(&HttpRequest::get("http://127.0.0.1/"), &AtomicBool::new(false)).unwrap_err();
    assert_eq!(sent.kind, FailureKind::Refused);
}

#[test]
fn a_request_that_may_not_be_sent_fails_alike_in_every_mode() {
    let dir = with_mock(r#"{ "request": { "url": "*" }, "response": {} }"#);
    for mode in [HttpMode::Mock, HttpMode::Record, HttpMode::Live] {
        let plugin = plugin(dir.path(), &HttpSettings { mode, ..HttpSettings::default() }).unwrap();
        let failure = answered(&plugin, "ftp://hush-hush.example/").answer.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{mode:?}");
        let odd = answered(&plugin, "http://user:hush-hush@a.example/").answer.unwrap_err();
        assert!(!odd.to_string().contains("hush"), "{odd}");
    }
}

#[test]
fn a_mock_slower_than_the_limit_times_out_at_the_limit() {
    let dir = with_mock(r#"{ "request": { "url": "*" }, "response": {}, "delay_ms": 60000 }"#);
    let mocked = answered(&plugin(dir.path(), &HttpSettings::default()).unwrap(), "http://a.example/");
    assert_eq!(mocked.after, Duration::from_millis(50));
    assert_eq!(mocked.answer.unwrap_err().kind, FailureKind::Timeout);
}

#[test]
fn mocks_loaded_anew_take_over() {
    let dir = with_mock(r#"{ "request": { "url": "*" }, "response": { "status": 201 } }"#);
    let plugin = plugin(dir.path(), &HttpSettings::default()).unwrap();
    assert_eq!(answered(&plugin, "http://a.example/").answer.unwrap().status, 201);
    std::fs::write(dir.path().join("mocks/m.json"), r#"{ "request": { "url": "*" }, "response": { "status": 202 } }"#)
        .unwrap();
    plugin.set_mocks(Mocks::load(dir.path()).unwrap());
    assert_eq!(answered(&plugin, "http://a.example/").answer.unwrap().status, 202);
}

#[test]
fn what_is_set_wrong_is_said_before_the_first_call() {
    let bad_mock = with_mock("{");
    let good = tempfile::tempdir().unwrap();
    let set = |allow: &str, grant: &str| HttpSettings {
        mode: HttpMode::Live,
        allow: vec![allow.into()],
        grant: vec![grant.into()],
    };
    for (dir, settings, code) in [
        (bad_mock.path(), set("*", "10.0.0.0/8"), "http_mock_file"),
        (good.path(), set("https://a.example", "10.0.0.0/8"), "http_allow_list"),
        (good.path(), set("*", "localhost"), "http_grant"),
    ] {
        let error = plugin(dir, &settings).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.hint().is_empty());
    }
    assert!(serde_json::from_str::<HttpSettings>(r#"{"modus":"live"}"#).is_err());
}
