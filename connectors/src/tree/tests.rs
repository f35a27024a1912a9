use super::*;

/// The tree in one line, places left out.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Flag(flag) => format!("flag {flag}"),
        Kind::Number(text) => format!("number {text}"),
        Kind::Text(text) => format!("{text:?}"),
        Kind::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Kind::Map(members) => {
            let member = |m: &Member| format!("{}: {}", m.name, shown(&m.value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Kind::Refused => "refused".to_owned(),
    }
}

fn tree(text: &str) -> String {
    let (node, faults) = read(text);
    assert!(faults.is_empty(), "{text}: {faults:?}");
    shown(&node.expect("a tree"))
}

#[test]
fn only_what_the_core_schema_says_is_anything_but_a_text() {
    for text in
        ["yes", "no", "on", "y", "1_000", "0b1", "inf", "nan", "1.2.3", "2022-06-28", "0o9", "+", "\"1\"", "'~'", "1e"]
    {
        assert!(tree(&format!("[{text}]")).starts_with("[\""), "{text} -> {}", tree(&format!("[{text}]")));
    }
    for text in ["0", "-1", "+1", "1.5", ".5", "1.", "1e3", "0x1F", "0o17", ".inf", "-.INF", ".nan"] {
        assert_eq!(tree(&format!("[{text}]")), format!("[number {text}]"));
    }
    assert_eq!(tree("[true, False, ~, null, ]"), "[flag true, flag false, null, null]");
    assert_eq!(tree("a:\nb: ''"), r#"{a: null, b: ""}"#);
}

#[test]
fn json_is_read_as_json() {
    let json = "{\n\t\"a\\/b\": \"\\ud83d\\ude00\",\n\t\"c\": [1, true, null, {\"d\": \"\"}]\n}";
    assert_eq!(tree(json), "{a/b: \"😀\", c: [number 1, flag true, null, {d: \"\"}]}");
    assert_eq!(tree("\u{feff}{\"a\": 1}"), "{a: number 1}");
}

#[test]
fn places_count_characters_from_one() {
    let (root, _) = read("größe: [ä, ö]\nb:\n  c: d\n");
    let Some(Kind::Map(members)) = root.map(|root| root.kind) else { panic!("a map") };
    let Kind::List(items) = &members[0].value.kind else { panic!("a list") };
    assert_eq!(items[1].place, Place { line: 1, column: 12 });
    assert_eq!(members[1].place, Place { line: 2, column: 1 });
    assert_eq!(members[1].value.place, Place { line: 3, column: 3 });
}

#[test]
fn bombs_are_refused_before_they_grow() {
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    let (_, faults) = read(laughs);
    assert!(faults.iter().all(|fault| fault.code == Code::Anchor) && faults.len() == 6, "{faults:?}");
    for deep in ["[".repeat(100_000), "{a: ".repeat(60_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
        let (root, faults) = read(&deep);
        assert!(root.is_none() && faults.len() == 1, "{faults:?}");
    }
    let (_, faults) = read(&format!("[{}]", "1,".repeat(MANIFEST.most_values + 1)));
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), [Code::TooMany]);
}

#[test]
fn names_that_are_no_texts() {
    assert_eq!(tree("{1: a, true: b, ~: c}"), r#"{1: "a", true: "b", null: "c"}"#);
    let (_, faults) = read("? [a]\n: b");
    assert_eq!(faults[0].message, "a member's name is a text, not a list or an object");
}
