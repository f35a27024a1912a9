//! `mortise api-keys`: API keys from the command line.

use super::print;
use crate::assemble;
use crate::cli::ApiKeys;
use crate::settings::Settings;
use anyhow::Context as _;
use mortise_broker::NewApiKey;
use mortise_domain::ApiScope;

pub(super) async fn run(settings: &Settings, command: ApiKeys) -> anyhow::Result<()> {
    let ApiKeys::Create { environment, name, scopes } = command;
    let broker = assemble::checked_broker(settings).await?.broker;
    let environment = environment.parse().context("--environment")?;
    let new = NewApiKey { name, scopes: read_scopes(&scopes)?, expires_at: None };
    let (view, secret) = broker.create_api_key_locally(&environment, new).await?;
    print::line(secret.expose())?;
    print::error(&anyhow::anyhow!("this is key {}; it is not stored and cannot be shown again", view.id));
    Ok(())
}

fn read_scopes(words: &[String]) -> anyhow::Result<Vec<ApiScope>> {
    if words == ["all"] {
        return Ok(ApiScope::ALL.to_vec());
    }
    let known = || ApiScope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    let read = |word: &String| word.parse().with_context(|| format!("--scopes: use `all`, or some of {}", known()));
    words.iter().map(read).collect()
}
