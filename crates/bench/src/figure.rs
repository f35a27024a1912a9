//! The figures by name, and the order in which they are measured and reported.

use crate::document::Document;
use crate::engine::{certified, comeback, herd, hung, rotations, throughput};
use crate::options::Options;
use crate::plot::Plot;
use crate::{catalogue, print, service};
use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Where the report is, unless somebody says otherwise.
const REPORT: &str = "docs/benchmarks.md";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    /// Fetches, refreshes, bytes, start and rest.
    Service,
    /// Duplicates and losses over many rotations by many workers.
    Rotations,
    /// Many connections and workers at a real provider that detects reuse.
    Provider,
    /// Refreshes a second beside few and beside many idle connections.
    Throughput,
    /// What a provider sees after an outage.
    Herd,
    /// What one provider that hangs does to the others.
    Hung,
    /// How soon tokens are served after the database returns.
    Comeback,
    /// What is in the catalogue, and how long reading it takes.
    Catalogue,
}

/// A figure's part of the report.
pub(crate) struct Section {
    pub(crate) body: String,
    /// By the name of the file, without its ending.
    pub(crate) plots: Vec<(&'static str, Plot)>,
}

impl Figure {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 8] = [
        Self::Service,
        Self::Rotations,
        Self::Provider,
        Self::Throughput,
        Self::Herd,
        Self::Hung,
        Self::Comeback,
        Self::Catalogue,
    ];

    /// As it is called in the report's marks and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Rotations => "rotations",
            Self::Provider => "provider",
            Self::Throughput => "throughput",
            Self::Herd => "herd",
            Self::Hung => "hung",
            Self::Comeback => "comeback",
            Self::Catalogue => "catalogue",
        }
    }

    /// Its heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Service => "The service",
            Self::Rotations => "Duplicates and losses",
            Self::Provider => "A provider that detects reuse",
            Self::Throughput => "Refreshes beside idle connections",
            Self::Herd => "The herd after an outage",
            Self::Hung => "One hung provider among many",
            Self::Comeback => "When the database returns",
            Self::Catalogue => "The catalogue",
        }
    }

    async fn section(self, options: &Options, program: &Path) -> Result<Section> {
        match self {
            Self::Service => service::measure(options, program).await,
            Self::Rotations => rotations::measure(options, program).await,
            Self::Provider => certified::measure(options, program).await,
            Self::Throughput => throughput::measure(options, program).await,
            Self::Herd => herd::measure(options, program).await,
            Self::Hung => hung::measure(options, program).await,
            Self::Comeback => comeback::measure(options, program).await,
            Self::Catalogue => catalogue::measure(options),
        }
    }
}

/// Measures what was asked for. Each figure is written down when it is there: what comes later cannot lose it.
pub(crate) async fn measure(options: &Options) -> Result<()> {
    let program = program(options)?;
    let out = options.out.clone().or_else(|| (!options.quick).then(|| PathBuf::from(REPORT)));
    let chosen = |figure: &Figure| options.figures.is_empty() || options.figures.contains(figure);
    for figure in Figure::ALL.into_iter().filter(chosen) {
        print::note(format!("figure {}", figure.name()));
        let Section { mut body, plots } = figure.section(options, &program).await?;
        if let Some(out) = &out {
            for (name, plot) in &plots {
                let link = picture(out, name, plot)?;
                body.push_str(&format!("\n![{}]({link})\n", plot.title));
            }
            let mut document = Document::read(out)?;
            document.set(figure, &body);
            std::fs::write(out, document.text()).with_context(|| format!("--out: {}", out.display()))?;
            print::note(format!("wrote {}", out.display()));
        }
        print::document(&format!("## {}\n\n{body}\n", figure.title()))?;
    }
    Ok(())
}

/// Writes a plot into the folder beside the report that is called as it is; answers how the report links to it.
fn picture(out: &Path, name: &str, plot: &Plot) -> Result<String> {
    let stem = out.file_stem().context("--out: name a file")?;
    let folder = out.with_file_name(stem);
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let file = folder.join(format!("{name}.svg"));
    std::fs::write(&file, plot.svg()).with_context(|| format!("{}", file.display()))?;
    Ok(format!("{}/{name}.svg", stem.to_string_lossy()))
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
