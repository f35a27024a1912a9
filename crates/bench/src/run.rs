//! The whole of it, in order.

use crate::bare::Bare;
use crate::options::Options;
use crate::processor::Meter;
use crate::provider::Provider;
use crate::report::Report;
use crate::seed::{self, Made, Wanted};
use crate::site::Site;
use crate::template::{Template, one};
use crate::{fetch, idle, machine, print, refresh, start, storage};
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;

/// Two installations of the program, one on each database, filled with connections.
struct Filled {
    site: Site,
    template: Template,
    made: Vec<Made>,
    version: String,
}

/// Measures everything and writes the report.
pub(crate) async fn everything(options: &Options) -> Result<()> {
    let program = program(options)?;
    let workers = std::thread::available_parallelism()?.get();
    let (meter, provider) = (Meter::new()?, Provider::start()?);
    let mut postgres = fill(Site::postgres(&program, workers).await?, &provider, options).await?;
    let mut sqlite = fill(Site::sqlite(&program, workers).await?, &provider, options).await?;
    let mut report = Report::new(options.clone(), machine::description(&postgres.version, &sqlite.version)?, workers);

    for filled in [&mut postgres, &mut sqlite] {
        print::note(format!("{}: starting, idling, counting bytes", filled.site.name()));
        report.starts.push(start::milliseconds(&mut filled.site, options.starts).await?);
        report.idle.push(idle::measure(&meter, &mut filled.site, options.idle_seconds).await?);
        report.stored.push(storage::tables(&filled.site).await?);
        filled.site.serve().await;
    }

    let mut bare = Bare::start(workers).await?;
    let sites = [(&postgres.site, postgres.made.as_slice()), (&sqlite.site, sqlite.made.as_slice())];
    report.fetches = Some(fetch::measure(&meter, options, &bare, &sites).await?);
    bare.process.kill9();

    for filled in [&postgres, &sqlite] {
        let (site, template) = (&filled.site, &filled.template);
        let bed = refresh::Bed { meter: &meter, options, provider: &provider, site, template };
        report.refreshes.push(refresh::measure(&bed).await?);
        site.settle().await?;
        report.stored_later.push(storage::tables(site).await?);
    }
    for filled in [&mut postgres, &mut sqlite] {
        filled.site.stop().await;
    }
    provider.stop().await;

    let text = report.markdown()?;
    std::fs::write(&options.out, &text).with_context(|| format!("--out: {}", options.out.display()))?;
    print::document(&text)?;
    print::note(format!("wrote {}", options.out.display()));
    Ok(())
}

async fn fill(mut site: Site, provider: &Provider, options: &Options) -> Result<Filled> {
    print::note(format!("{}: making {} connections", site.name(), options.connections));
    site.serve().await;
    let database = site.connect().await?;
    let template = Template::make(&site, &database, provider).await?;
    site.stop().await;
    let wanted = (0..options.connections).map(|_| Wanted::random());
    let made = seed::connections(&site, &database, &template, wanted).await?;
    let version = if site.is_postgres() { "SHOW server_version" } else { "SELECT sqlite_version()" };
    let version: String = one(&database, version, []).await?.try_get_by_index(0)?;
    database.close().await?;
    site.settle().await?;
    let version = version.split(' ').next().unwrap_or_default().to_owned();
    Ok(Filled { site, template, made, version })
}

/// The measured program: what was named, or what was built beside this one.
fn program(options: &Options) -> Result<PathBuf> {
    let program = match &options.mortise {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("mortise"),
    };
    ensure!(program.exists(), "{} is not there: build it with `cargo build --release -p mortise`", program.display());
    Ok(std::path::absolute(program)?)
}
