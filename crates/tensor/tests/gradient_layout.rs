//! How gradients lie in memory: what takes a view apart puts its gradient together as the viewed tensor lies.

use chainrule_tensor::{Result, Tensor};

#[test]
fn pieces_of_a_permuted_tensor_get_a_gradient_that_permutes_back_without_gaps() -> Result<()> {
    // The queries, keys and values of attention, from one product.
    let packed = Tensor::arange(2 * 5 * 3 * 4 * 6)?.to_dtype(chainrule_tensor::DType::F32)?;
    let packed = packed.reshape([2, 5, 3, 4, 6])?.requires_grad_(true)?;
    let heads = packed.permute([2, 0, 3, 1, 4])?;
    let parts = heads.unbind(0)?;
    let scaled: Vec<Tensor> =
        parts.iter().enumerate().map(|(i, part)| part.mul((i + 1) as f64)).collect::<Result<_>>()?;
    Tensor::stack(&scaled, 0)?.sum()?.backward()?;
    let grad = packed.grad().unwrap();
    assert!(grad.is_contiguous());
    for (i, part) in grad.unbind(2)?.iter().enumerate() {
        assert!(part.to_vec::<f32>()?.iter().all(|&g| g == (i + 1) as f32));
    }
    Ok(())
}
