//! Refreshes a second by one worker at a provider that answers at once, on each database, beside few and beside very many
//! idle connections. The two installations of a database stand beside each other and take turns, so that what disturbs
//! one disturbs the other too.

use super::{Ground, disturbance, met, taken_on};
use crate::figure::Section;
use crate::figures::Case;
use crate::options::Options;
use crate::plot::{Plot, Series, Shape};
use crate::seed::Wanted;
use crate::site::{DatabaseKind, Site};
use crate::template::{Template, now, run};
use crate::{print, refresh};
use anyhow::{Result, ensure};
use mortise_domain::{Clock as _, SystemClock};
use sea_orm::DatabaseConnection;
use std::path::Path;

/// What one database is to do.
const AIM: f64 = 1_500.0;
/// Rows of one statement that fills.
const CHUNK: usize = 100_000;
/// A day: what is not due while this runs.
const LATER: i64 = 24 * 3_600_000;

/// An installation with so many idle connections.
struct Stand {
    ground: Ground,
    case: Case,
}

pub(crate) async fn measure(options: &Options, program: &Path) -> Result<Section> {
    let sizes = if options.quick { [50, 2_000] } else { [1_000, 1_000_000] };
    let (mut rows, mut others, mut points) = (String::new(), Vec::new(), [Vec::new(), Vec::new()]);
    let mut done = Vec::new();
    for (place, kind) in [DatabaseKind::Postgres, DatabaseKind::Sqlite].into_iter().enumerate() {
        let mut stands = Vec::new();
        for idle in sizes {
            stands.push(stand(options, program, kind, idle).await?);
        }
        while stands.iter().any(|stand| stand.case.wants_more(options.runs, options.again)) {
            for stand in &mut stands {
                once(options, stand).await?;
            }
        }
        let rates: Vec<f64> = stands.iter().map(|stand| stand.case.rate()).collect();
        let ratio = rates[1] / rates[0];
        for (at, (stand, idle)) in stands.iter().zip(sizes).enumerate() {
            let (case, name) = (&stand.case, stand.ground.site.name());
            let to_few = if at == 0 { String::new() } else { format!("{ratio:.2}") };
            rows.push_str(&format!(
                "| {name}, {idle} idle | {AIM:.0} | {:.0} | {} | {to_few} | {:.0} | {:.0} | {:.0} + {:.0} | {} of {} |\n",
                case.rate(),
                met(case.rate() >= AIM),
                case.median(|run| run.server),
                case.median(|run| run.database.unwrap_or_default()),
                case.median(|run| run.cost().0),
                case.median(|run| run.cost().1),
                case.quiet(),
                case.runs.len(),
            ));
            others.extend(case.runs.iter().map(|run| run.others));
            points[at].push((place as f64, case.rate()));
        }
        done.extend(stands);
    }
    let sites: Vec<&Site> = done.iter().step_by(sizes.len()).map(|stand| &stand.ground.site).collect();
    let head = taken_on(&sites).await?;
    for stand in done {
        stand.ground.clear().await?;
    }
    let body = format!(
        "{head}\n| case | aim, a second | seen | | of that beside few | program CPU % | database CPU % | µs CPU each, program + \
         database | quiet |\n|---|---|---|---|---|---|---|---|---|\n{rows}\n\
         One `mortise worker` with {} connections due at once, the median of {} runs; database and provider share the \
         machine, the provider answers at once. Timed from the provider's first answer to the last commit; afterwards every \
         connection has to be exactly one generation further, and no refresh token may have been presented twice. Idle \
         connections are rows like any other whose refresh is due years later. {}\n",
        options.refreshes,
        options.runs,
        disturbance(&others),
    );
    let bars = |points: &[(f64, f64)], idle: usize| {
        let name = format!("{} idle connections", thousands(idle));
        Series { name, shape: Shape::Bars, points: points.iter().map(|(x, y)| (*x, y.round())).collect() }
    };
    let plot = Plot {
        title: "Refreshes by one worker at an instant provider".to_owned(),
        x: "database".to_owned(),
        y: "refreshes a second".to_owned(),
        names: vec!["PostgreSQL".to_owned(), "SQLite".to_owned()],
        series: vec![bars(&points[0], sizes[0]), bars(&points[1], sizes[1])],
        marks: vec![("aim".to_owned(), AIM)],
    };
    Ok(Section { body, plots: vec![("throughput", plot)] })
}

