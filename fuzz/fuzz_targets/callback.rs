//! Fuzzes `mortise_properties::callback`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| mortise_properties::callback(bytes));
