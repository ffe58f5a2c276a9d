//! See [`lc_fuzz::ssz_objects`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::ssz_objects::check(data);
});
