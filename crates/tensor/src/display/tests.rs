//! Texts printed by PyTorch 2.15, compared character for character.

mod layout;
mod suffixes;
mod summaries;
mod values;

use std::fmt;

use super::{Values, format};

enum Data {
    Float(Vec<f64>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

/// What is to be printed.
struct Sample {
    shape: Vec<usize>,
    data: Data,
    dtype: &'static str,
    autograd: Option<&'static str>,
    precision: Option<usize>,
}

fn sample(shape: impl Into<Vec<usize>>, data: Data, count: usize, dtype: &'static str) -> Sample {
    let shape = shape.into();
    assert_eq!(count, shape.iter().product::<usize>(), "a sample with other values than its shape has");
    Sample { shape, data, dtype, autograd: None, precision: None }
}

fn float32(shape: impl Into<Vec<usize>>, values: impl Into<Vec<f64>>) -> Sample {
    let values: Vec<f64> = values.into().into_iter().map(|value| f64::from(value as f32)).collect();
    let count = values.len();
    sample(shape, Data::Float(values), count, "float32")
}

fn float64(shape: impl Into<Vec<usize>>, values: impl Into<Vec<f64>>) -> Sample {
    let values = values.into();
    let count = values.len();
    sample(shape, Data::Float(values), count, "float64")
}

fn int64(shape: impl Into<Vec<usize>>, values: impl Into<Vec<i64>>) -> Sample {
    let values = values.into();
    let count = values.len();
    sample(shape, Data::Int(values), count, "int64")
}

fn bool(shape: impl Into<Vec<usize>>, values: impl Into<Vec<bool>>) -> Sample {
    let values = values.into();
    let count = values.len();
    sample(shape, Data::Bool(values), count, "bool")
}

impl Sample {
    fn autograd(mut self, text: &'static str) -> Self {
        self.autograd = Some(text);
        self
    }

    fn precision(mut self, digits: usize) -> Self {
        self.precision = Some(digits);
        self
    }

    #[track_caller]
    fn prints(self, want: &str) {
        let got = match self.precision {
            None => self.to_string(),
            Some(precision) => format!("{self:.precision$}"),
        };
        assert_eq!(got, want, "\ngot:\n{got}\nwant:\n{want}");
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let print = |f: &mut _, values| format(f, &self.shape, values, self.dtype, self.autograd);
        match &self.data {
            Data::Float(values) => print(f, Values::Float(&|i| values[i])),
            Data::Int(values) => print(f, Values::Int(&|i| values[i])),
            Data::Bool(values) => print(f, Values::Bool(&|i| values[i])),
        }
    }
}

/// 0, 1, 2, …
fn first(count: usize) -> Vec<i64> {
    (0..count as i64).collect()
}

/// 0, ½, 1, …
fn halves(count: usize) -> Vec<f64> {
    (0..count).map(|i| i as f64 / 2.0).collect()
}

/// 1 000 000, 2 000 000, …
fn millions(count: usize) -> Vec<f64> {
    (1..=count).map(|i| i as f64 * 1e6).collect()
}

/// true, false, true, …
fn alternating(count: usize) -> Vec<bool> {
    (0..count).map(|i| i % 2 == 0).collect()
}
