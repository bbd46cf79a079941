//! Printing: the text PyTorch shows for a tensor, character for character.
//!
//! Four digits after the point, or as many as the format asks for
//! (`{:.2}`); lines of 80 characters; of more than 1000 values only three at
//! each end of every dimension.

use std::fmt;

/// Values beyond which a tensor is summarised.
const THRESHOLD: usize = 1000;
/// Values beyond which nothing is shown but the size: of a tensor of many dimensions a summary may be without end too.
const MOST: usize = 1_000_000;
/// Values kept at each end of a summarised dimension.
const EDGE: usize = 3;
/// Characters on a line.
const LINE: usize = 80;
/// Digits after the decimal point.
const PRECISION: usize = 4;
/// Text before the values, whose length later lines are indented by.
const PREFIX: &str = "tensor(";

/// A tensor's values, by their position in row-major order.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    /// Floating-point numbers.
    Float(&'a dyn Fn(usize) -> f64),
    /// Integers.
    Int(&'a dyn Fn(usize) -> i64),
    /// Booleans.
    Bool(&'a dyn Fn(usize) -> bool),
}

/// Writes a tensor as PyTorch does.
///
/// `dtype` is PyTorch's name without `torch.`, such as `float32`. `autograd` is
/// what is to be said of the graph, `requires_grad=True` or
/// `grad_fn=<ExpBackward0>`.
pub(crate) fn format(
    f: &mut fmt::Formatter<'_>,
    shape: &[usize],
    values: Values<'_>,
    dtype: &str,
    autograd: Option<&str>,
) -> fmt::Result {
    let empty = shape.contains(&0);
    let summarise = !empty && shape.iter().product::<usize>() > THRESHOLD;
    let each = |&size: &usize| if summarise { size.min(2 * EDGE) } else { size };
    let hidden = shape.iter().map(each).fold(1, usize::saturating_mul) > MOST;
    let mut text = String::from(PREFIX);
    if empty {
        text.push_str("[]");
    } else if hidden {
        text.push_str("...");
    } else {
        let mut shown = Vec::new();
        positions(shape, 0, summarise, &mut shown);
        let style = Style::of(values, &shown, f.precision().unwrap_or(PRECISION));
        Writer { values, style, summarise }.write(&mut text, shape, 0, PREFIX.len());
    }

    let size = (hidden || empty && shape.len() != 1).then(|| size(shape));
    let implied = dtype == "float32" || !empty && matches!(dtype, "int64" | "bool");
    let dtype = (!implied).then(|| format!("dtype=torch.{dtype}"));
    append_suffixes(&mut text, [size.as_deref(), dtype.as_deref(), autograd]);
    text.push(')');
    f.write_str(&text)
}

/// The size of an empty tensor, written as a Python tuple.
fn size(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("size=({})", sizes.join(", "))
}

/// Adds what follows the values, on a new line where it would not fit.
fn append_suffixes(text: &mut String, suffixes: [Option<&str>; 3]) {
    // PyTorch takes the last line for two characters longer than it is.
    let mut length = text.len() - text.rfind('\n').map_or(0, |newline| newline + 1) + 2;
    for suffix in suffixes.into_iter().flatten() {
        if length + suffix.len() + 2 > LINE {
            text.push_str(",\n");
            push_spaces(text, PREFIX.len());
            length = PREFIX.len() + suffix.len();
        } else {
            text.push_str(", ");
            length += suffix.len() + 2;
        }
        text.push_str(suffix);
    }
}

fn push_spaces(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n(' ', count));
}

/// The indices printed of a dimension; `None` stands for those left out.
fn indices(size: usize, summarise: bool) -> impl Iterator<Item = Option<usize>> {
    let skip = summarise && size > 2 * EDGE;
    let front = if skip { EDGE } else { size };
    let back = if skip { size - EDGE } else { size };
    (0..front).map(Some).chain(skip.then_some(None)).chain((back..size).map(Some))
}

/// Collects the positions of all values printed, in order.
fn positions(shape: &[usize], first: usize, summarise: bool, shown: &mut Vec<usize>) {
    match shape.split_first() {
        None => shown.push(first),
        Some((&size, rest)) => {
            let stride: usize = rest.iter().product();
            for i in indices(size, summarise).flatten() {
                positions(rest, first + i * stride, summarise, shown);
            }
        }
    }
}

/// How single values are written: one choice for all values of a tensor.
struct Style {
    notation: Notation,
    precision: usize,
    width: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Notation {
    /// `1.`
    Whole,
    /// `1.5000`
    Fixed,
    /// `1.5000e+00`
    Scientific,
}

impl Style {
    /// The style that suits the values shown. Zeros and what is not finite have
    /// no part in the choice, nor in the width.
    fn of(values: Values<'_>, shown: &[usize], precision: usize) -> Style {
        let mut style = Style { notation: Notation::Whole, precision, width: 1 };
        let mut decisive = shown.to_vec();
        if let Values::Float(at) = values {
            decisive.retain(|&i| at(i).is_finite() && at(i) != 0.0);
            style.notation = notation(decisive.iter().map(|&i| at(i)));
        }
        let width = decisive.iter().map(|&i| style.text(values, i).len()).max().unwrap_or(0);
        style.width = style.width.max(width);
        style
    }

    /// A value without padding.
    fn text(&self, values: Values<'_>, position: usize) -> String {
        match values {
            Values::Int(at) => at(position).to_string(),
            Values::Bool(at) => String::from(if at(position) { "True" } else { "False" }),
            Values::Float(at) => self.float(at(position)),
        }
    }

    fn float(&self, value: f64) -> String {
        let precision = self.precision;
        if value.is_nan() {
            return String::from("nan");
        }
        if value.is_infinite() {
            return String::from(if value > 0.0 { "inf" } else { "-inf" });
        }
        match self.notation {
            Notation::Whole => format!("{value:.0}."),
            Notation::Fixed => format!("{value:.precision$}"),
            Notation::Scientific => {
                let text = format!("{value:.precision$e}");
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, digits) = match exponent.strip_prefix('-') {
                    Some(digits) => ('-', digits),
                    None => ('+', exponent),
                };
                format!("{mantissa}e{sign}{digits:0>2}")
            }
        }
    }
}

fn notation(values: impl Iterator<Item = f64>) -> Notation {
    let (mut least, mut greatest, mut whole) = (f64::INFINITY, 0.0_f64, true);
    for value in values {
        least = least.min(value.abs());
        greatest = greatest.max(value.abs());
        whole &= value.fract() == 0.0;
    }
    if greatest > 0.0 && (greatest / least > 1000.0 || greatest > 1e8 || least < 1e-4) {
        Notation::Scientific
    } else if whole {
        Notation::Whole
    } else {
        Notation::Fixed
    }
}

struct Writer<'a> {
    values: Values<'a>,
    style: Style,
    summarise: bool,
}

