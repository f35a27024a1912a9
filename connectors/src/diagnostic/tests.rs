use super::*;

fn at(line: u32, column: u32) -> Diagnostic {
    let (line, column) = (Some(line), Some(column));
    Diagnostic { severity: Severity::Error, code: "x", message: "no".into(), path: String::new(), line, column }
}

#[test]
fn the_caret_stands_under_the_place() {
    let text = "id: a\n\tname: é!\n";
    assert_eq!(render(text, &at(2, 8)), "line 2, column 8: error[x]: no\n 2 | \tname: é!\n   | \t      ^");
    assert_eq!(
        render(text, &at(1, 99)),
        format!("line 1, column 99: error[x]: no\n 1 | id: a\n   | {}^", " ".repeat(5))
    );
}

#[test]
fn without_a_place_there_is_no_excerpt_and_a_place_outside_shows_nothing() {
    assert_eq!(render("a", &Diagnostic { line: None, ..at(1, 1) }), "error[x]: no");
    assert_eq!(render("", &at(9, 1)), "line 9, column 1: error[x]: no\n 9 | \n   | ^");
}

#[test]
fn an_excerpt_is_short_and_drives_no_terminal() {
    let text = format!("{}\u{1b}[2J{}", "a".repeat(500), "b".repeat(500));
    let shown = render(&text, &at(1, 501));
    assert!(!shown.contains('\u{1b}') && shown.lines().all(|line| line.chars().count() < 140), "{shown}");
    let lines: Vec<_> = shown.lines().collect();
    let caret = lines[2].chars().position(|c| c == '^');
    assert_eq!(caret.and_then(|at| lines[1].chars().nth(at)), Some('\u{fffd}'));
}

#[test]
fn every_code_is_in_the_reference() {
    let reference = include_str!("../../../docs/manifests-reference.md");
    for code in Code::ALL {
        assert!(
            reference.contains(&format!("`{}`", code.as_str())),
            "docs/manifests-reference.md lacks `{}`",
            code.as_str()
        );
    }
}
