//! The service as a whole: starts, rest, bytes, fetches and refreshes on both databases.

use crate::bare::Bare;
use crate::figure::Section;
use crate::options::Options;
use crate::processor::Meter;
use crate::provider::Provider;
use crate::report::Report;
use crate::seed::{self, Made, Wanted};
use crate::site::{DatabaseKind, Site};
use crate::template::{Integration, Template};
use crate::{fetch, idle, machine, print, refresh, start, storage};
use anyhow::Result;
use std::path::Path;

/// Two installations of the program, one on each database, filled with connections.
struct Filled {
    site: Site,
    template: Template,
    made: Vec<Made>,
    described: String,
}

/// Measures it.
pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let workers = std::thread::available_parallelism()?.get();
    let (meter, provider) = (Meter::new()?, Provider::start(1_000)?);
    let mut postgres = fill(Site::on(DatabaseKind::Postgres, program).await?, &provider, options).await?;
    let mut sqlite = fill(Site::on(DatabaseKind::Sqlite, program).await?, &provider, options).await?;
    let mut machine = machine::description(&format!("{}, {}", postgres.described, sqlite.described))?;
    machine.push(machine::load_generator());
    let mut report = Report::new(options.clone(), machine, workers);

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

    Ok(Section { body: report.markdown()?, plots: Vec::new() })
}

async fn fill(mut site: Site, provider: &Provider, options: &Options) -> Result<Filled> {
    print::note(format!("{}: making {} connections", site.name(), options.connections));
    site.serve().await;
    let database = site.connect().await?;
    let template = Template::make(&site, &database, &Integration::new("bench", provider)).await?;
    site.stop().await;
    let wanted = (0..options.connections).map(|_| Wanted::random());
    let made = seed::connections(&site, &database, &template, wanted).await?;
    database.close().await?;
    site.settle().await?;
    let described = site.described().await?;
    Ok(Filled { site, template, made, described })
}
