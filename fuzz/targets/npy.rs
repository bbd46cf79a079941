#![no_main]

use chainrule_data::parse_npy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_npy(bytes) {
        assert!(!error.message().is_empty());
    }
});
