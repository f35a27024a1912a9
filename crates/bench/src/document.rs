//! The report as a file of sections, so that one figure can be measured anew and the others stay.
//!
//! Invariant: what a run did not measure is left to the byte. Each section stands between two comments that name it.

use crate::figure::Figure;
use anyhow::{Context as _, Result};
use std::io::ErrorKind;
use std::path::Path;

const HEAD: &str = "# Benchmarks

Written by `make bench`; do not edit. `make bench FIGURE=herd` measures one section anew and leaves the others, so each
says what it was taken on. A run is called disturbed when others took more than 15 % of one core meanwhile.
";

const WIDTH: usize = 120;

/// A report in parts.
#[derive(Debug, Default)]
pub(crate) struct Document {
    sections: Vec<(&'static str, String)>,
}

impl Document {
    /// What is there; nothing if there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("--out: {}", path.display())),
        }
    }

    fn parse(text: &str) -> Self {
        let section = |figure: Figure| {
            let (_, rest) = text.split_once(&begin(figure))?;
            let (body, _) = rest.split_once(&end(figure))?;
            Some((figure.name(), body.to_owned()))
        };
        Self { sections: Figure::ALL.into_iter().filter_map(section).collect() }
    }

    /// Puts a section in place of what there was.
    pub(crate) fn set(&mut self, figure: Figure, body: &str) {
        self.sections.retain(|(name, _)| *name != figure.name());
        let lines: Vec<String> = body.trim().lines().map(wrapped).collect();
        self.sections.push((figure.name(), format!("\n## {}\n\n{}\n\n", figure.title(), lines.join("\n"))));
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for figure in Figure::ALL {
            if let Some((_, body)) = self.sections.iter().find(|(name, _)| *name == figure.name()) {
                text.extend(["\n", &begin(figure), body, &end(figure)]);
            }
        }
        text
    }
}

/// A line of prose in lines of [`WIDTH`]; rows of tables, items of lists and pictures as they are.
fn wrapped(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    if ["|", "- ", "!["].iter().any(|start| line.starts_with(start)) {
        return line.to_owned();
    }
    for word in line.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out
}

fn begin(figure: Figure) -> String {
    format!("<!-- figure: {} -->\n", figure.name())
}

fn end(figure: Figure) -> String {
    format!("<!-- end of {} -->\n", figure.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_others_stay_to_the_byte() {
        let mut document = Document::default();
        document.set(Figure::Herd, "a herd");
        document.set(Figure::Service, "| a |\n|---|");
        let first = document.text();
        assert!(first.find("The service") < first.find("The herd") && first.starts_with("# Benchmarks\n"));
        let mut again = Document::parse(&first);
        assert_eq!(again.text(), first);
        again.set(Figure::Herd, "another");
        assert_eq!(again.text(), first.replace("a herd", "another"));
    }

    #[test]
    fn prose_is_wrapped_and_tables_are_not() {
        let (prose, row) = ("word ".repeat(60), format!("| {} |", "cell ".repeat(60)));
        let wrapped = wrapped(prose.trim());
        assert!(
            wrapped.lines().all(|line| line.len() <= WIDTH && !line.ends_with(' ')) && wrapped.lines().count() == 3
        );
        assert_eq!(wrapped.replace('\n', " "), prose.trim());
        assert_eq!(super::wrapped(&row), row);
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        let missing = Document::read(Path::new("/nonexistent/benchmarks.md")).unwrap();
        assert_eq!(missing.text(), HEAD);
        assert_eq!(Document::parse("# Benchmarks\n<!-- figure: herd -->\ncut off").text(), HEAD);
    }
}
