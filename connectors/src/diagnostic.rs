//! What is wrong with a manifest, and where.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// The manifest is accepted, but something in it is probably not meant.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong and what is allowed.
    pub message: String,
    /// JSON pointer of the member; empty for the whole document.
    pub path: String,
    /// From 1.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
}

/// A finding with the line it is about and a caret under the place.
pub fn render(text: &str, diagnostic: &Diagnostic) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let head = format!("{kind}[{}]: {}", diagnostic.code, diagnostic.message);
    let (Some(line), Some(column)) = (diagnostic.line, diagnostic.column) else { return head };
    let source = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    let place = (column as usize).saturating_sub(1).min(source.chars().count());
    let gutter = line.to_string();
    let space = " ".repeat(gutter.len());
    let caret = " ".repeat(place);
    format!("line {line}, column {column}: {head}\n {gutter} | {source}\n {space} | {caret}^")
}
