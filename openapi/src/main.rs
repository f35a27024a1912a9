//! OpenAPI.
fn main() {}
