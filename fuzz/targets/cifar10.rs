#![no_main]

use chainrule_data::Cifar10;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = Cifar10::parse(bytes) {
        assert!(!error.message().is_empty());
    }
});
