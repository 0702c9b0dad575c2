//! Gives the tests of launches a place for their files.
fn main() {}
