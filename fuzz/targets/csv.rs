#![no_main]

use chainrule_data::{CsvFile, CsvOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let table = match CsvFile::parse(bytes) {
        Ok(table) => table,
        Err(error) => {
            assert!(!error.message().is_empty());
            return;
        }
    };
    for name in table.column_names().iter().take(8) {
        let _ = table.column::<f32>(name);
        let _ = table.column::<i64>(name);
        let _ = table.column::<bool>(name);
        let (numbers, classes) = table.classes(name).unwrap();
        assert!(classes.len() <= numbers.numel());
    }
    let options = CsvOptions::new().headers(false).delimiter(b';').missing_as_nan(true);
    if let Ok(unnamed) = options.parse(bytes) {
        assert!(!unnamed.column_names().is_empty());
    }
});
