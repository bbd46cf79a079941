//! [`CsvValue`]: what a field of a CSV file can be.

use chainrule_tensor::Element;

/// What a column of a CSV file can be read as. White space around a value is left out.
///
/// | type | a field is |
/// |---|---|
/// | `f32`, `f64` | a decimal number that is not beyond the greatest of the type, `inf` or `nan`, as Rust reads them |
/// | `i64` | an integer from -2^63 to 2^63 - 1 |
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

/// Whether a text that was read as an infinity says one in words. In digits it is a number that does not fit.
fn is_word(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_digit())
}

impl CsvValue for f32 {
    const WHAT: &'static str = "a number that fits into float32";

    fn parse(text: &str) -> Option<f32> {
        text.parse().ok().filter(|x: &f32| !x.is_infinite() || is_word(text))
    }

    fn missing() -> Option<f32> {
        Some(f32::NAN)
    }
}

impl CsvValue for f64 {
    const WHAT: &'static str = "a number that fits into float64";

    fn parse(text: &str) -> Option<f64> {
        text.parse().ok().filter(|x: &f64| !x.is_infinite() || is_word(text))
    }

    fn missing() -> Option<f64> {
        Some(f64::NAN)
    }
}

impl CsvValue for i64 {
    const WHAT: &'static str = "an integer that fits into int64";

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
