//! The committed documents are what the service says.

use mortise_openapi::{Generated, generated};

#[test]
fn the_committed_documents_are_current() {
    for Generated { path, text } in generated().unwrap() {
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} is not current: run `cargo run -p mortise-openapi -- write`", path.display());
    }
}
