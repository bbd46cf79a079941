//! How gradients lie in memory: what takes a view apart puts its gradient together as the viewed tensor lies. (A leaf
//! copies a gradient that has gaps, which hides how it came: here an operation looks at it on the way.)

use chainrule_tensor::autograd::{Backward, Context, record};
use chainrule_tensor::{DType, Result, Tensor};

/// Passes a tensor on, and its gradient, which has to have no gaps and the order of its dimensions.
struct Contiguous;

impl Backward for Contiguous {
    fn name(&self) -> &'static str {
        "contiguous"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let grad = ctx.grad()?;
        assert!(grad.is_contiguous(), "a gradient {} lies by {:?}", grad.shape(), grad.strides());
        Ok(vec![Some(grad.clone())])
    }
}

#[test]
fn pieces_of_a_permuted_tensor_get_a_gradient_that_permutes_back_without_gaps() -> Result<()> {
    // The queries, keys and values of attention, from one product.
    for by_chunks in [false, true] {
        let leaf = Tensor::arange(2 * 5 * 3 * 4 * 6)?.to_dtype(DType::F32)?.reshape([2, 5, 3, 4, 6])?;
        let leaf = leaf.requires_grad_(true)?;
        let packed = record(Contiguous, &[&leaf], &[], leaf.detach())?;
        let heads = packed.permute([2, 0, 3, 1, 4])?;
        let parts = if by_chunks { heads.chunk(3, 0)? } else { heads.unbind(0)? };
        let scaled: Vec<Tensor> =
            parts.iter().enumerate().map(|(i, part)| part.mul((i + 1) as f64)).collect::<Result<_>>()?;
        Tensor::stack(&scaled, 0)?.sum()?.backward()?;
        for (i, part) in leaf.grad().unwrap().unbind(2)?.iter().enumerate() {
            assert!(part.to_vec::<f32>()?.iter().all(|&g| g == (i + 1) as f32));
        }
    }
    Ok(())
}
