//! `mortise dev`: everything in one process, with something to click on.

mod claim;
mod demo;
mod sandbox;

use super::{migrate, print, serve};
use crate::cli::Dev;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::{assemble, logging};
use anyhow::Context as _;
use mortise_domain::OsEntropy;
use mortise_vault::create_key_file;
use mortise_worker::Runner;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

pub(super) async fn run(options: Dev) -> anyhow::Result<()> {
    let settings = Settings::dev(&options.data_dir, options.listen)?;
    logging::start(&settings)?;
    let mut stop = Stop::listen()?;
    make_folder(&options.data_dir)?;
    let _claim = claim::folder(&options.data_dir)?;
    prepare(&settings).await?;

    let assembled = assemble::checked_broker(&settings).await?;
    let listener = serve::listen(&settings)?;
    let (sandbox, providing) = sandbox::bind(&options)?;
    let demo = demo::set_up(&assembled.broker, &options.data_dir, sandbox.base_url()).await?;
    let runner = Runner::new(assembled.broker.clone(), assembled.clock.clone());
    let ticker = runner.start().await?;
    let serving = mortise_server::run(serve::state(&assembled, serve::metrics()?), listener, settings.http_workers)?;
    let handle = serving.handle();

    print::line(demo.greeting(&settings))?;
    let stopping = async move {
        stop.requested().await;
        handle.stop(true).await;
        // The provider goes last: refreshes in flight need its answers.
        let worked = runner.stop(ticker).await;
        sandbox.stop().await;
        worked
    };
    let (served, provided, stopped) = tokio::join!(serving, providing, stopping);
    served?;
    provided?;
    Ok(stopped?)
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("--data-dir: {} cannot be made", folder.display()))
}

/// Makes what a first start needs: the key file and the schema.
async fn prepare(settings: &Settings) -> anyhow::Result<()> {
    let key_file = settings.key_file()?;
    if !key_file.exists() {
        create_key_file(key_file, &OsEntropy)?;
    }
    let database = migrate::connect(settings.database_url()?).await?;
    migrate::up(&database).await?;
    Ok(database.close().await?)
}