fn thousands(count: usize) -> String {
    if count.is_multiple_of(1_000_000) { format!("{} million", count / 1_000_000) } else { count.to_string() }
}

async fn stand(options: &Options, program: &Path, kind: DatabaseKind, idle: usize) -> Result<Stand> {
    let ground = Ground::new(kind, program, 1_000, serde_json::json!({})).await?;
    let tomorrow = Some(now() + LATER);
    ground.grants(options.refreshes, |_, wanted| Wanted { due: tomorrow, ..wanted }).await?;
    let (clock, name) = (SystemClock::new(), ground.site.name());
    fill(&ground, idle).await?;
    ground.site.settle().await?;
    print::note(format!("{name}: {idle} idle connections made in {:.0} s", clock.monotonic().as_secs_f64()));
    let case = Case::new(format!("{name}, one worker, {} due beside {idle} idle", options.refreshes));
    Ok(Stand { ground, case })
}

async fn once(options: &Options, stand: &mut Stand) -> Result<()> {
    if stand.case.wants_more(options.runs, options.again) {
        let Ground { meter, provider, site, template, database } = &stand.ground;
        let bed = refresh::Bed { meter, options, provider, site, template };
        let run = refresh::due_at_once(&bed, database, stand.case.runs.len()).await?;
        provider.vouch()?;
        stand.case.runs.push(crate::fetch::told(&stand.case, run));
    }
    Ok(())
}

/// Copies the template's connection inside the database. What is sealed in a copy opens for the template alone, and
/// nobody asks for it: copies are never due, and never fetched.
async fn fill(ground: &Ground, count: usize) -> Result<()> {
    let Ground { site, template, database, .. } = ground;
    let columns = crate::seed::columns(site, database, "connections").await?;
    if site.is_postgres() {
        // Their customer and app are the template's, which are there: a look for each of a million is left out.
        run(database, "SET session_replication_role = replica", []).await?;
    }
    let mut made = 0;
    while made < count {
        let chunk = (count - made).min(CHUNK);
        made += usize::try_from(copies(site.is_postgres(), database, template, &columns, made, chunk).await?)?;
    }
    ensure!(made == count, "{made} of {count} idle connections were made");
    Ok(())
}

/// One statement's worth: `chunk` rows, due a millisecond after one another.
async fn copies(
    is_postgres: bool,
    database: &DatabaseConnection,
    template: &Template,
    columns: &[String],
    from: usize,
    chunk: usize,
) -> Result<u64> {
    let (numbers, id) = if is_postgres {
        ("SELECT generate_series($2::bigint, $3::bigint) AS n", "gen_random_uuid()")
    } else {
        (
            "WITH RECURSIVE s (n) AS (SELECT $2 UNION ALL SELECT n + 1 FROM s WHERE n < $3) SELECT n FROM s",
            "randomblob(16)",
        )
    };
    let value = |column: &String| match column.as_str() {
        "id" => id.to_owned(),
        "next_refresh_at" => "t.next_refresh_at + s.n".to_owned(),
        other => format!("t.{other}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let sql = format!(
        "INSERT INTO connections ({}) SELECT {} FROM ({numbers}) s CROSS JOIN connections t WHERE t.id = $1",
        columns.join(", "),
        values.join(", ")
    );
    let (first, last) = (i64::try_from(from)?, i64::try_from(from + chunk)? - 1);
    run(database, &sql, [template.connection.into(), first.into(), last.into()]).await
}
