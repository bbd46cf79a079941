//! [`CsvValue`]: what a field of a CSV file can be.

use chainrule_tensor::Element;

/// What a column of a CSV file can be read as. White space around a value is left out.
///
/// | type | a field is |
/// |---|---|
/// | `f32`, `f64` | a decimal number, `inf` or `nan`, as Rust reads them |
/// | `i64` | an integer |
/// | `bool` | `true` or `false` in any case, `1` or `0` |
pub trait CsvValue: Element {
    #[doc(hidden)]
    const WHAT: &'static str;

    #[doc(hidden)]
    fn parse(text: &str) -> Option<Self>;

    /// What stands for a missing value, if there is such a value.
    #[doc(hidden)]
    fn missing() -> Option<Self> {
        None
    }
}

impl CsvValue for f32 {
    const WHAT: &'static str = "a number";

    fn parse(text: &str) -> Option<f32> {
        text.parse().ok()
    }

    fn missing() -> Option<f32> {
        Some(f32::NAN)
    }
}

impl CsvValue for f64 {
    const WHAT: &'static str = "a number";

    fn parse(text: &str) -> Option<f64> {
        text.parse().ok()
    }

    fn missing() -> Option<f64> {
        Some(f64::NAN)
    }
}

impl CsvValue for i64 {
    const WHAT: &'static str = "an integer";

    fn parse(text: &str) -> Option<i64> {
        text.parse().ok()
    }
}

impl CsvValue for bool {
    const WHAT: &'static str = "true or false";

    fn parse(text: &str) -> Option<bool> {
        match text {
            "1" => Some(true),
            "0" => Some(false),
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}
