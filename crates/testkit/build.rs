//! Takes a fingerprint of the migrations at build time, so that a database template is remade when, and only when, the
//! migrations linked into this very binary have changed.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let migrations = Path::new("../../migrations/src");
    let mut hasher = DefaultHasher::new();
    take(migrations, &mut hasher)?;
    write_instructions(&[
        format!("cargo::rerun-if-changed={}", migrations.display()),
        "cargo::rerun-if-changed=build.rs".to_owned(),
        format!("cargo::rustc-env=MORTISE_MIGRATIONS_FINGERPRINT={:016x}", hasher.finish()),
    ])
}

fn take(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            take(&path, hasher)?;
        } else {
            path.hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}

fn write_instructions(lines: &[String]) -> io::Result<()> {
    use io::Write as _;
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}
