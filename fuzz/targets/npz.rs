#![no_main]

use chainrule_data::parse_npz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_npz(bytes) {
        assert!(!error.message().is_empty());
    }
});
