//! `mortise connectors test --reply`: how a sample of a provider's reply is read. Nothing is sent.

use super::{simulate, source};
use crate::cli::{Format, ReplyTo, Test};
use crate::commands::print;
use anyhow::{Context as _, bail};
use mortise_connectors::Manifest;
use mortise_domain::{Clock as _, SystemClock, TokenGrant};
use mortise_oauth::{Failure, FailureClass, Place, Provider, Reply, Sample, SampleOf, Told, read_sample};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A line of the report: what, and what it is.
type Line = (String, String);

pub(super) async fn run(options: &Test, file: &Path) -> anyhow::Result<()> {
    let [named] = options.manifests.as_slice() else { bail!("a reply is held against one manifest") };
    let manifest = source::manifest(named)?;
    let values = simulate::values(&manifest, &options.values)?;
    let now = SystemClock::new().now();
    let mut reply = Reply::new(options.status, None, source::read(file).context("--reply")?);
    // A real one has a date; lifetimes that are instants are counted from it.
    reply.date = Some(now);
    let provider = Provider { manifest: &manifest, values: &values };
    let sample = read_sample(&provider, of(options.reply_to), reply, now).await;
    match options.format {
        Format::Json => print::json(&for_programs(&manifest, &sample))?,
        Format::Text => for_people(&manifest, &sample, options.reply_to)?,
    }
    if sample.told.is_ok() { Ok(()) } else { bail!("the reply gives nothing") }
}

fn of(reply_to: ReplyTo) -> SampleOf {
    match reply_to {
        ReplyTo::Token => SampleOf::Token,
        ReplyTo::Refresh => SampleOf::Refresh,
        ReplyTo::Identity => SampleOf::Identity,
    }
}

fn for_people(manifest: &Manifest, sample: &Sample, reply_to: ReplyTo) -> anyhow::Result<()> {
    let id = &manifest.id;
    let lines = match &sample.told {
        Ok(Told::Grant(grant)) => {
            print::line(format!("{id}: a token"))?;
            grant_lines(grant, &sample.places)
        }
        Ok(Told::Account(fields)) => {
            print::line(format!("{id}: an account"))?;
            field_lines(fields)
        }
        Err(failure) => {
            print::line(format!("{id}: no token: {failure}"))?;
            failure_lines(failure, &sample.places, reply_to)
        }
    };
    for (what, told) in lines {
        print::line(format!("  {what:<15} {told}"))?;
    }
    if sample.places.is_empty() {
        return Ok(());
    }
    print::line("what stands in it, and what reads it:")?;
    let widest = sample.places.iter().map(|place| place.pointer.chars().count()).max().unwrap_or_default();
    for Place { pointer, kind, read_by } in &sample.places {
        let reader = read_by.as_deref().unwrap_or("nothing");
        print::line(format!("  {pointer:<widest$}  {:<28}  {reader}", kind.to_string()))?;
    }
    Ok(())
}

fn line(what: &str, told: impl Into<String>) -> Line {
    (what.to_owned(), told.into())
}

fn grant_lines(grant: &TokenGrant, places: &[Place]) -> Vec<Line> {
    let seconds = |life: std::time::Duration| format!("{} s", life.as_secs());
    let says = places.iter().any(|place| matches!(place.read_by.as_deref(), Some("expires_in" | "expires_at")));
    let lifetime = match grant.lifetime {
        Some(life) if says => seconds(life),
        Some(life) => {
            format!("{}, which the reply does not say: by the token itself or `default_lifetime`", seconds(life))
        }
        None => "not known: the token is used until the provider refuses it".to_owned(),
    };
    let scopes = grant.granted_scopes.as_ref().map_or("as asked for".to_owned(), |scopes| scopes.join(" "));
    let refresh = if grant.refresh_token.is_some() { "yes" } else { "none" };
    let mut lines =
        vec![line("token type", grant.token_type.as_str()), line("lifetime", lifetime), line("refresh token", refresh)];
    lines.extend(grant.refresh_lifetime.map(|life| line("  lives for", seconds(life))));
    lines.push(line("scopes", scopes));
    lines.extend(grant.further.iter().map(|(name, token)| {
        let life = token.lifetime.map_or("of unknown life".to_owned(), |life| format!("for {}", seconds(life)));
        let renewal = if token.refresh_token.is_some() { "with" } else { "without" };
        (format!("further.{name}"), format!("a token {life}, {renewal} a refresh token"))
    }));
    lines.extend(field_lines(&grant.extra));
    lines
}

/// What is handed out beside the token.
fn field_lines(fields: &BTreeMap<String, Value>) -> Vec<Line> {
    fields.iter().map(|(name, value)| (format!("extra.{name}"), value.to_string())).collect()
}

fn failure_lines(failure: &Failure, places: &[Place], reply_to: ReplyTo) -> Vec<Line> {
    let mut lines = Vec::new();
    if reply_to == ReplyTo::Refresh {
        lines.push(line("the connection", consequence(failure.class)));
    }
    let token_like = |place: &&Place| {
        let name = place.pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().replace(['_', '-'], "");
        ["accesstoken", "token", "sessiontoken"].contains(&name.as_str()) && place.read_by.is_none()
    };
    if failure.detail.contains("holds no") {
        lines.extend(
            places
                .iter()
                .filter(token_like)
                .map(|place| line("perhaps", format!("auth.token_response.access_token: {}", place.pointer))),
        );
    }
    if failure.detail.contains("of which type") {
        lines.push(line("perhaps", "auth.token_response.token_type_optional: true"));
    }
    lines
}

/// What such a reply to a refresh means.
fn consequence(class: FailureClass) -> &'static str {
    match class {
        FailureClass::NotSent => "tries again later",
        FailureClass::Ambiguous => {
            "tries again once no request can be under way; whether this one was processed is unknown"
        }
        FailureClass::Throttled => "tries again later, and so do all others of the provider",
        FailureClass::AppMisconfigured => "waits with all others of the app until its client is put right",
        FailureClass::GrantRejected => "has to be connected anew, once the provider has said so again",
        FailureClass::Unknown => "tries again later; `refresh_errors` can say what the code means",
    }
}

fn for_programs(manifest: &Manifest, sample: &Sample) -> Value {
    let places: Vec<_> = sample
        .places
        .iter()
        .map(|Place { pointer, kind, read_by }| json!({"pointer": pointer, "kind": kind.to_string(), "read_by": read_by}))
        .collect();
    let (mut report, error) = match &sample.told {
        Ok(Told::Grant(grant)) => (
            json!({
                "token_type": grant.token_type.as_str(), "lifetime": grant.lifetime.map(|life| life.as_secs()),
                "refresh_token": grant.refresh_token.is_some(),
                "refresh_lifetime": grant.refresh_lifetime.map(|life| life.as_secs()),
                "granted_scopes": grant.granted_scopes, "extra": grant.extra,
            }),
            Value::Null,
        ),
        Ok(Told::Account(fields)) => (json!({"extra": fields}), Value::Null),
        Err(failure) => (json!({}), json!({"detail": failure.detail, "code": failure.error})),
    };
    report["id"] = json!(manifest.id);
    report["read"] = error.is_null().into();
    report["error"] = error;
    report["places"] = places.into();
    report
}
