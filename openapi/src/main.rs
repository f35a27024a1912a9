//! `cargo run -p mortise-openapi -- write`: writes the generated documents. `-- check`: says whether they are current and
//! keep the rules of the contract.

use anyhow::{Context as _, bail};
use mortise_openapi::{Generated, generated, violations};
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("write") => write(),
        Some("check") => check(),
        _ => bail!("use `write` or `check`"),
    }
}

fn write() -> anyhow::Result<()> {
    refuse_violations()?;
    for Generated { path, text } in generated()? {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        writeln!(std::io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

fn check() -> anyhow::Result<()> {
    refuse_violations()?;
    for Generated { path, text } in generated()? {
        let committed = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        if committed != text {
            bail!("{} is not current: run `cargo run -p mortise-openapi -- write`", path.display());
        }
    }
    Ok(())
}

fn refuse_violations() -> anyhow::Result<()> {
    let found = violations(&serde_json::to_value(mortise_server::document())?);
    if found.is_empty() { Ok(()) } else { bail!("the contract breaks its rules:\n  {}", found.join("\n  ")) }
}
