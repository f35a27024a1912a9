use super::*;

fn manifest() -> Manifest {
    let text = "
id: acme
name: Acme
auth:
  type: oauth2
  grant: client_credentials
  token_url: https://{shop}.{region}.acme.example/{tenant}/token
variables:
  shop: {type: host_label, title: Shop}
  region: {type: enum, title: Region, values: [eu, us], default: eu}
  tenant: {type: path_segment, title: Tenant}
";
    crate::parse(text).expect("a manifest")
}

fn given(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn defaults_are_filled_in_and_what_was_given_wins() {
    let resolved = resolve_values(&manifest(), &given(&[("shop", "s"), ("tenant", "t")])).expect("values");
    assert_eq!(resolved, given(&[("region", "eu"), ("shop", "s"), ("tenant", "t")]));
    let resolved = resolve_values(&manifest(), &given(&[("shop", "s"), ("tenant", "t"), ("region", "us")]));
    assert_eq!(resolved.expect("values")["region"], "us");
}

#[test]
fn all_faults_come_at_once_with_the_way_out_and_without_the_value() {
    let faults = resolve_values(&manifest(), &given(&[("shop", "evil.com/"), ("region", "mars"), ("colour", "red")]));
    let told: Vec<_> = faults.expect_err("faults").iter().map(ToString::to_string).collect();
    let expected = [
        "colour: the connector has no such variable: leave it out",
        "region: use one of eu, us",
        "shop: use 1 to 63 letters, digits and inner hyphens: one part of a host name, without dots",
        "tenant: fill this in: use 1 to 128 letters, digits and - . _ ~, and not just dots",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_empty_value_is_no_value_to_fall_back_from() {
    assert!(resolve_values(&manifest(), &given(&[("shop", "s"), ("tenant", "t"), ("region", "")])).is_err());
}
