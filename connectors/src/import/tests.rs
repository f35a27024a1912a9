use super::*;
use crate::{Manifest, VariableKind, lint, parse};

mod modes;

const LIST: &str = include_str!("tests/providers.yaml");

fn entries() -> Vec<Imported> {
    from_nango(LIST).unwrap_or_else(|error| panic!("{error}"))
}

fn entry(name: &str) -> Imported {
    entries().into_iter().find(|entry| entry.name == name).expect("an entry")
}

fn manifest(name: &str) -> Manifest {
    let entry = entry(name);
    let (_, text) = entry.manifest.unwrap_or_else(|| panic!("{name}: {:#?}", entry.lost));
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}\n{text}"))
}

fn lost(name: &str) -> Vec<String> {
    entry(name).lost.into_iter().map(|loss| loss.member).collect()
}

#[test]
fn every_manifest_that_comes_out_lints_without_a_word() {
    let written: Vec<_> = entries().into_iter().filter_map(|entry| entry.manifest).collect();
    assert_eq!(written.len(), 10, "{written:#?}");
    for (id, text) in written {
        assert_eq!(lint(&text), [], "{id}:\n{text}");
    }
}

#[test]
fn a_plain_entry_loses_nothing() {
    assert_eq!(lost("plain"), Vec::<String>::new());
    let (id, text) = entry("plain").manifest.expect("a manifest");
    assert_eq!(id, "plain");
    insta::assert_snapshot!(text);
}

#[test]
fn an_alias_is_the_other_entry_with_its_own_members_over_it() {
    let beta = manifest("plain-beta");
    assert_eq!(beta.name, "Plain (beta)");
    let auth = beta.oauth2().expect("OAuth 2");
    assert_eq!(auth.token_url, "https://beta.plain.example/oauth/token");
    assert_eq!(auth.authorization_url.as_deref(), Some("https://plain.example/oauth/authorize"));
}

#[test]
fn quirks_that_can_be_said_are_said_and_the_others_are_listed() {
    let (_, text) = entry("quirky").manifest.expect("a manifest");
    insta::assert_snapshot!(text);
    let expected = ["token_params.salt", "proxy.headers.quirky-version", "post_connection_script"];
    assert_eq!(lost("quirky"), expected);
}

#[test]
fn a_second_choice_is_a_default_where_it_has_the_form_of_the_first() {
    let region = manifest("region");
    assert_eq!(region.variables["tld"].default.as_deref(), Some("com"));
    // Whose host it is, the app says.
    assert!(region.only_the_app_fills("host"));
    assert_eq!(lost("region"), Vec::<String>::new());
}

#[test]
fn a_host_of_their_own_is_one_and_a_known_end_is_kept() {
    assert_eq!(manifest("own-host").variables["hostname"].kind, VariableKind::Host);
    let fixed = manifest("fixed-end");
    assert_eq!(fixed.variables["hostname"].suffix.as_deref(), Some("my.fixed.example"));
}

#[test]
fn a_client_of_each_customer_becomes_one_of_the_app() {
    let machine = manifest("machine");
    let auth = machine.oauth2().expect("OAuth 2");
    assert_eq!(auth.token_params.get("audience").map(String::as_str), Some("https://api.machine.example"));
    assert_eq!(lost("machine"), ["credentials"]);
    assert!(manifest("certificate").oauth2().expect("OAuth 2").client_certificate);
}

#[test]
fn pasted_credentials_are_carried_and_tried_out_as_there() {
    let (_, text) = entry("keyed").manifest.expect("a manifest");
    insta::assert_snapshot!(text);
    let (_, text) = entry("user").manifest.expect("a manifest");
    insta::assert_snapshot!(text);
}

#[test]
fn what_there_is_no_mode_for_is_said_with_its_line() {
    let installed = entry("installed");
    assert_eq!(installed.manifest, None);
    assert_eq!(installed.lost[0].member, "auth_mode");
    assert!(installed.lost[0].why.starts_with("no mode does what `INSTALL_PLUGIN` does: "), "{:?}", installed.lost);
    assert_eq!(LIST.lines().nth(installed.line as usize - 1), Some("installed:"));
}

#[test]
fn what_is_no_list_is_refused_with_its_place() {
    for (text, line) in [("", 1), ("- a", 1), ("a: 1", 1), ("a:\n  b: [", 2), ("a: {b: 1}\nc: x", 2)] {
        let error = from_nango(text).expect_err(text);
        assert!(error.line >= line, "{text}: {error}");
    }
    let circle = from_nango("a: {alias: b}\nb: {alias: a}\nc: {alias: nobody}").expect("a list");
    let why: Vec<_> = circle.iter().map(|entry| entry.lost[0].why.as_str()).collect();
    assert_eq!(why, ["aliases go round in a circle", "aliases go round in a circle", "the list has no `nobody`"]);
}
