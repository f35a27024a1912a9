//! Hostile input at the API, row by row of `docs/hostile-input.md`: manifests (E) and what a token endpoint says (T).

mod manifests;
mod replies;
