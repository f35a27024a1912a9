use super::*;

#[test]
fn names_differ_and_a_living_process_keeps_its_own() {
    let (first, second) = (unique_name(), unique_name());
    assert_ne!(first, second);
    assert!(!is_leftover(&first));
}

#[test]
fn only_a_dead_process_leaves_something_behind() {
    // The largest process id that Linux hands out is 4194304.
    assert!(is_leftover("t_4999999_0"));
    assert!(!is_leftover("template_0011223344556677"));
    assert!(!is_leftover("postgres"));
    assert!(!is_leftover("t_"));
}
