//! What serde says about a value, without the value.

use crate::problem::Item;
use serde_path_to_error::{Path, Segment};

/// A fault at `path`.
pub(super) fn item(path: &Path, message: &str) -> Item {
    let detail = without_value(message);
    let mut pointer = pointer(path);
    // A missing or repeated member is found out at the end of the object that it belongs to.
    let at_end = detail.strip_prefix("missing field `").or_else(|| detail.strip_prefix("duplicate field `"));
    if let Some(name) = at_end.and_then(|rest| rest.split('`').next()) {
        pointer = format!("{pointer}/{}", escaped(name));
    }
    Item { pointer, detail, ..Item::default() }
}

/// RFC 6901.
fn pointer(path: &Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => format!("/{}", escaped(key)),
        Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// `invalid type: string "…", expected a sequence` as `invalid type: string, expected a sequence`: what was sent may be a
/// secret in the wrong place. The position that serde_json appends is told apart from the text.
fn without_value(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = message.strip_prefix(kind)
            && let Some((got, expected)) = rest.rsplit_once(", expected ")
        {
            let got = got.split(['"', '`']).next().unwrap_or_default().trim_end();
            return format!("{kind}{got}, expected {expected}");
        }
    }
    if let Some((_, expected)) = message.strip_prefix("unknown variant `").and_then(|m| m.rsplit_once("`, expected ")) {
        return format!("unknown value, expected {expected}");
    }
    message.to_owned()
}
