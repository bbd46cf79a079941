//! Binary cross-entropy and cross-entropy by the number: reductions, the calculation by hand, the two forms of
//! targets, accuracy, and the mean loss in three ways.
//!
//!     cargo run --release --example cross_entropy
//!
//! Tensors are printed as PyTorch prints them.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

fn main() -> Result<()> {
    binary_cross_entropy_by_reduction()?;
    cross_entropy_by_reduction()?;
    cross_entropy_by_hand()?;
    forms_of_targets()?;
    accuracy_of_predictions()?;
    loss_in_three_ways()
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}

/// Binary cross-entropy takes probabilities and targets of the same shape.
fn binary_cross_entropy_by_reduction() -> Result<()> {
    heading("BCELoss: mean, sum, none");
    let pre = Tensor::new([[0.8, 0.2], [0.9, 0.1], [0.1, 0.9], [0.3, 0.7]]);
    let tgt_onehot = Tensor::new([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let loss_func = BCELoss { reduction, ..Default::default() };
        println!("{}", loss_func.forward(&pre, &tgt_onehot)?);
    }
    Ok(())
}

/// Four samples in four classes, before softmax.
fn predictions() -> Tensor {
    Tensor::new([[0.8, 0.5, 0.2, 0.5], [0.2, 0.9, 0.3, 0.2], [0.4, 0.3, 0.7, 0.1], [0.1, 0.2, 0.4, 0.8]])
}

/// The classes 0, 1, 2, 3 of the four samples, in one-hot form and of the dtype of the predictions.
fn one_hot_targets() -> Result<Tensor> {
    Tensor::new([0, 1, 2, 3]).one_hot(4)?.to_dtype(DType::F32)
}

fn cross_entropy_by_reduction() -> Result<()> {
    heading("CrossEntropyLoss: none, mean, sum");
    for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
        let loss_func = CrossEntropyLoss { reduction, ..Default::default() };
        println!("{}", loss_func.forward(&predictions(), &one_hot_targets()?)?);
    }
    Ok(())
}

/// Cross-entropy takes the softmax itself: a model's last layer has none.
fn cross_entropy_by_hand() -> Result<()> {
    heading("Cross-entropy by hand");
    let pre = Tensor::new([0.8, 0.5, 0.2, 0.5]);
    let tgt = Tensor::new([1.0, 0.0, 0.0, 0.0]);
    let softmax = pre.softmax(-1)?;
    println!("1. softmax\n{softmax}");
    let log = softmax.log()?;
    println!("2. logarithm (or log_softmax in one step)\n{log}\n{}", pre.log_softmax(-1)?);
    println!("3. times the target, summed, negated\n{}", -log.mul(&tgt)?.sum()?);
    println!("By the loss function:\n{}", CrossEntropyLoss::new().forward(&pre, &tgt)?);
    Ok(())
}

/// A target is the index of a class, or a probability for each class.
fn forms_of_targets() -> Result<()> {
    let loss_func = CrossEntropyLoss { reduction: Reduction::None, ..Default::default() };
    let (pre, tgt_index, tgt_onehot) = (predictions(), Tensor::new([0, 1, 2, 3]), one_hot_targets()?);
    heading("Shapes of predictions, index targets, one-hot targets");
    println!("{} {} {}", pre.shape(), tgt_index.shape(), tgt_onehot.shape());

    heading("One sample");
    show_forms(&loss_func, &pre.select(0, 0)?, &tgt_index.select(0, 0)?, &tgt_onehot.select(0, 0)?)?;

    heading("A batch of two");
    show_forms(&loss_func, &pre.narrow(0, 0, 2)?, &tgt_index.narrow(0, 0, 2)?, &tgt_onehot.narrow(0, 0, 2)?)
}

fn show_forms(
    loss_func: &CrossEntropyLoss,
    pre: &Tensor,
    tgt_index: &Tensor,
    tgt_onehot: &Tensor,
) -> Result<()> {
    println!("{pre}\n{tgt_index}\n{tgt_onehot}");
    let by_hand = -pre.softmax(-1)?.log()?.mul(tgt_onehot)?.sum_dim(-1, false)?;
    println!("by hand:         {by_hand}");
    println!("index targets:   {}", loss_func.forward(pre, tgt_index)?);
    println!("one-hot targets: {}", loss_func.forward(pre, tgt_onehot)?);
    Ok(())
}

/// Class probabilities of four samples, and their classes.
fn probabilities() -> (Tensor, Tensor) {
    let out = [[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]];
    (Tensor::new(out), Tensor::new([2, 1, 1, 1]))
}

fn accuracy_of_predictions() -> Result<()> {
    heading("Accuracy");
    let (out, tgt) = probabilities();
    let (values, indices) = out.max_dim(1, false)?;
    println!("max values:  {values}\nmax indices: {indices}\nargmax:      {}", out.argmax_dim(1, false)?);
    let acc_num = indices.eq(&tgt)?.sum()?.item()?;
    println!("{} correct of {}: {}", acc_num, out.size(0)?, acc_num / out.size(0)? as f64);
    println!("accuracy(&out, &tgt): {}", accuracy(&out, &tgt)?);
    Ok(())
}

fn loss_in_three_ways() -> Result<()> {
    heading("The mean loss from mean, sum and none");
    let (out, tgt) = probabilities();
    let loss = |reduction| CrossEntropyLoss { reduction, ..Default::default() }.forward(&out, &tgt);
    let n = out.size(0)? as f64;
    let of_each = loss(Reduction::None)?.to_vec::<f32>()?;
    println!("{:.6}", loss(Reduction::Mean)?.item()?);
    println!("{:.6}", loss(Reduction::Sum)?.item()? / n);
    println!("{:.6}", of_each.into_iter().map(f64::from).sum::<f64>() / n);
    Ok(())
}
