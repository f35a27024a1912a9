//! URLs of the list: the first of their alternatives whose host has a fixed end, else the first that says where it goes.

use super::Loss;
use super::fields::{Fields, Position, Reading};
use super::template::{alternatives, converted};
use crate::template::is_host_end;

/// The URL that `member` holds, in this language. Alternatives that are left out are lost.
pub(super) fn url(member: &str, text: &str, fields: &mut Fields, lost: &mut Vec<Loss>) -> Result<String, Loss> {
    let before = fields.read(Reading::Endpoint);
    let done = first_of(member, text, fields, lost);
    fields.read(before);
    done
}

/// The base of an API, which may be made of what the provider tells.
pub(super) fn told_base(member: &str, text: &str, fields: &mut Fields, lost: &mut Vec<Loss>) -> Result<String, Loss> {
    let before = fields.read(Reading::Base);
    let done = first_of(member, text, fields, lost);
    fields.read(before);
    done
}

fn first_of(member: &str, text: &str, fields: &mut Fields, lost: &mut Vec<Loss>) -> Result<String, Loss> {
    let (mut first_fault, choices) = (None, alternatives(text));
    for any_host in [false, true] {
        for (index, choice) in choices.iter().enumerate() {
            match placed(choice, any_host, fields) {
                Ok(Placed { url, places, odd }) => {
                    for (name, position) in places {
                        fields.stands(&name, position);
                    }
                    lost.extend(odd.map(|why| Loss::new(member, why)));
                    others(member, choice, &choices, index, fields, lost);
                    return Ok(url);
                }
                Err(fault) => first_fault = Some(fault).filter(|_| any_host).or(first_fault),
            }
        }
    }
    Err(Loss::new(member, first_fault.unwrap_or_default()))
}

/// A parameter's or a header's value, in this language: the first alternative that can be said.
pub(super) fn value(member: &str, text: &str, fields: &mut Fields, lost: &mut Vec<Loss>) -> Result<String, Loss> {
    let (mut fault, choices) = (None, alternatives(text));
    for (index, choice) in choices.iter().enumerate() {
        match converted(choice, fields) {
            Ok((value, names)) => {
                for name in names {
                    fields.stands(&name, Position::Text);
                }
                others(member, choice, &choices, index, fields, lost);
                return Ok(value);
            }
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    Err(Loss::new(member, fault.unwrap_or_default()))
}

/// The same for a text in which `||` stands for itself.
pub(super) fn whole(member: &str, text: &str, fields: &mut Fields) -> Result<String, Loss> {
    let (value, names) = converted(text, fields).map_err(|why| Loss::new(member, why))?;
    for name in names {
        fields.stands(&name, Position::Text);
    }
    Ok(value)
}

/// A later alternative without inputs says what stands for the one input of the chosen one, if it has its form.
fn others(member: &str, chosen: &str, all: &[&str], index: usize, fields: &mut Fields, lost: &mut Vec<Loss>) {
    for other in all.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| *other) {
        match default_in(chosen, other) {
            Some((theirs, default)) => fields.default(&super::template::ours(theirs), default),
            None => lost.push(Loss::new(member, format!("there is one choice, so not `{other}`"))),
        }
    }
}

fn default_in<'a>(chosen: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = chosen.split_once("${connectionConfig.")?;
    let (theirs, behind) = rest.split_once('}')?;
    let single = !behind.contains("${") && !other.contains("${");
    let default = other.strip_prefix(before)?.strip_suffix(behind)?;
    (single && !default.is_empty()).then_some((theirs, default))
}

/// A URL with the places of its names.
struct Placed {
    url: String,
    places: Vec<(String, Position)>,
    /// What is asked for otherwise than there.
    odd: Option<String>,
}

