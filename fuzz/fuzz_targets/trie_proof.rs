//! See [`lc_fuzz::trie_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    lc_fuzz::trie_proof::check(data);
});
