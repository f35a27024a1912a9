use super::*;

fn judge(policy: &EgressPolicy, url: &str) -> Result<(), EgressRefusal> {
    policy.check_url(&Url::parse(url).expect(url))
}

fn opening(nets: &[&str]) -> EgressPolicy {
    EgressPolicy { allow: nets.iter().map(|net| net.parse().expect("a network")).collect() }
}

/// Ways to write a host that is not on the public internet: plain, short, decimal, octal, hexadecimal, mixed, with
/// percent signs, full-width digits and dots, trailing dots, and every kind of bracket.
const HOSTS: [&str; 84] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "127.255.255.254",
    "2130706433",
    "2130706433.",
    "017700000001",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0x0.0.01",
    "00000177.0.0.1",
    "127.0.0.0x1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "\u{ff11}\u{ff12}\u{ff17}.\u{ff10}.\u{ff10}.\u{ff11}",
    "①②⑦.⓪.⓪.①",
    "⑫7.0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0",
    "10.0.0.1",
    "10.1",
    "167772161",
    "012.0.0.1",
    "0xa.0.0.1",
    "0xa000001",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.169.254.",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "2886729729",
    "192.168.0.1",
    "192.168.1",
    "3232235521",
    "0300.0250.0.1",
    "0xc0a80001",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::FFFF:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
];

#[test]
fn no_way_of_writing_such_a_host_gets_through() {
    let policy = EgressPolicy::default();
    for host in HOSTS {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{host}:8443/token");
            let refusal = judge(&policy, &url).expect_err(&url);
            assert!(matches!(refusal, EgressRefusal::Address { .. }), "{url}: {refusal}");
        }
    }
    for unreadable in
        ["https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://256.0.0.1/", "https://0x100000000/"]
    {
        assert!(Url::parse(unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn an_opened_range_opens_itself_and_nothing_else() {
    let policy = opening(&["127.0.0.0/8"]);
    for open in ["http://127.0.0.1:8080/", "https://127.0.0.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/"] {
        assert_eq!(judge(&policy, open), Ok(()), "{open}");
    }
    for shut in ["http://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://[::127.0.0.1]/"] {
        assert!(judge(&policy, shut).is_err(), "{shut}");
    }
}

#[test]
fn a_tunnel_is_opened_at_both_ends() {
    let tunnel = opening(&["64:ff9b::/96"]);
    assert_eq!(judge(&tunnel, "https://[64:ff9b::8.8.8.8]/"), Ok(()));
    assert!(judge(&tunnel, "https://[64:ff9b::10.0.0.1]/").is_err());
    assert_eq!(judge(&opening(&["64:ff9b::/96", "10.0.0.0/8"]), "https://[64:ff9b::10.0.0.1]/"), Ok(()));
}

#[test]
fn plain_http_goes_into_opened_ranges_only() {
    let shut = |policy: &EgressPolicy, url| {
        assert!(matches!(judge(policy, url), Err(EgressRefusal::PlainHttp { .. })), "{url}")
    };
    shut(&EgressPolicy::default(), "http://example.com/");
    shut(&EgressPolicy::default(), "http://localhost/");
    shut(&EgressPolicy::default(), "http://93.184.215.14/");
    shut(&opening(&["127.0.0.0/8"]), "http://example.com/");
    shut(&opening(&["127.0.0.0/8"]), "http://93.184.215.14/");
    shut(&opening(&["10.0.0.0/8"]), "http://localhost/");
    shut(&opening(&["127.0.0.0/8"]), "http://localhost.example.com/");
    for open in ["http://localhost:9000/", "http://localhost./", "http://sandbox.localhost/"] {
        assert_eq!(judge(&opening(&["127.0.0.0/8"]), open), Ok(()), "{open}");
        assert_eq!(judge(&opening(&["::1/128"]), open), Ok(()), "{open}");
    }
    assert_eq!(judge(&opening(&["93.184.215.0/24"]), "http://93.184.215.14/"), Ok(()));
}

#[test]
fn other_schemes_and_user_information_are_refused() {
    let policy = opening(&["0.0.0.0/0"]);
    for url in
        ["ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "gopher://example.com/"]
    {
        assert!(matches!(judge(&policy, url), Err(EgressRefusal::Scheme { .. })), "{url}");
    }
    for url in ["https://user@example.com/", "https://user:pass@example.com/", "https://:pass@example.com/"] {
        assert_eq!(judge(&policy, url), Err(EgressRefusal::UserInfo), "{url}");
    }
    assert_eq!(judge(&EgressPolicy::default(), "https://example.com:8443/token"), Ok(()));
}