impl Writer<'_> {
    /// Writes the part of the tensor that starts at position `first`; lines
    /// after the first are indented by `indent` and the opening brackets.
    fn write(&self, text: &mut String, shape: &[usize], first: usize, indent: usize) {
        match shape {
            [] => self.value(text, first),
            [size] => self.vector(text, *size, first, indent),
            [size, rest @ ..] => {
                let stride: usize = rest.iter().product();
                text.push('[');
                for (nth, index) in indices(*size, self.summarise).enumerate() {
                    if nth > 0 {
                        text.push(',');
                        text.extend(std::iter::repeat_n('\n', rest.len()));
                        push_spaces(text, indent + 1);
                    }
                    match index {
                        Some(i) => self.write(text, rest, first + i * stride, indent + 1),
                        None => text.push_str("..."),
                    }
                }
                text.push(']');
            }
        }
    }

    fn vector(&self, text: &mut String, size: usize, first: usize, indent: usize) {
        let per_line = (LINE.saturating_sub(indent) / (self.style.width + 2)).max(1);
        text.push('[');
        for (nth, index) in indices(size, self.summarise).enumerate() {
            if nth > 0 && nth % per_line == 0 {
                text.push_str(",\n");
                push_spaces(text, indent + 1);
            } else if nth > 0 {
                text.push_str(", ");
            }
            match index {
                Some(i) => self.value(text, first + i),
                None => text.push_str(" ..."),
            }
        }
        text.push(']');
    }

    /// A value, padded on the left to the common width.
    fn value(&self, text: &mut String, position: usize) {
        let value = self.style.text(self.values, position);
        push_spaces(text, self.style.width.saturating_sub(value.len()));
        text.push_str(&value);
    }
}

#[cfg(test)]
mod tests;
