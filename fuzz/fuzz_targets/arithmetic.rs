//! See [`lc_fuzz::arithmetic`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::arithmetic::check(data);
});
