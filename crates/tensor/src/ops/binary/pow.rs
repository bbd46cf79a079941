//! Power.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, Saves, Scalar, Unary, binary, flat, unary};
use crate::table::{Kink, Refusal, Row, Sample, uniform, values};
use crate::{DType, Result, Tensor, bail};
use chainrule_kernels::Float;

/// With a tensor in the exponent.
#[derive(Clone, Copy)]
struct Pow;

impl Binary for Pow {
    const NAME: &'static str = "pow";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1), Save::Output(0)];
    const COST_NS: f64 = 10.0;
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| match (a, u64::try_from(b)) {
        (_, Ok(b)) => wrapping_power(a, b),
        // 1 / aⁿ, cut off towards zero.
        (1, _) => 1,
        (-1, _) => 1 - 2 * (b & 1),
        _ => 0,
    });
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a.powf(b)
    }
    // daᵇ/da = b·aᵇ⁻¹ and daᵇ/db = aᵇ·ln a, where 0 times an infinity is 0: for b = 0 whatever a is, for an infinite b
    // where aᵇ⁻¹ vanishes, for a = 0 ≤ b, and for a = ∞ where aᵇ vanishes.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b, y) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?);
        Ok([
            ctx.when_needed(0, || {
                let power = a.pow(&b.sub(1.0)?)?;
                let (constant, vanishing) = (b.eq(0.0)?, power.eq(0.0)?.logical_and(&infinite(b)?)?);
                // Only what would be no number: the derivative of b·aᵇ⁻¹ with respect to b = 0 is none of them.
                let endless = |x: &Tensor| constant.logical_and(&x.isfinite()?.logical_not()?);
                let zero = endless(&power)?.logical_or(&vanishing)?;
                g.masked_fill(&endless(g)?, 0.0)?.mul(&b.mul(&power)?.masked_fill(&zero, 0.0)?)
            })?,
            ctx.when_needed(1, || {
                let zero = a.eq(0.0)?.logical_and(&b.ge(0.0)?)?;
                let vanishing = a.eq(f64::INFINITY)?.logical_and(&b.lt(0.0)?)?;
                // The logarithm is 0, not only the product, so that its slope stays out of second derivatives too.
                g.mul(&y.mul(&a.masked_fill(&zero.logical_or(&vanishing)?, 1.0)?.log()?)?)
            })?,
        ])
    }
}

/// aⁿ modulo 2⁶⁴, by squaring: standard powers take exponents of 32 bits only.
fn wrapping_power(a: i64, mut n: u64) -> i64 {
    let (mut power, mut square) = (1i64, a);
    while n > 0 {
        if n & 1 == 1 {
            power = power.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        n >>= 1;
    }
    power
}

/// Whether an element is ∞ or −∞.
fn infinite(x: &Tensor) -> Result<Tensor> {
    x.abs()?.eq(f64::INFINITY)
}

/// With a number in the exponent.
#[derive(Clone, Copy)]
struct PowNumber(f64);

impl Unary for PowNumber {
    const NAME: &'static str = "pow";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 10.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.powf(T::of(self.0))
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        // Of an infinite power the derivative is 0 where it vanishes.
        if self.0 == 0.0 { T::ZERO } else { g * x.powf(T::of(self.0 - 1.0)).times(T::of(self.0)) }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        if self.0 == 0.0 {
            return flat(g);
        }
        let power = x.pow(self.0 - 1.0)?;
        let slope = power.mul(self.0)?;
        g.mul(&if self.0.is_finite() { slope } else { slope.masked_fill(&power.eq(0.0)?, 0.0)? })
    }
}

/// The cube, which needs no logarithm.
#[derive(Clone, Copy)]
struct Cube;

impl Unary for Cube {
    const NAME: &'static str = "pow";
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x * x * x
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * (T::of(3.0) * (x * x))
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(&x.square()?.mul(3.0)?)
    }
}

