//! One request of a login: what may stand where, by how it is written.

use crate::diagnostic::Code;
use crate::manifest::{LoginBody, LoginStep, TokenMethod};
use crate::template::parts;
use crate::validate::extras::{LONGEST_VALUE, header, is_param_name};
use crate::validate::{Findings, escape};
use crate::{Manifest, Nested};
use std::collections::BTreeSet;
use url::form_urlencoded;

const MOST: usize = 50;
const LONGEST_XML: usize = 8 * 1024;

/// `known` is what there is to fill in when it is sent; what it names is added to `used`.
pub(super) fn check<'a>(
    manifest: &Manifest,
    base: &str,
    step: &'a LoginStep,
    known: &BTreeSet<&'a str>,
    used: &mut BTreeSet<&'a str>,
    found: &mut Findings,
) {
    let mut seen = BTreeSet::new();
    let authorization = step.basic.is_none().then_some("authorization");
    for (name, value) in &step.headers {
        let path = format!("{base}/headers/{}", escape(name));
        header(&path, name, value, authorization, &mut seen, found);
        names(manifest, &path, value, known, used, found);
    }
    if let Some(basic) = &step.basic {
        if basic.username.contains(':') {
            let message = "a user name holds no colon (RFC 7617 section 2)";
            found.add(Code::BadTemplate, format!("{base}/basic/username"), message);
        }
        if basic.scheme.as_deref().is_some_and(|word| word == "Basic" || !is_scheme(word)) {
            let message = "give the provider's own word for `Basic`, 1 to 40 letters and digits, or leave it out";
            found.add(Code::BadParameter, format!("{base}/basic/scheme"), message);
        }
        for (member, text) in [("username", &basic.username), ("password", &basic.password)] {
            names(manifest, &format!("{base}/basic/{member}"), text, known, used, found);
        }
    }
    body(base, step, found);
    for (name, value) in &step.params {
        let path = format!("{base}/params/{}", escape(name));
        if value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
            let message = format!("a value is at most {LONGEST_VALUE} bytes, without control characters");
            found.add(Code::BadParameter, path.as_str(), message);
        }
        names(manifest, &path, value, known, used, found);
    }
    if let Some(xml) = &step.xml {
        names(manifest, &format!("{base}/xml"), xml, known, used, found);
    }
    for (list, size) in [("headers", step.headers.len()), ("params", step.params.len()), ("take", step.take.len())] {
        if size > MOST {
            found.add(Code::TooMany, format!("{base}/{list}"), format!("{size} entries: use at most {MOST}"));
        }
    }
}

fn is_scheme(word: &str) -> bool {
    (1..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// How it is written, and what that leaves no place for.
fn body(base: &str, step: &LoginStep, found: &mut Findings) {
    let get = step.method == TokenMethod::Get;
    if get && step.body != LoginBody::Form {
        let message = "a GET carries everything in the query: remove `body`";
        found.add(Code::IgnoredMember, format!("{base}/body"), message).at_name().about(format!("{base}/method"));
    }
    let written = if get { LoginBody::Query } else { step.body };
    let misplaced = [
        ("params", !step.params.is_empty() && written == LoginBody::Xml, "an XML body stands in `xml` as a whole"),
        ("literals", !step.literals.is_empty() && written != LoginBody::Json, "only JSON has values that are no texts"),
        ("xml", step.xml.is_some() && written != LoginBody::Xml, "only `body: xml` sends this"),
    ];
    for (member, given, why) in misplaced {
        if given {
            let path = format!("{base}/{member}");
            found.add(Code::IgnoredMember, path, format!("{why}: remove it")).at_name().about(format!("{base}/body"));
        }
    }
    match written {
        LoginBody::Form | LoginBody::Query => plain(base, step, written, found),
        LoginBody::Json => json(base, step, found),
        LoginBody::Xml if step.xml.is_none() => {
            let message = "an XML body is written out here: add it";
            found.add(Code::MissingMember, format!("{base}/xml"), message).about(format!("{base}/body"));
        }
        LoginBody::Xml => {}
    }
    if step.xml.as_ref().is_some_and(|xml| xml.is_empty() || xml.len() > LONGEST_XML) {
        let message = format!("an XML body is 1 to {LONGEST_XML} bytes");
        found.add(Code::BadText, format!("{base}/xml"), message);
    }
}

fn plain(base: &str, step: &LoginStep, written: LoginBody, found: &mut Findings) {
    let query = step.url.split_once('?').map_or("", |(_, query)| query);
    let in_url: BTreeSet<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    for name in step.params.keys() {
        let path = format!("{base}/params/{}", escape(name));
        if !is_param_name(name) {
            let message = "a parameter's name is 1 to 100 letters, digits and - _ . ~ : [ ]";
            found.add(Code::BadParameter, path, message).at_name();
        } else if written == LoginBody::Query && in_url.contains(name) {
            let message = format!("`{name}` stands in the URL too, and no parameter may be sent twice: keep one");
            found.add(Code::BadParameter, path, message).at_name();
        }
    }
}

fn json(base: &str, step: &LoginStep, found: &mut Findings) {
    let members = |list, names: Vec<&'_ String>| -> Vec<(&'static str, String)> {
        names.into_iter().map(|name| (list, name.clone())).collect()
    };
    let mut all = members("params", step.params.keys().collect());
    all.extend(members("literals", step.literals.keys().collect()));
    let mut written = Nested::default();
    for (list, name) in all {
        if let Err(fault) = written.put(&name, ()) {
            found.add(Code::BadParameter, format!("{base}/{list}/{}", escape(&name)), fault).at_name();
        }
    }
    for (name, text) in &step.literals {
        if text.len() > LONGEST_VALUE || serde_json::from_str::<serde_json::Value>(text).is_err() {
            let message = "give the value as JSON, such as \"false\" or \"[]\"; texts stand in `params`";
            found.add(Code::BadParameter, format!("{base}/literals/{}", escape(name)), message);
        }
    }
}

/// Every name in a template stands for something that is known.
pub(super) fn names<'a>(
    manifest: &Manifest,
    path: &str,
    template: &'a str,
    known: &BTreeSet<&'a str>,
    used: &mut BTreeSet<&'a str>,
    found: &mut Findings,
) {
    let parts = match parts(template) {
        Ok(parts) => parts,
        Err(error) => {
            found.add(Code::BadTemplate, path, format!("{error}: credentials look like {{password}}"));
            // Who knows what it was meant to name.
            used.extend(known);
            return;
        }
    };
    for name in parts.names {
        used.insert(name);
        if !known.contains(name) && !manifest.variables.contains_key(name) {
            let all: Vec<_> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
            let message = format!("`{{{name}}}` is not known here: use {} or a variable", all.join(", "));
            found.add(Code::UnknownVariable, path, message).about("/auth").about("/variables");
        }
    }
}
