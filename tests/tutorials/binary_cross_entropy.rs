use chainrule::prelude::*;

fn loss(reduction: Reduction) -> Result<String> {
    let pre = Tensor::new([[0.8, 0.2], [0.9, 0.1], [0.1, 0.9], [0.3, 0.7]]);
    let tgt = Tensor::new([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
    Ok(BCELoss { reduction, ..Default::default() }.forward(&pre, &tgt)?.to_string())
}

#[test]
fn prints_what_pytorch_prints() -> Result<()> {
    assert_eq!(loss(Reduction::Mean)?, "tensor(0.1976)");
    assert_eq!(loss(Reduction::Sum)?, "tensor(1.5811)");
    let none = "tensor([[0.2231, 0.2231],\n        [0.1054, 0.1054],\n        [0.1054, 0.1054],\n        [0.3567, 0.3567]])";
    assert_eq!(loss(Reduction::None)?, none);
    Ok(())
}

#[test]
fn refuses_class_indices() -> Result<()> {
    let pre = Tensor::new([[0.8, 0.2], [0.9, 0.1]]);
    let error = BCELoss::new().forward(&pre, &Tensor::new([0, 0])).unwrap_err().to_string();
    assert!(error.contains("[2, 2]") && error.contains("[2]"), "{error}");
    Ok(())
}
