//! Which loss for which task.
//!
//!     cargo run --release --example which_loss
//!
//! | the target is | loss | what the model gives |
//! |---|---|---|
//! | a number, its errors are like noise | `MSELoss` | the number: the mean of what is possible |
//! | a number, some targets are far off | `L1Loss`, `HuberLoss`, `SmoothL1Loss` | the number: the median, or nearly |
//! | a number, and how sure the model is of it | `GaussianNLLLoss` | the number and a variance |
//! | a count | `PoissonNLLLoss` | the logarithm of the expected count |
//! | one of several classes | `CrossEntropyLoss` | a score for each class; no softmax, which the loss has in it |
//! | yes or no, or several of them | `BCEWithLogitsLoss` | a score each; no sigmoid, which the loss has in it |
//! | a rare class among others | the same with `weight` or `pos_weight`; `FocalLoss`, `BinaryFocalLoss` | the same |
//! | a side of a line, for a margin | `HingeLoss`, `MultiMarginLoss` | scores |
//! | a region of an image | `CrossEntropyLoss` or `DiceLoss`, or their sum | scores, or probabilities, of each pixel |
//! | what is alike lies near | `TripletMarginLoss`, `CosineEmbeddingLoss` | a vector |
//! | a sequence of unknown alignment | `CTCLoss` | logarithms of probabilities of each frame |
//!
//! Two of the rows, seen at work: numbers with outliers, and a rare class.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

fn main() -> Result<()> {
    outliers()?;
    rare_class()
}

/// y = 3x + 1, and every tenth target is wrong by 20. The squared error counts these 400-fold and is drawn to them;
/// the absolute error and Huber's only count how many lie on either side.
fn outliers() -> Result<()> {
    manual_seed(0);
    let x = Tensor::randn([200, 1])?;
    let wrong = Tensor::arange(200)?.remainder(10)?.eq(0)?.to_dtype(DType::F32)?.reshape([200, 1])?;
    let y = &x * 3.0 + 1.0 + Tensor::randn([200, 1])? * 0.1 + wrong * 20.0;

    println!("y = 3x + 1, every tenth target is 20 too large:");
    type Loss = fn(&Tensor, &Tensor) -> Result<Tensor>;
    let losses: [(&str, Loss); 3] = [
        ("MSELoss", |p, y| MSELoss::new().forward(p, y)),
        ("L1Loss", |p, y| L1Loss::new().forward(p, y)),
        ("HuberLoss", |p, y| HuberLoss::new().forward(p, y)),
    ];
    for (name, loss) in losses {
        manual_seed(1);
        let model = Linear::new(1, 1)?;
        let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 0.05, ..Default::default() })?;
        for _ in 0..1000 {
            optimizer.zero_grad();
            loss(&model.forward(&x)?, &y)?.backward()?;
            optimizer.step()?;
        }
        let [w, b] = [0.0, 1.0].map(|at| model.forward(&Tensor::full([1, 1], at, DType::F32)?)?.item());
        let (at_0, at_1) = (w?, b?);
        println!("{name:>12}: y = {:.2}x + {at_0:.2}", at_1 - at_0);
    }
    Ok(())
}

/// One sample in fifty is positive, and the two classes overlap. The plain loss makes the fewest mistakes, and misses more
/// than half of the positive ones for that; weighing these as much as there are too few of them finds most, at the price
/// of false alarms. The focal loss lies between: it moves the weight to samples that are still hard.
fn rare_class() -> Result<()> {
    manual_seed(2);
    const N: usize = 5000;
    let positive = Tensor::arange(N)?.remainder(50)?.eq(0)?.to_dtype(DType::F32)?;
    let x = Tensor::randn([N, 2])? + (&positive * 2.0).unsqueeze(-1)?;

    println!("\nOne sample in fifty is positive:");
    let pos_weight = Some(Tensor::full([1], 49.0, DType::F32)?);
    let weighted = BCEWithLogitsLoss { pos_weight, ..Default::default() };
    let focal = BinaryFocalLoss { alpha: Some(0.9), ..Default::default() };
    type Loss<'a> = &'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>;
    let losses: [(&str, Loss); 3] = [
        ("BCEWithLogitsLoss", &|s, y| BCEWithLogitsLoss::new().forward(s, y)),
        ("with pos_weight 49", &|s, y| weighted.forward(s, y)),
        ("BinaryFocalLoss", &|s, y| focal.forward(s, y)),
    ];
    for (name, loss) in losses {
        manual_seed(3);
        let model = Linear::new(2, 1)?;
        let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 0.05, ..Default::default() })?;
        for _ in 0..500 {
            optimizer.zero_grad();
            loss(&model.forward(&x)?.squeeze_dim(-1)?, &positive)?.backward()?;
            optimizer.step()?;
        }
        let found = no_grad(|| model.forward(&x)?.squeeze_dim(-1)?.gt(0.0)?.to_dtype(DType::F32))?;
        let (right, all) = (found.mul(&positive)?.sum()?.item()?, positive.sum()?.item()?);
        let alarms = found.sum()?.item()?;
        println!("{name:>20}: finds {right:.0} of {all:.0}, with {:.0} false alarms", alarms - right);
    }
    Ok(())
}
