//! A build script, so that the tests of launches have an `OUT_DIR`.
fn main() {}
