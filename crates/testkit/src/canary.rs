//! Looks for secrets where none may be: in database files, logs, pages and answers, in every usual encoding.
//!
//! A test plants secrets that occur nowhere else and searches for them afterwards. A search that read nothing fails,
//! so that a wrong path cannot pass for a clean one. Absent: looking into compressed data.

mod encodings;

use anyhow::{Context as _, Result, bail};
use encodings::encodings;
use std::fmt;
use std::fs;
use std::path::Path;

/// A set of planted secrets.
pub struct Canaries {
    needles: Vec<Needle>,
    /// Which pairs of first bytes any needle begins with: most of a haystack is passed over by this alone.
    starts: Vec<bool>,
}

struct Needle {
    name: String,
    encoding: &'static str,
    bytes: Vec<u8>,
}

/// Where a secret was seen. Says which one by its name and never repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The name that the test gave the secret.
    pub name: String,
    /// How it was written there.
    pub encoding: &'static str,
    /// The file, or what the test called the text.
    pub place: String,
    /// Bytes before it.
    pub offset: usize,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {} at byte {}", self.name, self.encoding, self.place, self.offset)
    }
}

/// How much a search of a folder has read, and what it saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Files read.
    pub files: usize,
    /// Bytes read.
    pub bytes: usize,
    /// Every secret seen; one sighting for each encoding and file.
    pub sightings: Vec<Sighting>,
}

impl Canaries {
    /// Secrets by names of the test's choice.
    ///
    /// # Panics
    /// When a secret is shorter than 8 bytes, which would be seen by chance, or none is given.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut needles = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= 8, "{name} is too short to search for");
            for (encoding, bytes) in encodings(secret.as_bytes()) {
                needles.push(Needle { name: name.to_owned(), encoding, bytes });
            }
        }
        assert!(!needles.is_empty(), "nothing to search for");
        let mut starts = vec![false; 1 << 16];
        for needle in &needles {
            starts[pair(needle.bytes[0], needle.bytes[1])] = true;
        }
        Self { needles, starts }
    }

    /// Every secret in these bytes, the first place of each encoding.
    pub fn search(&self, place: &str, haystack: &[u8]) -> Vec<Sighting> {
        let mut seen: Vec<Option<usize>> = vec![None; self.needles.len()];
        for (offset, two) in haystack.windows(2).enumerate() {
            if !self.starts[pair(two[0], two[1])] {
                continue;
            }
            for (needle, seen) in self.needles.iter().zip(&mut seen) {
                if seen.is_none() && haystack[offset..].starts_with(&needle.bytes) {
                    *seen = Some(offset);
                }
            }
        }
        let found = self.needles.iter().zip(seen).filter_map(|(needle, offset)| Some((needle, offset?)));
        found
            .map(|(Needle { name, encoding, .. }, offset)| Sighting {
                name: name.clone(),
                encoding,
                place: place.to_owned(),
                offset,
            })
            .collect()
    }

    /// Reads every file under a folder, or one file. A file that vanishes meanwhile, as a database's do, is passed over.
    pub fn search_files(&self, path: &Path) -> Result<Search> {
        let mut search = Search::default();
        self.visit(path, &mut search)?;
        if search.bytes == 0 {
            bail!("nothing was read in {}", path.display());
        }
        Ok(search)
    }

    /// Fails the test when any secret is in this text, or the text is empty.
    ///
    /// # Panics
    /// See above.
    #[track_caller]
    pub fn assert_absent(&self, place: &str, text: &str) {
        assert!(!text.is_empty(), "{place} is empty: nothing was searched");
        report(&self.search(place, text.as_bytes()));
    }

    /// Fails the test when any secret is in these files, or there is nothing to read; tells how much was read.
    ///
    /// # Panics
    /// See above.
    #[track_caller]
    pub fn assert_absent_in_files(&self, path: impl AsRef<Path>) -> Search {
        let search = crate::or_panic(self.search_files(path.as_ref()));
        report(&search.sightings);
        search
    }

    fn visit(&self, path: &Path, search: &mut Search) -> Result<()> {
        let read = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        // Sockets and pipes are not read: they have no content to keep a secret in.
        let kind = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) => return read(error),
        };
        if kind.is_dir() {
            let entries = match fs::read_dir(path) {
                Ok(entries) => entries,
                Err(error) => return read(error),
            };
            for entry in entries {
                self.visit(&entry?.path(), search)?;
            }
        } else if kind.is_file() {
            let content = match fs::read(path) {
                Ok(content) => content,
                Err(error) => return read(error),
            };
            search.files += 1;
            search.bytes += content.len();
            search.sightings.extend(self.search(&path.to_string_lossy(), &content));
        }
        Ok(())
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

#[track_caller]
fn report(sightings: &[Sighting]) {
    let lines: Vec<_> = sightings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "secrets in clear:\n{}", lines.join("\n"));
}

#[cfg(test)]
mod tests;
