use chainrule::prelude::*;

fn probabilities() -> Tensor {
    Tensor::new([[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]])
}

#[test]
fn largest_values_and_where_they_stand() -> Result<()> {
    let out = probabilities();
    let (values, indices) = out.max_dim(1, false)?;
    assert_eq!(values.to_string(), "tensor([0.8500, 0.9000, 0.9500, 0.9000])");
    assert_eq!(indices.to_string(), "tensor([2, 1, 0, 1])");
    assert_eq!(out.argmax_dim(1, false)?.to_string(), "tensor([2, 1, 0, 1])");
    Ok(())
}

#[test]
fn three_of_four_are_right() -> Result<()> {
    let (out, tgt) = (probabilities(), Tensor::new([2, 1, 1, 1]));
    let pre = out.max_dim(1, false)?.1;
    let acc_num = pre.eq(&tgt)?.sum()?.item()?;
    assert_eq!(acc_num / out.size(0)? as f64, 0.75);
    assert_eq!(accuracy(&out, &tgt)?, 0.75);
    assert_eq!(correct(&out, &tgt)?, 3);
    Ok(())
}
