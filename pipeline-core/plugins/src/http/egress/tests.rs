use std::collections::HashMap;

use super::*;

#[derive(Debug, Default)]
struct Names(HashMap<&'static str, Vec<&'static str>>);

impl Resolve for Names {
    fn resolve(&self, name: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        let found = self.0.get(name.trim_end_matches('.')).ok_or(io::ErrorKind::NotFound)?;
        Ok(found.iter().map(|ip| ip.parse().unwrap()).collect())
    }
}

fn egress(allowed: &[&str], grants: &[&str], names: &[(&'static str, &[&'static str])]) -> Egress {
    let names = names.iter().map(|(name, ips)| (*name, ips.to_vec())).collect();
    let allowed = AllowList::parse(allowed.iter().copied()).unwrap();
    Egress::new(allowed, grants.iter().copied(), Arc::new(Names(names))).unwrap()
}

fn ask(egress: &Egress, url: &str) -> Result<Vec<SocketAddr>, HttpFailure> {
    egress.addresses(&crate::http::target(url)?, Duration::from_secs(1))
}

const NAMES: &[(&str, &[&str])] = &[
    ("public.example", &["93.184.216.34", "2606:2800:220:1::1"]),
    ("localhost", &["127.0.0.1", "::1"]),
    ("x.localhost", &["127.0.0.1"]),
    ("loop.example", &["127.0.0.1"]),
    ("loop6.example", &["::1"]),
    ("mapped.example", &["::ffff:127.0.0.1"]),
    ("meta.example", &["169.254.169.254"]),
    ("lan.example", &["192.168.1.1"]),
    ("half.example", &["93.184.216.34", "10.0.0.7"]),
    ("half6.example", &["2606:2800:220:1::1", "fd00::7"]),
    ("nat64.example", &["64:ff9b::a00:1"]),
    ("zero.example", &["0.0.0.0"]),
    ("none.example", &[]),
];

#[test]
fn every_spelling_of_an_inside_address_is_refused() {
    let open = egress(&["*"], &[], NAMES);
    let spellings = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0177.0.0.0x1/",
        "http://127.0.0.1.:80/",
        "http://127.255.255.254/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://0x0/",
        "http://[::]/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:7f00:0001]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://[fd00:ec2::254]/",
        "http://10.0.0.1/",
        "http://012.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://3232235521/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://x.localhost/",
        "http://loop.example/",
        "http://loop6.example/",
        "http://mapped.example/",
        "http://meta.example/",
        "http://lan.example/",
        "http://half.example/",
        "http://half6.example/",
        "http://nat64.example/",
        "http://zero.example/",
    ];
    for url in spellings {
        let failure = ask(&open, url).expect_err(url);
        assert_eq!(failure.kind, FailureKind::Refused, "{url}: {failure}");
        assert!(failure.hint.contains("grant it"), "{url}: {}", failure.hint);
    }
}

#[test]
fn public_hosts_pass_with_all_their_addresses() {
    let open = egress(&["*"], &[], NAMES);
    assert_eq!(
        ask(&open, "https://public.example/").unwrap(),
        ["93.184.216.34:443".parse().unwrap(), "[2606:2800:220:1::1]:443".parse().unwrap()]
    );
    assert_eq!(ask(&open, "http://8.8.8.8:8080/").unwrap(), ["8.8.8.8:8080".parse().unwrap()]);
    assert!(ask(&open, "http://[2606:4700:4700::1111]/").is_ok());
}

#[test]
fn a_name_is_judged_before_it_is_looked_up() {
    let narrow = egress(&["*.example.com"], &[], &[]);
    let failure = ask(&narrow, "https://other.example/").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("other.example") && failure.message.contains("*.example.com"), "{failure}");
    assert!(failure.hint.contains("\"other.example\""), "{}", failure.hint);
    assert!(ask(&egress(&[], &[], &[]), "https://other.example/").unwrap_err().message.contains("empty"));
}

#[test]
fn grants_open_exactly_what_they_say() {
    for (grant, url, granted) in [
        ("127.0.0.1", "http://127.0.0.1:9/", true),
        ("127.0.0.1", "http://loop.example/", true),
        ("127.0.0.1", "http://mapped.example/", true),
        ("127.0.0.1", "http://127.0.0.2/", false),
        ("127.0.0.1", "http://localhost/", false),
        ("127.0.0.1:8080", "http://loop.example:8080/", true),
        ("127.0.0.1:8080", "http://loop.example/", false),
        ("[::1]:8080", "http://loop6.example:8080/", true),
        ("10.0.0.0/8", "http://half.example/", true),
        ("10.0.0.0/8:443", "http://half.example/", false),
        ("10.0.0.0/8:443", "https://half.example/", true),
        ("0.0.0.0/0", "http://lan.example/", true),
        ("0.0.0.0/0", "http://meta.example/", false),
        ("169.254.0.0/16", "http://meta.example/", false),
        ("169.254.169.254", "http://meta.example/", true),
        ("::/0", "http://loop6.example/", true),
        ("::/0", "http://[fd00:ec2::254]/", false),
    ] {
        assert_eq!(ask(&egress(&["*"], &[grant], NAMES), url).is_ok(), granted, "{grant} {url}");
    }
    let literal = egress(&[], &["127.0.0.1:8080"], NAMES);
    assert!(ask(&literal, "http://127.0.0.1:8080/").is_ok(), "a granted address needs no second entry");
    assert!(ask(&literal, "http://127.0.0.1:8081/").is_err());
    assert!(ask(&literal, "http://loop.example:8080/").is_err(), "a name does");
}

#[test]
fn a_grant_that_means_nothing_is_refused() {
    for grant in ["", "localhost", "localhost:80", "127.0.0.1:0", "10.0.0.0/33", "http://127.0.0.1", "*"] {
        let error = Egress::new(AllowList::default(), [grant], Arc::new(Names::default())).unwrap_err();
        assert_eq!(error.code(), "http_grant", "{grant}");
    }
}

#[test]
fn a_name_without_an_address_is_a_network_error() {
    let open = egress(&["*"], &[], NAMES);
    for url in ["http://none.example/", "http://missing.example/"] {
        assert_eq!(ask(&open, url).unwrap_err().kind, FailureKind::Network);
    }
}

#[test]
fn the_system_resolves_localhost() {
    let found = SystemResolver.resolve("localhost", Duration::from_secs(5)).unwrap();
    assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
}
