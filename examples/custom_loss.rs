//! A loss of one's own in two ways: as a function of tensors, and as one fused operation.
//!
//!     cargo run --release --example custom_loss
//!
//! The loss is that of quantiles, which PyTorch lacks: of an error d = target − prediction it takes q·d where the
//! target is above, and (1 − q)·(−d) where it is below. Trained with q = 0.9, a model predicts what nine of ten
//! targets stay below.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::autograd::{gradcheck, gradgradcheck};
use chainrule::loss::elementwise::{ElementwiseLoss, Float, elementwise};
use chainrule::prelude::*;

/// In the first way there is nothing to do but to write it down: the gradient is that of the operations.
fn quantile_loss(prediction: &Tensor, target: &Tensor, q: f64, reduction: Reduction) -> Result<Tensor> {
    let d = target.sub(prediction)?;
    reduction.reduce(&d.mul(q)?.maximum(&d.mul(q - 1.0)?)?)
}

/// In the second way the derivative is written down too; value, reduction and gradient are then one pass over memory
/// each. The type holds the options.
#[derive(Clone, Copy)]
struct Quantile {
    q: f64,
}

impl ElementwiseLoss for Quantile {
    const NAME: &'static str = "quantile_loss";

    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let d = y - x;
        if d > T::ZERO { T::of(self.q) * d } else { T::of(self.q - 1.0) * d }
    }

    /// The derivative with respect to the prediction (operand 0) or the target (1).
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let slope = if y > x { T::of(self.q) } else { T::of(self.q - 1.0) };
        if operand == 0 { -slope } else { slope }
    }

    /// The same with tensor operations, for gradients of gradients.
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let slope = y.gt(x)?.to_dtype(x.dtype())?.add(self.q - 1.0)?;
        if operand == 0 { slope.neg() } else { Ok(slope) }
    }
}

fn fused_quantile_loss(prediction: &Tensor, target: &Tensor, q: f64, reduction: Reduction) -> Result<Tensor> {
    elementwise(Quantile { q }, [prediction, target], None, reduction)
}

fn main() -> Result<()> {
    manual_seed(0);
    // That the derivative belongs to the value is for gradcheck to say, in f64.
    let leaf = || Tensor::randn([8])?.to_dtype(DType::F64)?.requires_grad_(true);
    let inputs = [leaf()?, leaf()?];
    let call = |x: &[Tensor]| Ok(vec![fused_quantile_loss(&x[0], &x[1], 0.9, Reduction::Mean)?]);
    gradcheck(call, &inputs)?;
    gradgradcheck(call, &inputs)?;
    let plain = quantile_loss(&inputs[0], &inputs[1], 0.9, Reduction::Mean)?;
    println!("as a function of tensors: {:.6}", plain.item()?);
    println!("as one operation:         {:.6}", call(&inputs)?[0].item()?);

    // Noise with a spread that grows with x.
    let x = Tensor::rand([2000, 1])?;
    let y = x.mul(2.0)?.add(&Tensor::randn([2000, 1])?.mul(&x)?)?;
    for q in [0.1, 0.5, 0.9] {
        let model = Linear::new(1, 1)?;
        let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 0.02, ..Default::default() })?;
        for _ in 0..500 {
            optimizer.zero_grad();
            fused_quantile_loss(&model.forward(&x)?, &y, q, Reduction::Mean)?.backward()?;
            optimizer.step()?;
        }
        let below = no_grad(|| y.lt(&model.forward(&x)?)?.sum()?.item())? / 2000.0;
        println!("q = {q}: {:.1} % of the targets are below the prediction", 100.0 * below);
    }
    Ok(())
}
