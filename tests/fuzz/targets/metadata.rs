//! Any bytes as a model file's header; the length before it is added, because a fuzzer takes long to guess it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let length = (bytes.len() as u64).to_le_bytes();
    mien_fuzz::check_metadata(&[&length, bytes].concat());
    mien_fuzz::check_metadata(bytes);
});