impl Tensor {
    /// xʸ, element by element, with broadcasting, for a number or a tensor y (PyTorch: `torch.pow`). 0⁰ is 1,
    /// and a negative x with a y that is not an integer gives NaN. The numbers −1, −½, ½, 1, 2 and 3 are fast.
    ///
    /// Integers to the power of integers are integers, and wrap around.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, 2.0, 3.0]);
    /// assert_eq!(x.pow(3.0)?.to_vec::<f32>()?, [1.0, 8.0, 27.0]);
    /// assert_eq!(x.pow(&x)?.to_vec::<f32>()?, [1.0, 4.0, 27.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast, for integers to the power of a negative integer number, and for two
    /// `bool` tensors.
    #[track_caller]
    pub fn pow<'a>(&'a self, exponent: impl Into<Operand<'a>>) -> Result<Tensor> {
        let number = match exponent.into() {
            tensor @ Operand::Tensor(_) => return binary(self, tensor, Pow),
            Operand::Scalar(number) => number,
        };
        match number {
            Scalar::Float(_) => {}
            _ if self.dtype().is_float() => {}
            Scalar::Int(n) if n < 0 => {
                bail!(Value, "pow", "integers to the power of the negative integer {n}: use a float")
            }
            _ => return binary(&self.to_dtype(DType::I64)?, number, Pow),
        }
        let exponent = number.to_f64();
        match exponent {
            -1.0 => self.reciprocal(),
            -0.5 => self.rsqrt(),
            0.5 => self.sqrt(),
            1.0 => self.to_dtype(self.dtype().to_float()),
            2.0 => self.to_dtype(self.dtype().to_float())?.square(),
            3.0 => unary(self, Cube),
            _ => unary(self, PowNumber(exponent)),
        }
    }
}

pub(super) const ROW: Row = Row {
    kinks: || {
        vec![
            Kink { at: 0.0, call: |x| x.pow(0.0), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.pow(&Tensor::new([0.0])), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.pow(1.0), derivative: 1.0 },
            Kink { at: 0.0, call: |x| x.pow(2.5), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.pow(0.5), derivative: f64::INFINITY },
            // The exponent's derivative.
            Kink { at: 0.0, call: |y| Tensor::new([0.0]).pow(y), derivative: 0.0 },
            Kink { at: 2.0, call: |y| Tensor::new([0.0]).pow(y), derivative: 0.0 },
            Kink { at: -1.0, call: |y| Tensor::new([0.0]).pow(y), derivative: f64::NEG_INFINITY },
            Kink { at: 2.0, call: |y| Tensor::new([-2.0]).pow(y), derivative: f64::NAN },
        ]
    },
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[4]"], || values(1, [2, 3]).pow(&values(2, [4]))),
            Refusal::new(&["-2"], || Tensor::new([1, 2]).pow(-2)),
            Refusal::new(&["bool"], || Tensor::new([true]).pow(&Tensor::new([true]))),
        ]
    },
    bench: &[
        (&[&[1_000_000]], |x| Ok(vec![x[0].pow(2.0)?])),
        (&[&[1_000_000]], |x| Ok(vec![x[0].pow(1.7)?])),
        (&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].pow(&x[1])?])),
    ],
    ..Row::new("pow", "torch.pow", || {
        let x = || uniform(1, [2, 3], 0.3, 2.0);
        let number = |label, e: f64| Sample::new(label, [uniform(1, [2, 3], 0.3, 2.0)], move |x| x[0].pow(e));
        vec![
            number("1.7", 1.7),
            number("-1", -1.0),
            number("-1/2", -0.5),
            number("1/2", 0.5),
            number("1", 1.0),
            number("0", 0.0).flat(),
            Sample::new("2, of either sign", [values(1, [2, 3])], |x| x[0].pow(2.0)),
            Sample::new("3, of either sign", [values(1, [2, 3])], |x| x[0].pow(3.0)),
            Sample::new("tensor", [x(), values(2, [2, 3])], |x| x[0].pow(&x[1])),
            Sample::new("broadcast", [x(), values(2, [4, 1, 1])], |x| x[0].pow(&x[1])),
        ]
    })
};
