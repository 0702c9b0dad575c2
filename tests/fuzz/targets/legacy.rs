//! Any bytes after the header of a legacy stream: the object's pickle, the list of keys, the values.
#![no_main]

/// torch's magic number, protocol 1001 and a little-endian machine, each a pickle; then the object's protocol.
const HEAD: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}(U\x0dlittle_endian\x88u.\x80\x02";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mien_fuzz::check(&[HEAD, bytes].concat()));
