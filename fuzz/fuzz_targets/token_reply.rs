//! Fuzzes `mortise_properties::token_reply`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| mortise_properties::token_reply(bytes));
