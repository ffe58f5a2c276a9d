//! See [`lc_fuzz::eth_get_proof_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::eth_get_proof_json::check(data);
});
