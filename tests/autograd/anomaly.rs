//! Anomaly detection: a NaN is one, an infinity that was asked for is none.

use chainrule::autograd::{self, Backward, Context, record};
use chainrule::{ErrorKind, Result, Tensor};

use super::{leaf, values};

#[test]
fn it_names_operation_and_line() -> Result<()> {
    let x = leaf(&[1.0, -1.0]);
    let _guard = autograd::detect_anomaly();
    let line = line!() + 1;
    let error = x.log().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFinite);
    assert_eq!(error.location().unwrap().line(), line);
    assert!(error.to_string().contains("log") && error.to_string().contains("NaN at element 1"), "{error}");
    // Backward: √x³ is 0 at 0, and its derivative there by the chain rule is ∞ · 0.
    let x = leaf(&[4.0, 0.0]);
    let line = line!() + 1;
    let y = x.pow(3.0)?.sqrt()?.sum()?;
    let error = y.backward().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFinite);
    let text = error.to_string();
    assert!(text.contains("pow") && text.contains(&format!("{}:{line}", file!())), "{text}");
    assert!(x.grad().is_none());
    Ok(())
}

/// As PyTorch, which looks for NaN.
#[test]
fn intended_infinities_are_none() -> Result<()> {
    let scores = Tensor::from_vec(vec![0.0, 1.0, 2.0, 3.0], [2, 2])?.requires_grad_(true)?;
    let _guard = autograd::detect_anomaly();
    let hidden = Tensor::from_vec(vec![false, true, false, false], [2, 2])?;
    let seen = scores.masked_fill(&hidden, f64::NEG_INFINITY)?;
    let weights = seen.softmax(-1)?;
    assert_eq!(values(&weights)[..2], [1.0, 0.0]);
    weights.square()?.sum()?.backward()?;
    // Of the second row: 2·p·q·(p − q) for p = 1/(1 + e), and its negative.
    let p = 1.0 / (1.0 + 1f64.exp());
    let g = 2.0 * p * (1.0 - p) * (2.0 * p - 1.0);
    let got = values(&scores.grad().unwrap());
    assert_eq!(got[..2], [0.0, 0.0]);
    assert!((got[2] - g).abs() < 1e-15 && (got[3] + g).abs() < 1e-15, "{got:?} for ±{g}");

    // Values and gradients that are infinite by themselves: ln 0 and the derivative of √x at 0.
    let zero = leaf(&[0.0]);
    assert_eq!(zero.log()?.item()?, f64::NEG_INFINITY);
    zero.sqrt()?.sum()?.backward()?;
    assert_eq!(values(&zero.grad().unwrap()), [f64::INFINITY]);
    // What becomes NaN of infinities is found.
    let infinite = zero.log()?;
    assert_eq!(infinite.sub(&infinite).unwrap_err().kind(), ErrorKind::NotFinite);
    Ok(())
}

/// Gives a NaN back.
struct GivesNan;

impl Backward for GivesNan {
    fn name(&self) -> &'static str {
        "gives_nan"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(Tensor::full(ctx.grad()?.shape(), f64::NAN, ctx.grad()?.dtype())?)])
    }
}

#[test]
fn a_pass_that_finds_one_leaves_the_graph() -> Result<()> {
    let (x, w) = (leaf(&[1.0]), leaf(&[2.0]));
    let y = (record(GivesNan, &[&x], &[], x.detach())? * w.square()?).sum()?;
    let guard = autograd::detect_anomaly();
    assert!(y.backward().unwrap_err().to_string().contains("gives_nan"));
    drop(guard);
    y.backward()?;
    assert_eq!(values(&w.grad().unwrap()), [4.0]);
    assert!(x.grad().unwrap().item()?.is_nan());
    Ok(())
}
