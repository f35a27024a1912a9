//! `mortise connectors simulate`: the requests that a manifest leads to. Nothing is sent.

use super::source;
use crate::cli::{Format, Simulate};
use crate::commands::print;
use anyhow::{Context as _, bail};
use mortise_connectors::{Manifest, Values, sample_values};
use mortise_domain::ScopeSet;
use mortise_oauth::{Provider, SimulatedClient, simulate};

pub(super) fn run(options: &Simulate) -> anyhow::Result<()> {
    let manifest = source::manifest(&options.manifest)?;
    let values = values(&manifest, &options.values)?;
    let scopes: ScopeSet = options.scopes.iter().cloned().collect();
    let client =
        SimulatedClient { client_id: &options.client_id, redirect_uri: &options.redirect_uri, scopes: &scopes };
    let requests = simulate(&Provider { manifest: &manifest, values: &values }, &client)?;
    match options.format {
        Format::Json => print::json(&requests),
        Format::Text => {
            let texts: Vec<_> = requests.iter().map(ToString::to_string).collect();
            print::line(texts.join("\n").trim_end())
        }
    }
}

/// A value for each variable: what was given, and stand-ins.
pub(super) fn values(manifest: &Manifest, given: &[String]) -> anyhow::Result<Values> {
    sample_values(manifest, &self::given(given)?).or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        bail!("{}", faults.join("; "))
    })
}

/// Values as they are given on the command line.
pub(super) fn given(pairs: &[String]) -> anyhow::Result<Values> {
    let pair = |pair: &String| {
        let (name, value) = pair.split_once('=').context("a value is set with --set NAME=VALUE")?;
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.iter().map(pair).collect()
}
