//! See [`lc_fuzz::rlp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::rlp::check(data);
});
