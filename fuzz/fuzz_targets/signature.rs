//! See [`lc_fuzz::signature`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::signature::check(data);
});
