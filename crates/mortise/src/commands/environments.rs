//! `mortise environments`: environments from the command line.

use super::print;
use crate::assemble;
use crate::cli::Environments;
use crate::settings::Settings;
use anyhow::{Context as _, bail};
use mortise_broker::{EnvironmentInput, EnvironmentView};
use mortise_domain::FinisherCheck;

pub(super) async fn run(settings: &Settings, command: Environments) -> anyhow::Result<()> {
    let broker = assemble::checked_broker(settings).await?.broker;
    match command {
        Environments::Create { name } => {
            let name = name.parse().context("the name")?;
            show(&broker.create_environment(&name, EnvironmentInput::default()).await?)
        }
        Environments::List => broker.list_environments().await?.iter().try_for_each(show),
        Environments::Set { name, display_name, finisher_check } => {
            let name = name.parse().context("the name")?;
            let finisher_check = finisher_check.as_deref().map(read_check).transpose()?;
            show(&broker.update_environment(&name, EnvironmentInput { display_name, finisher_check }).await?)
        }
    }
}

fn read_check(word: &str) -> anyhow::Result<FinisherCheck> {
    match word {
        "required" => Ok(FinisherCheck::Required),
        "off" => Ok(FinisherCheck::Off),
        _ => bail!("--finisher-check: use `required` or `off`"),
    }
}

fn show(view: &EnvironmentView) -> anyhow::Result<()> {
    let check = match view.settings.finisher_check {
        FinisherCheck::Required => "required",
        FinisherCheck::Off => "off",
    };
    print::line(format!("{}  finisher check {check}  shown as \"{}\"", view.name, view.settings.display_name))
}
