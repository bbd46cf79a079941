#![no_main]

use chainrule_data::IdxFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = IdxFile::parse(bytes) {
        assert!(!error.message().is_empty());
    }
});
