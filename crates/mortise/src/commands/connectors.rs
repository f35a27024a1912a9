//! `mortise connectors`: manifests from files, without a server.

mod diff;
mod discover;
mod import;
mod lint;
mod reply;
mod simulate;
mod source;
mod test;

use super::print;
use crate::cli::Connectors;
use mortise_connectors::{canonical_json, schema};

pub(super) async fn run(command: Connectors) -> anyhow::Result<()> {
    match command {
        Connectors::Lint(options) => lint::run(&options),
        Connectors::Show { manifest } => {
            let manifest = source::manifest(&manifest)?;
            print::json(&serde_json::from_str::<serde_json::Value>(&canonical_json(&manifest))?)
        }
        Connectors::Simulate(options) => simulate::run(&options),
        Connectors::Diff(options) => diff::run(&options),
        Connectors::Import(options) => import::run(&options),
        Connectors::Discover(options) => discover::run(&options).await,
        Connectors::Test(options) => match &options.reply {
            Some(file) => reply::run(&options, file).await,
            None => test::run(&options).await,
        },
        Connectors::Schema => print::json(&schema()),
    }
}
