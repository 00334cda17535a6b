use super::*;

fn located(geoip: &GeoIp, ip: &str) -> Value {
    serde_json::from_str(&geoip.locate(ip).unwrap_or_else(|| panic!("{ip} is not there"))).unwrap()
}

#[test]
fn a_record_is_shaped_as_plugins_know_it() {
    let record = located(&GeoIp::open(None).unwrap(), "89.160.20.129");
    assert_eq!(record["city"]["names"]["en"], "Linköping");
    assert_eq!(record["country"]["isoCode"], "SE");
    assert_eq!(record["country"]["isInEuropeanUnion"], true);
    assert_eq!(record["continent"]["code"], "EU");
    assert_eq!(record["location"]["latitude"], 58.4167);
    assert_eq!(record["location"]["longitude"], 15.6167);
    assert_eq!(record["location"]["timeZone"], "Europe/Stockholm");
    assert_eq!(record["subdivisions"][0]["isoCode"], "E");
    assert_eq!(record["subdivisions"][0]["names"]["en"], "Östergötland County");
    assert_eq!(record["postal"], serde_json::json!({}));
    assert_eq!(record["registeredCountry"]["isInEuropeanUnion"], true);
    assert_eq!(record["traits"]["ipAddress"], "89.160.20.129");
    assert_eq!(record["traits"]["network"], "89.160.20.128/25");
    assert_eq!(record["traits"]["isTorExitNode"], false);
}

#[test]
fn names_come_by_language_and_places_by_network() {
    let geoip = GeoIp::open(None).unwrap();
    assert_eq!(located(&geoip, "192.0.2.50")["country"]["names"]["pt-BR"], "Brasil");
    assert_eq!(located(&geoip, "2001:db8:81::9")["city"]["names"]["de"], "Tokio");
    assert_eq!(located(&geoip, " ::ffff:198.51.100.7 ")["city"]["names"]["fr"], "Londres");
    assert_eq!(located(&geoip, "13.106.122.3")["country"]["isoCode"], "AU");
    let two = located(&geoip, "2.125.160.217");
    assert_eq!(two["subdivisions"][1]["isoCode"], "WBK");
    assert_eq!(two["registeredCountry"]["isoCode"], "FR");
    let country_only = located(&geoip, "192.0.2.200");
    assert_eq!(country_only["city"], serde_json::json!({}));
    assert_eq!(country_only["subdivisions"], serde_json::json!([]));
}

#[test]
fn what_is_not_there_is_none() {
    let geoip = GeoIp::open(None).unwrap();
    for ip in ["192.0.2.240", "127.0.0.1", "8.8.8.8", "::1", "2001:db8:ffff::1", "", "localhost", "1.2.3", "1.2.3.4:80"]
    {
        assert_eq!(geoip.locate(ip), None, "{ip}");
    }
}

#[test]
fn the_embedded_places_say_what_they_are() {
    let identity = GeoIp::open(None).unwrap().identity();
    assert_eq!((identity.path, identity.kind.as_str()), (None, "Weir-Places-City"));
    assert_eq!(identity.built_s, 1_767_225_600);
    assert_eq!(identity.hash.len(), 16);
}

#[test]
fn a_bad_file_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    let missing = GeoIp::open(Some(&path)).unwrap_err();
    assert_eq!(missing.code(), "geoip_unreadable");
    assert!(missing.to_string().contains("places.mmdb"), "{missing}");
    fs::write(&path, &EMBEDDED[..EMBEDDED.len() / 2]).unwrap();
    assert_eq!(GeoIp::open(Some(&path)).unwrap_err().code(), "geoip_invalid");
    let mut asn = EMBEDDED.to_vec();
    let kind = b"Weir-Places-City";
    let at = asn.windows(kind.len()).position(|window| window == kind).unwrap();
    asn[at..at + kind.len()].copy_from_slice(b"Weir-Places-ASNs");
    fs::write(&path, asn).unwrap();
    let error = GeoIp::open(Some(&path)).unwrap_err();
    assert_eq!(error.code(), "geoip_not_cities");
    assert!(error.to_string().contains("Weir-Places-ASNs"), "{error}");
    assert!(error.hint().contains("City"));
}

#[test]
fn a_changed_file_is_taken_up_and_a_bad_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("places.mmdb");
    let replace = |bytes: &[u8]| {
        let partial = dir.path().join("partial");
        fs::write(&partial, bytes).unwrap();
        fs::rename(partial, &path).unwrap();
    };
    replace(EMBEDDED);
    let geoip = GeoIp::open(Some(&path)).unwrap();
    let first = geoip.identity();
    assert!(!geoip.refresh().unwrap());

    replace(b"not a database");
    assert_eq!(geoip.refresh().unwrap_err().code(), "geoip_invalid");
    assert!(!geoip.refresh().unwrap(), "said once");
    assert!(geoip.locate("89.160.20.129").is_some(), "the old one goes on");
    assert_eq!(geoip.identity(), first);

    fs::remove_file(&path).unwrap();
    assert_eq!(geoip.refresh().unwrap_err().code(), "geoip_unreadable");
    assert!(!geoip.refresh().unwrap(), "said once");

    let mut other = EMBEDDED.to_vec();
    let name = "Linköping".as_bytes();
    let at = other.windows(name.len()).position(|window| window == name).unwrap();
    other[at] = b'M';
    replace(&other);
    assert!(geoip.refresh().unwrap());
    assert_eq!(located(&geoip, "89.160.20.129")["city"]["names"]["en"], "Minköping");
    assert_ne!(geoip.identity().hash, first.hash);
}
