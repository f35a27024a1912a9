//! What is wrong with a manifest, and where.
//!
//! Invariant: every finding has one of the listed codes, which programs may rely on; the wording of messages may change.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// The manifest is accepted, but something in it is probably not meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
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

/// A finding with the line it is about and a caret under the place:
///
/// ```text
/// line 4, column 3: error[unknown_member]: …
///  4 |   scopez: {}
///    |   ^
/// ```
pub fn render(text: &str, diagnostic: &Diagnostic) -> String {
    let head = format!("{}[{}]: {}", diagnostic.severity.as_str(), diagnostic.code, diagnostic.message);
    let (Some(line), Some(column)) = (diagnostic.line, diagnostic.column) else { return head };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    let before = (column as usize).saturating_sub(1);
    let (source, before) = excerpt(source, before);
    // Tabs are repeated, so that the caret stands under its place however wide a tab is.
    let indent: String = source.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let gutter = line.to_string();
    let space = " ".repeat(gutter.len());
    format!("line {line}, column {column}: {head}\n {gutter} | {source}\n {space} | {indent}^")
}

/// At most 120 characters around the place, without what could drive a terminal.
fn excerpt(source: &str, before: usize) -> (String, usize) {
    let before = before.min(source.chars().count());
    let skipped = before.saturating_sub(80);
    let clean = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    (source.chars().skip(skipped).take(120).map(clean).collect(), before - skipped)
}

macro_rules! codes {
    ($($name:ident = $word:literal;)*) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($name,)* }

        impl Code {
            /// Every code, so that tests can miss one.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

codes! {
    // The text.
    TooLong = "too_long";
    Malformed = "malformed";
    Anchor = "anchor";
    Tag = "tag";
    TooDeep = "too_deep";
    // The members.
    DuplicateMember = "duplicate_member";
    IgnoredMember = "ignored_member";
    MissingMember = "missing_member";
    TooMany = "too_many";
    UnknownMember = "unknown_member";
    WrongType = "wrong_type";
    // Their values.
    BadCategory = "bad_category";
    BadCount = "bad_count";
    BadDefault = "bad_default";
    BadError = "bad_error_code";
    BadHeader = "bad_header";
    BadId = "bad_id";
    BadParameter = "bad_parameter";
    BadPattern = "bad_pattern";
    BadPointer = "bad_pointer";
    BadProvenance = "bad_provenance";
    BadRate = "bad_rate";
    BadScope = "bad_scope";
    BadSeparator = "bad_separator";
    BadStatus = "bad_status";
    BadTemplate = "bad_template";
    BadText = "bad_text";
    BadUrl = "bad_url";
    BadValue = "bad_value";
    BadVariable = "bad_variable";
    ExposesToken = "exposes_token";
    IdleTooLong = "idle_too_long";
    LegacyGrant = "legacy_grant";
    MarginTooLong = "margin_too_long";
    NoCredentials = "no_credentials";
    OutOfRange = "out_of_range";
    OutsideWindow = "outside_window";
    ReservedHeader = "reserved_header";
    ReservedParameter = "reserved_parameter";
    StandIn = "stand_in";
    Undiscovered = "undiscovered";
    UnknownVariable = "unknown_variable";
    UnusedCredential = "unused_credential";
    UnusedVariable = "unused_variable";
}

#[cfg(test)]
mod tests;
