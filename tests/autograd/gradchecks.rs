//! `gradcheck` and `gradgradcheck` of what cannot be checked.

use std::cell::Cell;

use chainrule::autograd::{GradcheckOptions, gradcheck, gradcheck_with, gradgradcheck, gradgradcheck_with};
use chainrule::{DType, Error, ErrorKind, Result, Tensor};

use super::leaf;

type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>;

fn refused(result: Result<()>, kind: ErrorKind, words: &[&str]) -> Error {
    let error = result.expect_err("what cannot be checked");
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    words.iter().for_each(|w| assert!(error.to_string().contains(w), "{error} does not mention {w}"));
    error
}

/// Calls the first function `times` times, and the second from then on.
fn after<'a>(
    times: usize,
    first: Function<'a>,
    then: Function<'a>,
) -> impl Fn(&[Tensor]) -> Result<Vec<Tensor>> {
    let calls = Cell::new(0);
    move |x| {
        calls.set(calls.get() + 1);
        if calls.get() <= times { first(x) } else { then(x) }
    }
}

#[test]
fn functions_whose_outputs_change() {
    let one: Function<'_> = &|x| Ok(vec![x[0].square()?]);
    let none: Function<'_> = &|_| Ok(vec![]);
    let two: Function<'_> = &|x| Ok(vec![x[0].square()?, x[0].exp()?]);
    let summed: Function<'_> = &|x| Ok(vec![x[0].square()?.sum()?]);
    let wider: Function<'_> = &|x| Ok(vec![Tensor::cat(&[&x[0].square()?, &x[0]], 0)?]);
    let integer: Function<'_> = &|x| Ok(vec![x[0].to_dtype(DType::I64)?]);
    let single: Function<'_> = &|x| Ok(vec![x[0].to_dtype(DType::F32)?]);
    let x = [leaf(&[0.5, 2.0])];
    for times in 1..4 {
        for (changed, kind, words) in [
            (none, ErrorKind::Value, ["0 outputs", "1"]),
            (two, ErrorKind::Value, ["2 outputs", "1"]),
            (summed, ErrorKind::Shape, ["[]", "[2]"]),
            (wider, ErrorKind::Shape, ["[4]", "[2]"]),
            (integer, ErrorKind::DType, ["int64", "float64"]),
            (single, ErrorKind::DType, ["float32", "float64"]),
        ] {
            refused(gradcheck(after(times, one, changed), &x), kind, &words);
            refused(gradgradcheck(after(times, one, changed), &x), kind, &words);
        }
    }
    // Outputs that are tracked only now and then.
    let constant: Function<'_> = &|x| Ok(vec![x[0].detach().square()?]);
    refused(gradgradcheck(after(1, one, constant), &x), ErrorKind::Graph, &["output"]);
}

