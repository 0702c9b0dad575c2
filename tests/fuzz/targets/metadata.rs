//! Any bytes as a model file's header: the length before it is given, as guessing it takes long.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let length = (bytes.len() as u64).to_le_bytes();
    mien_fuzz::check_metadata(&[&length, bytes].concat());
    mien_fuzz::check_metadata(bytes);
});
