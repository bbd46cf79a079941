//! The numbers printed in a tutorial on PyTorch's losses, to the digits printed there.

use chainrule_loss::{BCELoss, CrossEntropyLoss, Reduction};
use chainrule_tensor::{Result, Tensor};

const NONE: Reduction = Reduction::None;

/// The values, as `torch` prints them with four decimals.
fn printed(t: &Tensor) -> Result<Vec<String>> {
    Ok(t.to_vec::<f32>()?.iter().map(|v| format!("{v:.4}")).collect())
}

#[test]
fn binary_cross_entropy() -> Result<()> {
    let x = Tensor::new([[0.8, 0.2], [0.9, 0.1], [0.1, 0.9], [0.3, 0.7]]);
    let y = Tensor::new([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
    let loss = |reduction| BCELoss { reduction, ..Default::default() }.forward(&x, &y);
    assert_eq!(printed(&loss(Reduction::Mean)?)?, ["0.1976"]);
    assert_eq!(printed(&loss(Reduction::Sum)?)?, ["1.5811"]);
    let none = loss(NONE)?;
    assert_eq!(none.shape(), &[4, 2]);
    let want = ["0.2231", "0.2231", "0.1054", "0.1054", "0.1054", "0.1054", "0.3567", "0.3567"];
    assert_eq!(printed(&none)?, want);
    Ok(())
}

fn logits() -> Tensor {
    Tensor::new([[0.8, 0.5, 0.2, 0.5], [0.2, 0.9, 0.3, 0.2], [0.4, 0.3, 0.7, 0.1], [0.1, 0.2, 0.4, 0.8]])
}

#[test]
fn cross_entropy_of_one_row() -> Result<()> {
    let x = Tensor::new([0.8, 0.5, 0.2, 0.5]);
    let criterion = CrossEntropyLoss::new();
    for y in [Tensor::new([1.0, 0.0, 0.0, 0.0]), Tensor::new(0)] {
        let loss = criterion.forward(&x, &y)?;
        assert_eq!(loss.rank(), 0);
        assert_eq!(printed(&loss)?, ["1.1087"]);
    }
    Ok(())
}

#[test]
fn cross_entropy_of_a_batch() -> Result<()> {
    let mut one_hot = [[0.0; 4]; 4];
    (0..4).for_each(|i| one_hot[i][i] = 1.0);
    for y in [Tensor::new(one_hot), Tensor::new([0, 1, 2, 3])] {
        let loss = |reduction| CrossEntropyLoss { reduction, ..Default::default() }.forward(&logits(), &y);
        assert_eq!(printed(&loss(NONE)?)?, ["1.1087", "0.9329", "1.0852", "0.9991"]);
        assert_eq!(printed(&loss(Reduction::Mean)?)?, ["1.0315"]);
        assert_eq!(printed(&loss(Reduction::Sum)?)?, ["4.1259"]);
    }
    Ok(())
}

#[test]
fn three_ways_to_the_mean() -> Result<()> {
    let x = Tensor::new([[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]]);
    let y = Tensor::new([2, 1, 1, 1]);
    let loss = |reduction| CrossEntropyLoss { reduction, ..Default::default() }.forward(&x, &y);
    let none: f64 = loss(NONE)?.to_vec::<f32>()?.into_iter().map(f64::from).sum();
    for mean in [loss(Reduction::Mean)?.item()?, loss(Reduction::Sum)?.item()? / 4.0, none / 4.0] {
        assert_eq!(format!("{mean:.6}"), "0.853460");
    }
    Ok(())
}
