use super::*;
use crate::diagnostic::Code;
use crate::shape::{Shape, table};
use std::collections::BTreeSet;

#[test]
fn rows_are_read_as_they_stand() {
    let member = member("/auth/scope_separator").expect("a row");
    assert_eq!(
        (member.default.as_str(), member.text.as_str()),
        ("space", "what stands between two scopes in a request")
    );
    assert_eq!(shown("/variables/*/type"), "variables.NAME.type");
    assert_eq!(cells("| `a` | one of `,` `\\|` | | b |"), ["`a`", "one of `,` `|`", "", "b"]);
    assert_eq!(super::member("/auth/nothing"), None);
}

#[test]
fn every_code_has_a_meaning() {
    for word in Code::ALL.iter().map(|code| code.as_str()) {
        assert!(code(word).is_some_and(|meaning| !meaning.is_empty()), "{word}");
    }
}

/// Every member with its type, by its path; of several modes, each.
fn members(shape: &'static Shape, path: &str, into: &mut BTreeMap<String, Vec<&'static Shape>>) {
    match shape {
        Shape::Record(fields) => all(fields, path, into),
        Shape::OneOf(modes) => modes.iter().for_each(|mode| all(mode.fields, path, into)),
        Shape::List(item) => members(item, path, into),
        Shape::Map(value) => members(value, &format!("{path}/*"), into),
        Shape::Id | Shape::Text | Shape::Flag | Shape::Whole | Shape::Count | Shape::Word(_) => {}
    }
}

fn all(fields: &'static [crate::shape::Field], path: &str, into: &mut BTreeMap<String, Vec<&'static Shape>>) {
    for field in fields {
        let path = format!("{path}/{}", field.name);
        into.entry(shown(&path)).or_default().push(field.shape);
        members(field.shape, &path, into);
    }
}

/// Whether the cell of a type says what the reader goes by.
fn agrees(cell: &str, shapes: &[&Shape]) -> bool {
    let words: BTreeSet<_> = shapes
        .iter()
        .flat_map(|shape| match shape {
            Shape::Word(words) => *words,
            Shape::List(Shape::Word(words)) => *words,
            _ => &[],
        })
        .copied()
        .collect();
    if !words.is_empty() {
        // The odd ones in back quotes; a comma stands between two.
        return cell.split('`').skip(1).step_by(2).collect::<BTreeSet<_>>() == words;
    }
    shapes.iter().all(|shape| match shape {
        Shape::Flag => cell == "true or false",
        Shape::Whole => cell == "seconds",
        Shape::Count => cell == "number",
        Shape::List(_) => cell.starts_with("list of "),
        Shape::Map(_) => cell.starts_with("names with "),
        Shape::Record(_) | Shape::OneOf(_) => cell == "object",
        Shape::Id | Shape::Text | Shape::Word(_) => {
            ["text", "URL", "URI", "pointer", "date"].contains(&cell) || cell.starts_with("one of ")
        }
    })
}

#[test]
fn types_are_those_that_the_reader_goes_by_and_no_row_is_left_over() {
    let mut known = BTreeMap::new();
    members(&table::MANIFEST, "", &mut known);
    let rows: BTreeMap<_, _> =
        ROWS.iter().filter(|((_, columns), _)| *columns == 4).map(|((name, _), row)| (name, row)).collect();
    let wrong: Vec<_> = rows
        .iter()
        .filter(|(name, row)| !known.get(**name).is_some_and(|shapes| agrees(&row[1], shapes)))
        .map(|(name, row)| format!("`{name}`: {}", row[1]))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(rows.len(), known.len());
}
