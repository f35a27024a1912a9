//! Fuzzes `mortise_properties::discovery`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| mortise_properties::discovery(bytes));
