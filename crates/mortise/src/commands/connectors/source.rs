//! Where a manifest comes from: a file, standard input, or the bundled catalogue.

use crate::commands::print;
use anyhow::{Context as _, bail};
use mortise_connectors::{Manifest, catalog, parse, render};
use std::io::Read as _;
use std::path::Path;

/// The text of a file; `-` is standard input.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    let name = || file.display().to_string();
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).with_context(name)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(name)
}

/// The manifest with this id in the catalogue, or in this file. What is wrong with it is printed.
pub(super) fn manifest(named: &str) -> anyhow::Result<Manifest> {
    let text = match catalog::get(named) {
        Some(text) => text,
        None => read(Path::new(named)).context("neither a bundled manifest nor a file is called so")?,
    };
    match parse(&text) {
        Ok(manifest) => Ok(manifest),
        Err(found) => {
            for diagnostic in &found {
                print::line(format!("{named}: {}", render(&text, diagnostic)))?;
            }
            bail!("{named} is no valid manifest")
        }
    }
}
