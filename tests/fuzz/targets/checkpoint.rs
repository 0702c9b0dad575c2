//! Any bytes as a checkpoint.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mien_fuzz::check(bytes));
