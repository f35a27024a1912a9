//! What was aimed for, beside what was seen.

use super::Report;
use crate::figures::Case;
use anyhow::Result;
use std::fmt::Write as _;

/// One aim.
struct Mark {
    what: &'static str,
    aim: String,
    seen: String,
    /// `None`: nobody aimed for anything.
    met: Option<bool>,
    /// What Nango 0.71.4 showed on a machine of this kind.
    nango: &'static str,
}

/// The table, and where its foreign figures come from.
pub(super) fn write(report: &Report, out: &mut String) -> Result<()> {
    writeln!(out, "| | aim | seen | | Nango 0.71.4 |\n|---|---|---|---|---|")?;
    for Mark { what, aim, seen, met, nango } in fetches(report).into_iter().chain(refreshes(report)).chain(rest(report))
    {
        let verdict = match met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        writeln!(out, "| {what} | {aim} | {seen} | {verdict} | {nango} |")?;
    }
    if let Some(fetches) = &report.fetches {
        writeln!(
            out,
            "\nThe bare handler answered {:.0}/s; on the machine that the aims were set for it answered 130,000/s, a read of one row\n\
             by primary key with bearer check, decryption and JSON 14,000/s from PostgreSQL and 16,000/s from SQLite.",
            fetches.bare.rate()
        )?;
    }
    writeln!(
        out,
        "Nango's figures were taken with the same load generator on 2 cores with its database on the same machine, its rate limit\n\
         off, 100,060 connections with tokens of 64 characters: API server only, on PostgreSQL 15; start and memory of later\n\
         starts. Its refreshes are on demand with 32 in flight."
    )?;
    Ok(())
}

fn fetches(report: &Report) -> Vec<Mark> {
    let Some(fetches) = &report.fetches else { return Vec::new() };
    let bare = fetches.bare.rate();
    let mut marks = Vec::new();
    for (site, (aim, what, nango)) in fetches.sites.iter().zip([
        (7.0, "token fetch on PostgreSQL, of the bare handler", "480/s, p50 64 ms, p99 142 ms"),
        (9.0, "token fetch on SQLite, of the bare handler", ""),
    ]) {
        let share = 100.0 * site.many.rate() / bare;
        let seen = format!("{share:.1} %: {}", of(&site.many));
        marks.push(Mark { what, aim: format!("{aim:.0} %"), seen, met: Some(share >= aim), nango });
    }
    if let Some(postgres) = fetches.sites.first() {
        let (what, nango) = ("one fetch at a time, PostgreSQL", "255/s, p50 3.8 ms, p99 7.2 ms");
        let met = Some(postgres.alone.rate() > 255.0);
        marks.push(Mark { what, aim: "more than Nango".to_owned(), seen: of(&postgres.alone), met, nango });
    }
    let written: i64 = fetches.sites.iter().map(|site| site.written).sum();
    let seen = format!("{written} in {} fetches", fetches.sites.iter().map(|site| site.read).sum::<u64>());
    let nango = "one durable update a read";
    marks.push(Mark {
        what: "rows written by reading what is in use",
        aim: "0".to_owned(),
        seen,
        met: Some(written == 0),
        nango,
    });
    marks
}

fn of(case: &Case) -> String {
    let latency = |pick: fn((f64, f64)) -> f64| case.median(|run| run.latency.map_or(0.0, pick));
    format!("{:.0}/s, p50 {:.2} ms, p99 {:.2} ms", case.rate(), latency(|pair| pair.0), latency(|pair| pair.1))
}

fn refreshes(report: &Report) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (seen, (by_worker, on_demand)) in report.refreshes.iter().zip([
        ("refreshes by one worker, PostgreSQL", "refreshes on demand, PostgreSQL"),
        ("refreshes by one worker, SQLite", "refreshes on demand, SQLite"),
    ]) {
        for (what, rate, nango) in [(by_worker, seen.worker.rate(), ""), (on_demand, seen.forced.rate(), "303/s")] {
            marks.push(Mark {
                what,
                aim: "600/s".to_owned(),
                seen: format!("{rate:.0}/s"),
                met: Some(rate >= 600.0),
                nango,
            });
        }
    }
    marks
}

fn rest(report: &Report) -> Vec<Mark> {
    let mut marks = Vec::new();
    if let Some(tables) = report.stored.first() {
        let bytes = |name: &str| {
            let table = tables.iter().find(|table| table.name == name);
            table.map(crate::storage::Table::per_row).map_or(0.0, |(own, indexes)| own + indexes)
        };
        let connection = bytes("connections");
        let (aim, seen, met) = ("900".to_owned(), format!("{connection:.0}"), Some(connection <= 900.0));
        let what = "bytes of a connection on PostgreSQL, with indexes";
        marks.push(Mark { what, aim, seen, met, nango: "1,023" });
        let seen = format!("{:.0}", connection + bytes("customers") + bytes("data_keys"));
        let what = "the same with a customer and a data key that have no other connection";
        marks.push(Mark { what, aim: String::new(), seen, met: None, nango: "" });
    }
    let slowest = report.starts.iter().copied().fold(0.0, f64::max);
    let seen = format!("{slowest:.0} ms");
    let nango = "2.7 s";
    marks.push(Mark { what: "start of `serve`", aim: "500 ms".to_owned(), seen, met: Some(slowest <= 500.0), nango });
    let largest = report.idle.iter().map(|idle| idle.server_megabytes).fold(0.0, f64::max);
    let seen = format!("{largest:.0} MB");
    let nango = "277 MB";
    marks.push(Mark {
        what: "memory of idle `serve`",
        aim: "60 MB".to_owned(),
        seen,
        met: Some(largest <= 60.0),
        nango,
    });
    marks
}