#[test]
fn inputs_and_outputs_without_derivatives() -> Result<()> {
    let x = leaf(&[0.5, 2.0]);
    let square: Function<'_> = &|x| Ok(vec![x[0].square()?]);
    let outside: Function<'_> = &|_| Ok(vec![x.square()?]);
    let needs = &["input", "requires a gradient"];
    for f in [square, outside] {
        refused(gradcheck(f, &[x.detach()]), ErrorKind::Graph, needs);
        refused(gradgradcheck(f, &[x.detach()]), ErrorKind::Graph, needs);
        refused(gradcheck(f, &[Tensor::new([1, 2])]), ErrorKind::Graph, needs);
    }
    refused(gradcheck(outside, &[]), ErrorKind::Graph, needs);
    refused(gradgradcheck(outside, &[]), ErrorKind::Graph, needs);
    let single = [Tensor::new([1.0]).requires_grad_(true)?];
    refused(gradcheck(square, &single), ErrorKind::DType, &["input 0", "float32"]);
    refused(gradgradcheck(square, &single), ErrorKind::DType, &["input 0", "float32"]);
    let to_single: Function<'_> = &|x| Ok(vec![x[0].to_dtype(DType::F32)?]);
    refused(gradcheck(to_single, std::slice::from_ref(&x)), ErrorKind::DType, &["output 0", "float32"]);
    refused(gradgradcheck(to_single, std::slice::from_ref(&x)), ErrorKind::DType, &["output 0", "float32"]);
    let no_outputs: Function<'_> = &|_| Ok(vec![]);
    refused(gradcheck(no_outputs, std::slice::from_ref(&x)), ErrorKind::Graph, &["no output"]);
    refused(gradgradcheck(no_outputs, std::slice::from_ref(&x)), ErrorKind::Graph, &["no output"]);
    let detached: Function<'_> = &|x| Ok(vec![x[0].detach()]);
    refused(gradcheck(detached, std::slice::from_ref(&x)), ErrorKind::Graph, &["no output"]);
    // Integers beside what is checked are left alone, as inputs and as outputs.
    let mixed: Function<'_> = &|x| Ok(vec![x[0].mul(&x[1])?, x[1].clone()]);
    gradcheck(mixed, &[x.clone(), Tensor::new([2, 3])])?;
    gradgradcheck(mixed, &[x.clone(), Tensor::new([2, 3])])?;
    // Nothing to differ, nothing that differs.
    gradcheck(square, &[Tensor::full([0], 1.0, DType::F64)?.requires_grad_(true)?])
}

#[test]
fn numbers_that_are_none() {
    let x = [leaf(&[0.5, -2.0])];
    refused(gradcheck(|x| Ok(vec![x[0].log()?]), &x), ErrorKind::NotFinite, &["output 0", "NaN"]);
    refused(gradgradcheck(|x| Ok(vec![x[0].log()?]), &x), ErrorKind::NotFinite, &["NaN"]);
    let infinite = |x: &[Tensor]| Ok(vec![x[0].add(f64::INFINITY)?]);
    refused(gradcheck(infinite, &x), ErrorKind::NotFinite, &["output 0", "inf"]);
    refused(
        gradcheck(|x| Ok(vec![x[0].square()?]), &[leaf(&[f64::NAN])]),
        ErrorKind::NotFinite,
        &["input 0"],
    );
}

#[test]
fn options_that_make_no_sense() -> Result<()> {
    let f = |x: &[Tensor]| Ok(vec![x[0].square()?]);
    let x = [leaf(&[0.5])];
    let plain = GradcheckOptions::default();
    let bad = [f64::NAN, -1.0, f64::INFINITY];
    for eps in [0.0].into_iter().chain(bad) {
        let options = GradcheckOptions { eps, ..plain };
        refused(gradcheck_with(f, &x, options), ErrorKind::Value, &["eps"]);
        refused(gradgradcheck_with(f, &x, options), ErrorKind::Value, &["eps"]);
    }
    for tolerance in bad {
        let options = GradcheckOptions { atol: tolerance, ..plain };
        refused(gradcheck_with(f, &x, options), ErrorKind::Value, &["atol"]);
        let options = GradcheckOptions { rtol: tolerance, ..plain };
        refused(gradcheck_with(f, &x, options), ErrorKind::Value, &["rtol"]);
    }
    // A distance that is lost beside the number.
    let large = [leaf(&[1e12])];
    refused(gradcheck(f, &large), ErrorKind::Value, &["eps", "input 0"]);
    gradcheck_with(f, &large, GradcheckOptions { eps: 1e6, ..plain })?;
    gradcheck_with(f, &x, GradcheckOptions { atol: 0.0, ..plain })
}

#[test]
fn an_error_of_the_function_is_passed_on() {
    let x = [leaf(&[0.5, 2.0])];
    let (line, fails) = (line!(), |x: &[Tensor]| Ok(vec![x[0].reshape([7])?]));
    for error in [gradcheck(fails, &x).unwrap_err(), gradgradcheck(fails, &x).unwrap_err()] {
        assert_eq!((error.operation(), error.location().unwrap().line()), ("reshape", line));
    }
}
