//! Operations that a user adds: what the engine makes of a wrong one.

use chainrule::autograd::{Backward, Context, Save, gradcheck, gradgradcheck, record, record_many};
use chainrule::{DType, ErrorKind, Result, Tensor};

use super::{leaf, values};

/// An operation of a user's own, with a fused way back beside the formula.
struct Cube;

impl Backward for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let x = ctx.saved(0)?;
        Ok(vec![Some(ctx.grad()?.mul(&x.mul(x)?.mul(3.0)?)?)])
    }
    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.contiguous()?, ctx.saved(0)?);
        let (g, x) = (g.as_slice::<f64>()?, x.as_slice::<f64>()?);
        let grad = Tensor::build([x.len()], |out: &mut [f64]| {
            out.iter_mut().zip(g.iter().zip(x)).for_each(|(o, (g, x))| *o = g * 3.0 * x * x);
        })?;
        Ok(vec![Some(grad)])
    }
}

fn cube(x: &Tensor) -> Result<Tensor> {
    let values = x.to_vec::<f64>()?;
    let y = Tensor::from_vec(values.iter().map(|v| v * v * v).collect(), x.shape())?;
    record(Cube, &[x], &[Save::Input(0)], y)
}

#[test]
fn an_operation_from_outside_is_checked_like_ours() -> Result<()> {
    let x = leaf(&[0.5, -1.5, 2.0]);
    gradcheck(|x| Ok(vec![cube(&x[0])?]), std::slice::from_ref(&x))?;
    gradgradcheck(|x| Ok(vec![cube(&x[0])?]), std::slice::from_ref(&x))?;
    let wrong = |x: &[Tensor]| Ok(vec![cube(&x[0])?.detach().add(&x[0])?]);
    assert!(gradcheck(wrong, &[x]).is_err(), "a wrong gradient is noticed");
    Ok(())
}

/// Passes its input on, and gives a gradient of ones of any shape and dtype back.
struct Gives(Vec<usize>, DType);

impl Backward for Gives {
    fn name(&self) -> &'static str {
        "gives"
    }
    fn backward(&self, _: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(Tensor::full(self.0.as_slice(), 1.0, self.1)?)])
    }
}

/// The gradient of an input of the given shape when its operation gives one of another.
fn gradient_of(input: &[usize], shape: &[usize], dtype: DType) -> Result<Tensor> {
    let x = Tensor::full(input, 1.0, DType::F64)?.requires_grad_(true)?;
    record(Gives(shape.to_vec(), dtype), &[&x], &[], x.detach())?.sum()?.backward()?;
    Ok(x.grad().expect("a gradient"))
}

#[test]
fn a_gradient_is_refused_unless_the_input_broadcasts_to_its_shape() -> Result<()> {
    for shape in
        [&[3, 2][..], &[6], &[3], &[2], &[1], &[], &[2, 1], &[1, 3], &[2, 3, 1], &[3, 2, 3, 1], &[0, 3]]
    {
        let error = gradient_of(&[2, 3], shape, DType::F64).expect_err("a gradient of another shape");
        assert_eq!(error.operation(), "gives", "{error}");
        let text = error.to_string();
        for word in ["[2, 3]", &format!("shape {shape:?}"), "input 0", file!()] {
            assert!(text.contains(word), "{text} does not mention {word}");
        }
    }
    // What broadcasting of the input leads to is summed down.
    assert_eq!(values(&gradient_of(&[2, 3], &[2, 3], DType::F64)?), [1.0; 6]);
    assert_eq!(values(&gradient_of(&[2, 3], &[4, 1, 2, 3], DType::F64)?), [4.0; 6]);
    assert_eq!(values(&gradient_of(&[1, 3], &[2, 5, 3], DType::F64)?), [10.0; 3]);
    assert_eq!(values(&gradient_of(&[1, 3], &[0, 3], DType::F64)?), [0.0; 3]);
    assert_eq!(values(&gradient_of(&[], &[7], DType::F64)?), [7.0]);
    Ok(())
}

#[test]
fn a_gradient_of_another_dtype_is_refused() {
    for dtype in [DType::F32, DType::I64, DType::Bool] {
        let error = gradient_of(&[2], &[2], dtype).expect_err("a gradient of another dtype");
        let text = error.to_string();
        for word in ["gives", dtype.name(), "float64", "input 0", file!()] {
            assert!(text.contains(word), "{text} does not mention {word}");
        }
    }
}

#[test]
fn saving_what_is_not_there_is_refused_when_recorded() {
    let x = leaf(&[1.0]);
    for (save, words) in
        [(Save::Input(1), ["input 1", "1 input"]), (Save::Output(2), ["output 2", "1 output"])]
    {
        let line = line!() + 1;
        let error = record(Cube, &[&x], &[save], x.detach()).expect_err("a wrong index");
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Index, "cube"));
        assert_eq!(error.location().unwrap().line(), line);
        words.iter().for_each(|w| assert!(error.message().contains(w), "{error} does not mention {w}"));
    }
    let outputs = vec![x.detach(), x.detach()];
    let error = record_many(Cube, &[&x], &[Save::Output(2)], outputs).expect_err("a wrong index");
    assert!(error.message().contains("output 2") && error.message().contains("2 outputs"), "{error}");
}

/// Asks its context for something on the way back.
struct Asks(fn(&Context<'_>) -> Result<()>);

impl Backward for Asks {
    fn name(&self) -> &'static str {
        "asks"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        (self.0)(ctx)?;
        Ok(vec![ctx.grad_of(1)?.cloned(), None])
    }
}

#[test]
fn asking_for_what_there_is_not_is_an_error_of_the_pass() -> Result<()> {
    type Ask = fn(&Context<'_>) -> Result<()>;
    let cases: [(Ask, ErrorKind, &str); 5] = [
        (|ctx| ctx.saved(1).map(drop), ErrorKind::Index, "saved tensor 1 of 1"),
        (|ctx| ctx.needs(2).map(drop), ErrorKind::Index, "input 2 of 2"),
        (|ctx| ctx.when_needed(5, || Tensor::zeros([1])).map(drop), ErrorKind::Index, "input 5 of 2"),
        (|ctx| ctx.grad_of(3).map(drop), ErrorKind::Index, "output 3 of 3"),
        (|ctx| ctx.grad().map(drop), ErrorKind::Graph, "first of 3 outputs"),
    ];
    // Two inputs, one saved tensor, three outputs of which the one in the middle gets a gradient.
    let pass = |ask: Ask| -> Result<Tensor> {
        let (x, y) = (leaf(&[1.0]), leaf(&[2.0]));
        let outputs = vec![x.detach(), x.detach(), x.detach()];
        record_many(Asks(ask), &[&x, &y], &[Save::Input(1)], outputs)?[1].sum()?.backward()?;
        assert!(y.grad().is_none());
        Ok(x.grad().expect("a gradient"))
    };
    for (ask, kind, words) in cases {
        let error = pass(ask).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, "asks"), "{error}");
        for word in [words, "going back through asks", file!()] {
            assert!(error.to_string().contains(word), "{error} does not mention {word}");
        }
    }
    let right: Ask = |ctx| {
        assert!(ctx.needs(0)? && ctx.needs(1)? && ctx.grad_of(0)?.is_none());
        assert_eq!(ctx.saved(0)?.item()?, 2.0);
        Ok(())
    };
    assert_eq!(values(&pass(right)?), [1.0]);
    Ok(())
}