/// The URL with the places of its names; why it cannot be called safely otherwise. `any_host`: whoever fills it in may choose
/// the whole host.
fn placed(text: &str, any_host: bool, fields: &mut Fields) -> Result<Placed, String> {
    let (url, names) = converted(text, fields)?;
    if let Some(name) = leading(&url).filter(|name| !url.contains("://") && fields.is_told(name)) {
        fields.describe(name, "url");
        return path_only(&url, &names, name, fields);
    }
    let mut odd = None;
    let url = match (leading(&url), any_host) {
        _ if url.contains("://") => url,
        (Some(name), true) => {
            odd = Some(format!("`{name}` is a host name here, not a whole URL"));
            format!("https://{url}")
        }
        _ => return Err("the whole URL is an input, which would let it be any".to_owned()),
    };
    let (scheme, rest) = url.split_once("://").ok_or("it is no URL")?;
    if scheme != "https" {
        return Err("it is not https".to_owned());
    }
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let in_host: Vec<_> = names.iter().filter(|name| authority.contains(&format!("{{{name}}}"))).cloned().collect();
    let fault = in_host.iter().find_map(|name| misplaced(name, authority, any_host, fields));
    let (authority, in_host) = match fault {
        None => (authority.to_owned(), in_host),
        Some(why) if !any_host || in_host.iter().any(|name| fields.is_told(name)) => return Err(why),
        Some(_) => {
            odd = Some(format!("the whole host is asked for, not the inputs of `{authority}`"));
            (format!("{{{}}}", fields.whole_host(authority, &in_host)), Vec::new())
        }
    };
    let mut places = Vec::new();
    for name in &in_host {
        let position = position(name, &authority, fields);
        match (fields.is_told(name), position) {
            (true, Position::OwnHost) => fields.describe(name, "host"),
            (true, _) => fields.describe(name, "host_label"),
            (false, position) => places.push((name.clone(), position)),
        }
    }
    for name in names.iter().filter(|name| behind.contains(&format!("{{{name}}}"))) {
        if fields.is_told(name) {
            fields.describe(name, "path_segment");
        } else {
            places.push((name.clone(), Position::Path));
        }
    }
    Ok(Placed { url: format!("https://{authority}{behind}"), places, odd })
}

/// A URL that is told, with a path behind it.
fn path_only(url: &str, names: &[String], first: &str, fields: &Fields) -> Result<Placed, String> {
    let mut places = Vec::new();
    for name in names.iter().filter(|name| *name != first) {
        if fields.is_told(name) {
            fields.describe(name, "path_segment");
        } else {
            places.push((name.clone(), Position::Path));
        }
    }
    Ok(Placed { url: url.to_owned(), places, odd: None })
}

/// The name that a template begins with.
fn leading(template: &str) -> Option<&str> {
    Some(template.strip_prefix('{')?.split_once('}')?.0)
}

/// Why an input may not stand where it does in a host.
fn misplaced(name: &str, authority: &str, any_host: bool, fields: &Fields) -> Option<String> {
    let (before, behind) = authority.split_once(&format!("{{{name}}}"))?;
    let (host, port) = behind.split_once(':').map_or((behind, None), |(host, port)| (host, Some(port)));
    let values = fields.values(name);
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some("a host with inputs has no port of its own here".to_owned());
    }
    if !values.is_empty() {
        let good = values
            .iter()
            .all(|value| is_host_end(value) && (!before.is_empty() || !host.is_empty() || value.contains('.')));
        return (!good).then(|| "not every value to choose from can stand in a host".to_owned());
    }
    match (before.is_empty(), host) {
        (true, "") if fields.is_told(name) || any_host || fields.suffix(name).is_some() => None,
        (true, "") => Some(format!("customers fill in the whole host (`{name}`), which would let it be any")),
        (false, "") => Some(format!("customers fill in the end of the host (`{name}`), which would let it be any")),
        (_, host) if host.split_once('.').is_some_and(|(_, end)| end.contains('.') && !end.starts_with('.')) => None,
        (_, host) if host.contains('{') => None,
        (_, _) => Some(format!("behind `{name}` there is no fixed end of the host")),
    }
}

fn position(name: &str, authority: &str, fields: &Fields) -> Position {
    let alone = authority.split(':').next() == Some(&format!("{{{name}}}"));
    match alone {
        false => Position::Host,
        true if fields.suffix(name).is_some() || !fields.values(name).is_empty() => Position::WholeHost,
        true => Position::OwnHost,
    }
}
